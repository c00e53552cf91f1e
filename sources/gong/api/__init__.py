"""HTTP: how the Gong API is called."""
