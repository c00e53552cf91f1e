"""The process of a command: how it waits for other processes, and how a signal ends it."""
