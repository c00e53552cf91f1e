"""Table declarations, and the conversion of records to Arrow rows."""
