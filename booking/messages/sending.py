"""Paying what is owed: a message leaves once, is tried again for a day, or is dead and waits for staff."""

import logging
from datetime import datetime, timedelta

from booking import db
from booking.messages.composing import Composed, Message, NothingToSay, compose, message
from booking.messages.configured import configured
from booking.messages.owing import MessageDebt
from booking.messages.templates import TemplateError
from booking.messages.ways import Letter, TryLater, Undeliverable
from booking.outbox import Debt, Postpone

log = logging.getLogger("booking.messages")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WAITS = [MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR]


async def send(debt: Debt, now: datetime) -> None:
    """The message has left, or is owed a later attempt (Postpone), or has ended as dropped or dead."""
    one = await message(debt.read(MessageDebt).message)
    if one is None or one.state not in ("owed", "sending"):
        return
    try:
        composed = await compose(one, now)
        if not composed.to:
            raise Undeliverable("the receiver has no address for this channel")
        provider_id = await _leave(one, composed, now)
    except NothingToSay as why:
        await _end(one, "dropped", now, error=str(why))
    except (Undeliverable, TemplateError) as why:
        log.warning("message %s is dead: %s", one.id, why)
        await _end(one, "dead", now, error=str(why))
    except TryLater as why:
        await _later(one, why, now)
    else:
        await _end(one, "sent", now, provider_id=provider_id)


async def _leave(one: Message, composed: Composed, now: datetime) -> str | None:
    """Written down before it is tried: whoever comes after a crash knows that it may have left."""
    await db.run(
        "UPDATE message SET state = 'sending', attempts = attempts + 1, tried_at = $2 WHERE id = $1",
        one.id,
        now,
    )
    first = one.created_at if one.attempts else None
    letter = Letter(one.id.hex, composed.to, composed.text, composed.secret, first)
    return await configured().ways[one.channel].send(letter)


async def _later(one: Message, why: TryLater, now: datetime) -> None:
    if one.attempts >= len(WAITS):
        await _end(one, "dead", now, error=str(why))
        return
    await db.run("UPDATE message SET state = 'owed', error = $2 WHERE id = $1", one.id, str(why)[:300])
    raise Postpone(WAITS[one.attempts], str(why)) from why


async def _end(
    one: Message, state: str, now: datetime, *, error: str | None = None, provider_id: str | None = None
) -> None:
    await db.run(
        "UPDATE message SET state = $2, error = $3, provider_id = $4, done_at = $5 WHERE id = $1",
        one.id,
        state,
        error and error[:300],
        provider_id and provider_id[:120],
        now,
    )
