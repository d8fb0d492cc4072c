"""This process's way to Stripe, set once at start."""

from booking.billing.stripe_gateway import Gateway
from booking.settings import Settings


class NotConfigured(RuntimeError):
    """billing.configure(settings) has not run in this process."""


_gateway: Gateway | None = None
_secrets: dict[str, tuple[str, ...]] = {}


def configure(settings: Settings) -> None:
    """This process talks to Stripe with these keys and believes these webhook secrets."""
    global _gateway, _secrets
    _gateway = Gateway(settings.stripe_keys, settings.stripe_api_base)
    _secrets = dict(settings.stripe_webhook_secrets)


def gateway() -> Gateway:
    """Return the way to Stripe. Raises NotConfigured."""
    if _gateway is None:
        raise NotConfigured("billing.configure(settings) has not run in this process")
    return _gateway


def secrets_of(municipality: str) -> tuple[str, ...]:
    """Return the webhook secrets of a municipality; several are valid while one is being changed."""
    return tuple(filter(None, _secrets.get(municipality, ())))


async def close() -> None:
    """Connections to Stripe are closed."""
    if _gateway is not None:
        await _gateway.close()
