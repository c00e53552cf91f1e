"""Request and response bodies of the simulated Gong."""
