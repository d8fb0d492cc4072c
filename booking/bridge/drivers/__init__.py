"""One module per vendor: what is said to its lock, what counts as its answer, and what it gets silently wrong."""
