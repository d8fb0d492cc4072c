"""Simulated outside worlds, for the demo and the tests. Nothing here runs in production."""
