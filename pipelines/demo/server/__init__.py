"""The simulated Gong: an HTTP server that follows Gong's API contract."""
