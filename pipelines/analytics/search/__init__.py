"""Full-text search over the sentences of the marts."""
