"""Dashboard for Apache Superset."""
