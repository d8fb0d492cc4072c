"""A town whose mail and SMS go to simulated receivers, and a worker to pay what is owed."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import cast
from uuid import UUID

import pytest

from booking import db, feeds, messages, outbox
from booking.settings import Settings
from booking.simulated.http_receiver import SimulatedElks, listening
from booking.simulated.smtp_server import SimulatedSmtp, simulated_smtp
from tests.api.conftest import app, later, person
from tests.conftest import NOW
from tests.reservations.conftest import clerk, eva, hall, log_in, rival

__all__ = ["Post", "app", "clerk", "eva", "hall", "later", "log_in", "person", "rival"]


@dataclass
class Post:
    """Both simulated receivers, and the worker's hands."""

    mail: SimulatedSmtp
    sms: SimulatedElks
    settings: Settings

    async def pay(self, now: datetime) -> None:
        """Every debt of ours that is due has been tried, also those that others brought forth."""
        await outbox.drain(messages.HANDLERS, lambda: now, _raise)


@pytest.fixture
async def post(town: Settings) -> AsyncIterator[Post]:
    """Mail and SMS leave to simulated receivers; eva@demo.test has a confirmed number."""
    async with simulated_smtp() as mail:
        with listening(SimulatedElks(now=NOW)) as receiver:
            elks = cast(SimulatedElks, receiver)
            settings = replace(
                town, smtp_url=mail.url, sms_url=elks.url.replace("http://", "elks://u1:p1@") + "?from=Kommunen",
                mail_from="Bokning <boka@nordmaling.example>", public_url="https://boka.example", local_webhooks=True,
            )  # fmt: skip
            messages.configure(settings, feeds.SOURCES)
            await db.run(
                "INSERT INTO message_phone (account, phone, asked_at, confirmed_at)"
                " SELECT id, '+46701234567', now(), now() FROM account WHERE email = 'eva@demo.test'"
            )
            yield Post(mail, elks, settings)


@pytest.fixture
def account(town: Settings) -> Callable[[str], Awaitable[UUID]]:
    """Returns the account of a demonstration's log-in."""

    async def find(name: str) -> UUID:
        found = await db.value(UUID, "SELECT id FROM account WHERE email = $1", f"{name}@demo.test")
        assert found
        return found

    return find


def _raise(_debt: outbox.Debt, error: Exception) -> None:
    raise error
