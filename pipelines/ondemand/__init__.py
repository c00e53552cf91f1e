"""Gong as a Python object: read and write actions without a warehouse."""
