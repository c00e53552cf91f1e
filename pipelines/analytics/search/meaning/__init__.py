"""Search by meaning: embeddings of the passages of calls, next to the index of their words."""
