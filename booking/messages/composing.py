"""A message's words, made when it is sent: facts as they are now, a PIN straight from the vault."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from booking import db, derived
from booking.messages.configured import configured
from booking.messages.templates import HIDDEN_PIN, PHONE_CODE, WITH_PIN, Channel, TemplateError, Text, render
from booking.people import Language


class NothingToSay(Exception):
    """What the message was about is no longer so: a code that opens nothing, a booking that is gone."""


class Message(db.Record):
    """A message with its receiver."""

    id: UUID
    template: str
    channel: Channel
    account: UUID | None
    about: UUID | None
    data: str
    state: str
    attempts: int
    created_at: datetime
    tried_at: datetime | None
    municipality: str | None
    language: Language
    email: str | None
    phone: str | None
    asked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Composed:
    """A message in words, with its receiver's address."""

    to: str
    text: Text
    secret: bool


_MESSAGE = """
SELECT m.id, m.template, m.channel, m.account, m.about, m.data, m.state, m.attempts, m.created_at, m.tried_at,
  t.name AS municipality, coalesce(a.language, 'sv') AS language, coalesce(a.email, p.email) AS email,
  n.phone, n.asked_at
FROM message m LEFT JOIN account a ON a.id = m.account LEFT JOIN party p ON p.id = m.party
  LEFT JOIN municipality t ON t.code = m.municipality LEFT JOIN message_phone n ON n.account = m.account
WHERE m.id = $1
"""


async def message(message_id: UUID) -> Message | None:
    """Return the message with where its receiver is reached today."""
    return await db.row(Message, _MESSAGE, message_id)


async def compose(one: Message, now: datetime, *, hide_pin: bool = False) -> Composed:
    """Return the message in words. Raises NothingToSay, TemplateError."""
    ways = configured()
    facts: dict[str, object] = {"url": ways.url, "municipality": one.municipality or "Bokning"}
    if one.about is not None:
        facts.update(await ways.sources.facts(one.about, one.language))
    facts.update(msgspec.json.decode(one.data, type=dict[str, object]))
    facts["url"] = f"{ways.url}{facts.get('path', '')}"
    if one.template in WITH_PIN:
        facts["pin"] = HIDDEN_PIN if hide_pin else await _pin(one, now)
    if one.template == PHONE_CODE and one.account is not None and one.asked_at is not None:
        facts["code"] = HIDDEN_PIN if hide_pin else phone_code(ways.key, one.account, one.phone, one.asked_at)
    to = (one.email if one.channel == "email" else one.phone) or ""
    secret = one.template in WITH_PIN or one.template == PHONE_CODE
    return Composed(to, render(one.template, one.language, facts), secret)


async def preview(message_id: UUID, now: datetime) -> tuple[str, str, str]:
    """Return subject, text and address as they would be now, without a PIN; empty where nothing can be said."""
    one = await message(message_id)
    if one is None:
        return "", "", ""
    try:
        made = await compose(one, now, hide_pin=True)
    except TemplateError as error:
        return "", str(error), ""
    return made.text.subject, made.text.body if one.channel == "email" else made.text.sms, made.to


def phone_code(key: bytes, account: UUID, phone: str | None, asked_at: datetime) -> str:
    """Return the six digits that prove who has the number; stored nowhere."""
    number = int.from_bytes(derived.secret(key, "phone", account, phone, asked_at.timestamp())[:8])
    return f"{number % 1_000_000:06d}"


async def _pin(one: Message, now: datetime) -> str:
    pin = None if one.about is None else await configured().sources.pin(one.about, now)
    if pin is None:
        raise NothingToSay("the booking has no code that opens")
    return pin
