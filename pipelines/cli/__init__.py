"""The command line `gong-elt`."""

from .app import app, main

__all__ = ["app", "main"]
