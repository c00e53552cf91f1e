"""Commands that look after a warehouse: free the space of deleted rows, upgrade its tables."""
