"""Requests and responses of the simulated Gong: validation, cursors, pages, errors, encoding."""
