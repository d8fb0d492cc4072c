"""Serves the built frontend."""
