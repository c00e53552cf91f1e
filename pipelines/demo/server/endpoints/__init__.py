"""Handlers of the simulated Gong, one file per area of Gong's API, as in `sources/gong/resources`."""
