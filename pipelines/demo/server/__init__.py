"""The simulated Gong: an HTTP server that follows the API contract."""
