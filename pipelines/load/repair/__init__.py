"""Repairs of the warehouse that a sync makes before it reads."""
