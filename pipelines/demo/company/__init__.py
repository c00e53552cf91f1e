"""A generated company: people, accounts, calls and conversations."""
