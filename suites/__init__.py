"""Suites: one folder per topic with its contract and its claims."""
