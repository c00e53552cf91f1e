"""Jobs between Gong and the warehouse: sync, plan, reconcile, status, check."""
