"""The simulated Stripe's fixtures."""

from tests.stripe_help import receiver, simulator

__all__ = ["receiver", "simulator"]
