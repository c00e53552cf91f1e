"""Iceberg: a lake that commits all tables at once, and the Iceberg tables that are published from it."""
