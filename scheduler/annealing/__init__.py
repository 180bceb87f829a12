"""Simulated annealing of whole rosters, compiled: good rosters within a second or two."""
