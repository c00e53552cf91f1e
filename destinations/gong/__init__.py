"""The write path into Gong: new calls as a dlt destination, and the checks of their fields."""
