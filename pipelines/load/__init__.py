"""Jobs that copy Gong into the warehouse: sync, reconcile, status, check."""
