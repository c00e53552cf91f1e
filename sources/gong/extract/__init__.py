"""The extraction engine that all resources share."""
