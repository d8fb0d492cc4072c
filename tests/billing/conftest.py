"""Billing's fixtures."""

from billing_help import rail, receiver, simulator, town

__all__ = ["rail", "receiver", "simulator", "town"]
