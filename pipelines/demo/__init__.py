"""The demo: a generated company and the simulated Gong that serves it."""
