"""A generated company: people, accounts, calls, conversations."""
