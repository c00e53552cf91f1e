"""Models, search, report and exports on the loaded warehouse."""
