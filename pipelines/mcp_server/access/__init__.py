"""Who may ask the server, and the log of who asked: tokens, policies, the audit log."""
