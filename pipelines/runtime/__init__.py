"""What every job needs: connection, lock, run log, result."""
