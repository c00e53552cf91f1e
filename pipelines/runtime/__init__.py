"""Shared by all jobs: connection, target, locks, run log, options and results."""
