"""Full-text search over transcript sentences."""
