"""Credentials, OAuth and stored tokens."""
