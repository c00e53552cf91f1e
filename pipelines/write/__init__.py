"""Jobs that write to Gong: calls and recordings."""
