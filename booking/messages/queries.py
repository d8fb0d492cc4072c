"""Reads of messages, for the staff of the municipality they concern. A PIN is never shown."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from booking import db
from booking.errors import NotFound
from booking.messages import composing
from booking.messages.templates import Channel
from booking.people import Actor, Role

State = Literal["owed", "sending", "sent", "dropped", "dead"]


class MessageCard(db.Record):
    """A message as lists show it."""

    id: UUID
    template: str
    channel: Channel
    state: State
    receiver: str
    about: UUID | None
    attempts: int
    error: str | None
    created_at: datetime
    tried_at: datetime | None
    done_at: datetime | None


class MessagePage(MessageCard):
    """A message with its text as it would be sent now, a PIN hidden."""

    to: str
    subject: str
    text: str


class _Owner(db.Record):
    municipality: str | None


_CARDS = """
SELECT m.id, m.template, m.channel, m.state, coalesce(p.name, q.name, '') AS receiver, m.about, m.attempts,
  m.error, m.created_at, m.tried_at, m.done_at
FROM message m LEFT JOIN account a ON a.id = m.account LEFT JOIN party p ON p.id = a.party
  LEFT JOIN party q ON q.id = m.party
"""


async def messages(
    municipality: str, state: State | None, *, by: Actor, limit: int, offset: int
) -> tuple[list[MessageCard], int, int]:
    """Return messages about the municipality's matters, newest first; how many; how many are dead. Raises NotFound."""
    by.must_have(municipality, Role.STAFF)
    where = " WHERE m.municipality = $1 AND ($2::varchar IS NULL OR m.state = $2)"
    found = await db.rows(
        MessageCard,
        _CARDS + where + " ORDER BY m.created_at DESC, m.id DESC LIMIT $3 OFFSET $4",
        municipality,
        state,
        limit,
        offset,
    )
    total = await db.value(int, "SELECT count(*) FROM message m" + where, municipality, state)
    dead = await db.value(
        int, "SELECT count(*) FROM message WHERE municipality = $1 AND state = 'dead'", municipality
    )
    return found, total or 0, dead or 0


async def card(message: UUID, *, by: Actor) -> MessageCard:
    """Return one message to staff of the municipality. Raises NotFound."""
    owner = await db.row(_Owner, "SELECT municipality FROM message WHERE id = $1", message)
    if owner is None or owner.municipality is None:
        raise NotFound("there is no such message")
    by.must_have(owner.municipality, Role.STAFF)
    found = await db.row(MessageCard, _CARDS + " WHERE m.id = $1", message)
    if found is None:
        raise NotFound("there is no such message")
    return found


async def page(message: UUID, *, by: Actor, now: datetime) -> MessagePage:
    """Return one message with its text to staff of the municipality. Raises NotFound."""
    shown = await card(message, by=by)
    subject, text, to = await composing.preview(message, now)
    return MessagePage(
        **{name: getattr(shown, name) for name in shown.__struct_fields__}, to=to, subject=subject, text=text
    )
