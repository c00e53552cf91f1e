"""The dashboard bundle for Apache Superset."""
