"""The interface for machines, under /api/v1: thin over the services the pages use."""
