"""Jobs that write to Gong: upload calls and media."""
