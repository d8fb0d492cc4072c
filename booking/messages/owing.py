"""Owe somebody a message. The debt is recorded with its cause; the worker finds out who wants it, and how."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking import db, outbox
from booking.ids import new_id
from booking.messages.templates import CHANNELS, Channel, Template, is_default
from booking.outbox import Debt
from booking.people import Role

OWE = "message.owe"
KINDS: dict[Channel, str] = {"email": "message.email", "sms": "message.sms"}


class Owed(msgspec.Struct, frozen=True):
    """A message before its receivers are known."""

    template: str
    account: UUID | None
    party: UUID | None
    staff: tuple[str, ...]  # roles in the municipality, instead of account and party
    municipality: str | None
    about: UUID | None
    data: dict[str, object]
    key: str | None


class MessageDebt(msgspec.Struct, frozen=True):
    """Which message to send."""

    message: UUID


class _Receiver(db.Record):
    account: UUID | None
    party: UUID | None
    has_phone: bool
    email: bool | None
    sms: bool | None


async def owe(
    template: Template,
    *,
    account: UUID | None = None,
    party: UUID | None = None,
    about: UUID | None = None,
    municipality: str | None,
    data: Mapping[str, object] | None = None,
    key: str | None = None,
    now: datetime,
) -> None:
    """The account, or everybody who acts for the party, will get the message as they have chosen.

    `about` is the reservation or invoice whose facts the text shows; they are looked up when it is sent. `data`
    adds what they can't say (`…_at` instants, `…_ore` amounts), never a PIN or a name. The same `key` for the
    same receiver and `about` is told once. Raises RuntimeError outside a transaction.
    """
    if account is None and party is None:
        raise ValueError("a message needs an account or a party")
    await _put(template, account, party, (), municipality, about, data, key, now)


async def owe_staff(
    template: Template,
    *,
    municipality: str,
    roles: tuple[Role, ...] = (Role.STAFF,),
    about: UUID | None = None,
    data: Mapping[str, object] | None = None,
    key: str | None = None,
    now: datetime,
) -> None:
    """Everybody with one of the roles there, or its administrators where nobody has, will get the message."""
    await _put(template, None, None, tuple(map(str, roles)), municipality, about, data, key, now)


async def _put(
    template: str,
    account: UUID | None,
    party: UUID | None,
    staff: tuple[str, ...],
    municipality: str | None,
    about: UUID | None,
    data: Mapping[str, object] | None,
    key: str | None,
    now: datetime,
) -> None:
    owed = Owed(template, account, party, staff, municipality, about, dict(data or {}), key)
    await outbox.put(OWE, payload=owed, now=now)


async def address(debt: Debt, now: datetime) -> None:
    """Each receiver has a message per channel they want, and each message is owed. Doing it twice adds nothing."""
    owed = debt.read(Owed)
    async with db.transaction():
        for one in await _receivers(owed):
            for channel in CHANNELS:
                if _wants(one, owed.template, channel):
                    await _write(owed, one, channel, debt, now)


async def _receivers(owed: Owed) -> list[_Receiver]:
    if owed.account is not None:
        return await _accounts(owed, "a.id = $2", owed.account)
    if owed.party is not None:
        found = await _accounts(
            owed,
            "(a.party = $2 OR EXISTS (SELECT FROM membership m WHERE m.account = a.id AND m.party = $2"
            " AND m.valid_from <= current_date AND (m.valid_to IS NULL OR m.valid_to >= current_date)))",
            owed.party,
        )
        return found or [_Receiver(None, owed.party, False, None, None)]  # the party's own address
    rule = "EXISTS (SELECT FROM role r WHERE r.account = a.id AND r.municipality = $2 AND r.role = ANY($3))"
    return await _accounts(owed, rule, owed.municipality, list(owed.staff)) or await _accounts(
        owed, rule, owed.municipality, [Role.ADMIN.value]
    )


async def _accounts(owed: Owed, where: str, *what: object) -> list[_Receiver]:
    return await db.rows(
        _Receiver,
        "SELECT a.id AS account, NULL::uuid AS party, p.confirmed_at IS NOT NULL AS has_phone,"
        " e.wanted AS email, s.wanted AS sms FROM account a LEFT JOIN message_phone p ON p.account = a.id"
        " LEFT JOIN message_choice e ON e.account = a.id AND e.template = $1 AND e.channel = 'email'"
        " LEFT JOIN message_choice s ON s.account = a.id AND s.template = $1 AND s.channel = 'sms'"
        f" WHERE {where} ORDER BY a.id",
        owed.template,
        *what,
    )


def _wants(one: _Receiver, template: str, channel: Literal["email", "sms"]) -> bool:
    if channel == "sms" and not one.has_phone:
        return False
    chosen = one.email if channel == "email" else one.sms
    return is_default(template, channel) if chosen is None else chosen


async def _write(owed: Owed, one: _Receiver, channel: Channel, debt: Debt, now: datetime) -> None:
    """The dedupe key is the caller's, else the debt's own: a debt paid twice after a crash is one message."""
    receiver = one.account or one.party
    message = await db.value(
        UUID,
        "INSERT INTO message (id, template, channel, municipality, account, party, about, data, dedupe, state,"
        " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'owed', $10)"
        " ON CONFLICT (dedupe) DO NOTHING RETURNING id",
        new_id(),
        owed.template,
        channel,
        owed.municipality,
        one.account,
        one.party,
        owed.about,
        msgspec.json.encode(owed.data).decode(),
        f"{owed.template}|{owed.about}|{receiver}|{channel}|{owed.key or debt.key}"[:200],
        now,
    )
    if message is not None:
        await put(message, channel, now)


async def put(message: UUID, channel: Channel, now: datetime) -> None:
    """The message is owed (again)."""
    await outbox.put(KINDS[channel], key=str(message), payload=MessageDebt(message), now=now)
