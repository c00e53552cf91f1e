"""DuckLake as a warehouse."""
