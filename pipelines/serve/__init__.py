"""Serve a DuckDB file to other processes while this one loads into it."""
