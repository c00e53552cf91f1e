"""Windows, bookmarks and lookback: which time range is read next."""
