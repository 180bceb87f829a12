"""The sample desk: a seeded, made-up customer-service desk to learn and test on."""
