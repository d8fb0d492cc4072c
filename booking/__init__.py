"""Municipal booking."""
