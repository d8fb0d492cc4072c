"""What people decide about messages: which they want, at which number, and that a dead one is tried again."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from booking import db, journal
from booking.errors import Conflict, NotAllowed, Rejected
from booking.ids import new_id
from booking.messages import composing, deliveries, owing
from booking.messages.configured import configured
from booking.messages.queries import MessageCard, card
from booking.messages.templates import CHANNELS, FIXED, PHONE_CODE, TEMPLATES, Channel, Template, is_default
from booking.people import Actor

CODE_HOLDS = timedelta(minutes=10)
ASK_AGAIN = timedelta(minutes=1)
MOST_TRIES = 5
KEPT = timedelta(days=90)


class Choice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message wanted, or not, by a channel."""

    template: Template
    channel: Channel
    wanted: bool


class ChoiceView(msgspec.Struct, frozen=True):
    """A choice as it stands; a fixed one can't be turned off."""

    template: Template
    channel: Channel
    wanted: bool
    fixed: bool


class MessageSettings(msgspec.Struct, frozen=True):
    """Which messages an account gets, how, and its number for SMS."""

    phone: str | None
    phone_confirmed: bool
    choices: list[ChoiceView]


class _Phone(db.Record):
    phone: str
    asked_at: datetime
    confirmed_at: datetime | None
    tries: int


class _Chosen(db.Record):
    template: str
    channel: str
    wanted: bool


async def settings_of(by: Actor) -> MessageSettings:
    """Return what the actor has chosen, with the default where they have not."""
    account = by.must_be_known()
    phone = await _phone(account)
    rows = await db.rows(
        _Chosen, "SELECT template, channel, wanted FROM message_choice WHERE account = $1", account
    )
    chosen = {(one.template, one.channel): one.wanted for one in rows}
    choices = [
        ChoiceView(
            template,
            channel,
            chosen.get((template, channel), is_default(template, channel)),
            (template, channel) in FIXED,
        )
        for template in TEMPLATES
        for channel in CHANNELS
    ]
    number = None if phone is None else phone.phone
    return MessageSettings(number, bool(phone and phone.confirmed_at), choices)


async def choose(choices: list[Choice], *, by: Actor) -> None:
    """The actor gets these messages as they wish; what is not named stays. Raises Rejected (`choice_fixed`)."""
    account = by.must_be_known()
    for one in choices:
        if (one.template, one.channel) in FIXED and not one.wanted:
            raise Rejected("this message is always sent", code="choice_fixed")
    async with db.transaction():
        for one in choices:
            await db.run(
                "INSERT INTO message_choice (account, template, channel, wanted) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (account, template, channel) DO UPDATE SET wanted = excluded.wanted",
                account,
                one.template,
                one.channel,
                one.wanted,
            )


async def set_phone(phone: str, *, by: Actor, now: datetime) -> None:
    """The number waits for the code that is on its way to it; until then no message goes there.

    Raises NotAllowed (`too_many_attempts`) within a minute of the last code.
    """
    account = by.must_be_known()
    async with db.transaction():
        await db.take_locks("phone", [account])
        known = await _phone(account)
        if known is not None and known.asked_at > now - ASK_AGAIN:
            raise NotAllowed(
                "a code is on its way; wait a minute", code="too_many_attempts", retry_after_s=60
            )
        await db.run(
            "INSERT INTO message_phone (account, phone, asked_at, tries) VALUES ($1, $2, $3, 0)"
            " ON CONFLICT (account) DO UPDATE SET phone = $2, asked_at = $3, confirmed_at = NULL, tries = 0",
            account,
            phone,
            now,
        )
        message = new_id()
        await db.run(
            "INSERT INTO message (id, template, channel, account, state, created_at)"
            " VALUES ($1, $2, 'sms', $3, 'owed', $4)",
            message,
            PHONE_CODE,
            account,
            now,
        )
        await owing.put(message, "sms", now)


async def confirm_phone(code: str, *, by: Actor, now: datetime) -> None:
    """The number is the actor's. Raises Rejected (`phone_code_wrong`), NotAllowed (`too_many_attempts`)."""
    account = by.must_be_known()
    async with db.transaction():
        tries = await db.value(
            int, "UPDATE message_phone SET tries = tries + 1 WHERE account = $1 RETURNING tries", account
        )
    known = await _phone(account)
    if known is None or tries is None:
        raise Rejected("give a number first", code="phone_code_wrong")
    if tries > MOST_TRIES:
        raise NotAllowed(
            "too many wrong codes; ask for a new one", code="too_many_attempts", retry_after_s=60
        )
    right = composing.phone_code(configured().key, account, known.phone, known.asked_at)
    if code != right or known.asked_at < now - CODE_HOLDS:
        raise Rejected("the code is wrong or too old", code="phone_code_wrong")
    await db.run("UPDATE message_phone SET confirmed_at = $2 WHERE account = $1", account, now)


async def forget_phone(*, by: Actor) -> None:
    """No SMS goes to the actor any more. Forgetting none is a no-op."""
    await db.run("DELETE FROM message_phone WHERE account = $1", by.must_be_known())


async def resend(message: UUID, *, by: Actor, now: datetime) -> MessageCard:
    """A dead message is owed again, from the first attempt. Raises NotFound, Conflict (`not_dead`)."""
    async with db.transaction():
        one = await card(message, by=by)
        again = await db.run(
            "UPDATE message SET state = 'owed', attempts = 0, done_at = NULL WHERE id = $1 AND state = 'dead'",
            message,
        )
        if not again:
            raise Conflict("only what has been given up can be sent again", code="not_dead")
        await owing.put(message, one.channel, now)
        await journal.record("message.resent", about=message, by=by, now=now)
        return await card(message, by=by)


async def forget_old(now: datetime) -> None:
    """Messages that ended long ago are gone; what they were about stays where it is."""
    await db.run("DELETE FROM message WHERE done_at < $1", now - KEPT)
    await deliveries.forget_old(now)


async def _phone(account: UUID) -> _Phone | None:
    return await db.row(
        _Phone, "SELECT phone, asked_at, confirmed_at, tries FROM message_phone WHERE account = $1", account
    )
