"""Downloads of call recordings."""
