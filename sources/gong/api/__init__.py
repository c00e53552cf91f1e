"""HTTP client for the Gong API."""
