"""The simulated Stripe's fixtures."""

from stripe_help import receiver, simulator

__all__ = ["receiver", "simulator"]
