"""What commands show to people: printable text, times and tables."""
