"""This process's ways out and its sources of facts, set once at start."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

from booking.messages.console import Console
from booking.messages.mail import Smtp
from booking.messages.sms import Elks
from booking.messages.templates import Channel
from booking.messages.ways import Way
from booking.people import Language
from booking.settings import Settings

Facts = Callable[[UUID, Language], Awaitable[Mapping[str, object]]]
Pin = Callable[[UUID, datetime], Awaitable[str | None]]
EventData = Callable[[str, UUID], Awaitable[Mapping[str, object]]]


async def _no_facts(_about: UUID, _language: Language) -> Mapping[str, object]:
    return {}


async def _no_pin(_about: UUID, _now: datetime) -> str | None:
    return None


async def _no_data(_event: str, _about: UUID) -> Mapping[str, object]:
    return {}


@dataclass(frozen=True, slots=True)
class Sources:
    """What is asked at the moment of sending, so that no row need hold it: facts, a PIN, an event's data."""

    facts: Facts = _no_facts
    pin: Pin = _no_pin
    event_data: EventData = _no_data


@dataclass(frozen=True, slots=True)
class Configured:
    """How this process reaches the outside."""

    ways: dict[Channel, Way]
    sources: Sources
    key: bytes = field(repr=False)
    url: str
    local_webhooks: bool


class NotConfigured(RuntimeError):
    """messages.configure(settings, sources) has not run in this process."""


_now: Configured | None = None


def configure(settings: Settings, sources: Sources) -> None:
    """Mail, SMS and webhooks leave this process as the settings say. Raises SettingsError for a malformed address."""
    global _now
    host = urlsplit(settings.public_url).hostname or "localhost"
    sender = settings.mail_from or f"Bokning <no-reply@{host}>"
    _now = Configured(
        ways={
            "email": Smtp(settings.smtp_url, sender) if settings.smtp_url else Console("mail"),
            "sms": Elks(settings.sms_url) if settings.sms_url else Console("sms"),
        },
        sources=sources,
        key=settings.secret_key,
        url=settings.public_url,
        local_webhooks=settings.local_webhooks,
    )


def configured() -> Configured:
    """Return how this process reaches the outside. Raises NotConfigured."""
    if _now is None:
        raise NotConfigured("messages.configure(settings, sources) has not run in this process")
    return _now
