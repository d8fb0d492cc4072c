"""Billing's fixtures."""

from tests.billing_help import rail, receiver, simulator, town

__all__ = ["rail", "receiver", "simulator", "town"]
