"""The configuration of this machine: which settings are set and where, defaults of options, unknown settings."""
