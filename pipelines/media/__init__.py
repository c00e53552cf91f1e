"""The job that downloads recordings."""
