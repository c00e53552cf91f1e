"""Notebook over the marts, and the command that serves it."""
