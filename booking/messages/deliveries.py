"""Webhooks that are owed: spread an event to its subscribers, post, try again for three days, give up and say so."""

import logging
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from booking import db, outbox
from booking.ids import new_id
from booking.messages import events, owing, signing
from booking.messages.configured import configured
from booking.messages.posting import Answer, post
from booking.outbox import Debt, Postpone
from booking.people import Role

log = logging.getLogger("booking.webhooks")
FAN, SEND = "webhook.fan", "webhook.send"
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# The specification's example schedule: ten attempts over a little more than three days.
WAITS = [5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR]
LONGEST_QUIET = 5 * MINUTE
GIVE_UP_AFTER = timedelta(days=3)  # of nothing but failures
KEPT = timedelta(days=30)


class DeliveryDebt(msgspec.Struct, frozen=True):
    """Which delivery."""

    delivery: UUID


class _Subscriber(db.Record):
    id: UUID
    events: list[str]


class _Owed(db.Record):
    id: UUID
    event: str
    body: str
    state: str
    attempts: int
    endpoint: UUID
    url: str
    endpoint_state: str
    municipality: str
    generation: int
    old_until: datetime | None
    failing_since: datetime | None
    quiet_until: datetime | None


_OWED = """
SELECT d.id, d.event, d.body, d.state, d.attempts, d.endpoint, e.url, e.state AS endpoint_state, e.municipality,
  e.generation, e.old_until, e.failing_since, e.quiet_until
FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint WHERE d.id = $1
"""


async def spread(debt: Debt, now: datetime) -> None:
    """Each endpoint that subscribes to the journal's entry is owed it once, however often this runs."""
    found = await db.row(
        events.Source, "SELECT action, about, at, topics, data FROM journal WHERE id = $1", int(debt.key)
    )
    event = None if found is None else events.EVENTS.get(found.action)
    if found is None or event is None:
        return
    data = found.facts()
    if found.about is not None:
        data.update(await configured().sources.event_data(event, found.about))
    municipality = events.municipality_of(found.topics) or data.get("municipality")
    if not isinstance(municipality, str):
        return
    body = events.body(event, found.at, municipality, data)
    subscribers = await db.rows(
        _Subscriber,
        "SELECT id, events FROM webhook_endpoint WHERE municipality = $1 AND state = 'on'",
        municipality,
    )
    async with db.transaction():
        for one in subscribers:
            if events.wants(one.events, event):
                await write(one.id, event, body, now, journal=int(debt.key))


async def write(
    endpoint: UUID, event: str, body: str, now: datetime, *, journal: int | None = None
) -> UUID | None:
    """The endpoint is owed the event; returns None where it already was."""
    made = await db.value(
        UUID,
        "INSERT INTO webhook_delivery (id, endpoint, event, journal, body, state, created_at)"
        " VALUES ($1, $2, $3, $4, $5, 'owed', $6) ON CONFLICT (endpoint, journal) DO NOTHING RETURNING id",
        new_id(),
        endpoint,
        event,
        journal,
        body,
        now,
    )
    if made is not None:
        await owe(made, now)
    return made


async def owe(delivery: UUID, now: datetime) -> None:
    """The delivery is due."""
    await outbox.put(SEND, key=str(delivery), payload=DeliveryDebt(delivery), now=now)


async def deliver(debt: Debt, now: datetime) -> None:
    """The delivery is done, owed a later attempt (Postpone), or dead."""
    one = await db.row(_Owed, _OWED, debt.read(DeliveryDebt).delivery)
    if one is None or one.state != "owed":
        return
    if one.endpoint_state != "on":
        await _end(one, "dead", Answer(None, "the endpoint is off"), now)
        return
    if one.quiet_until is not None and one.quiet_until > now:
        raise Postpone(one.quiet_until - now, "the endpoint failed just now")
    await db.run(
        "UPDATE webhook_delivery SET attempts = attempts + 1, tried_at = $2 WHERE id = $1", one.id, now
    )
    answer = await post(one.url, one.body, _headers(one, now), local=configured().local_webhooks)
    if answer.is_taken:
        await _end(one, "done", answer, now)
        await db.run(
            "UPDATE webhook_endpoint SET failing_since = NULL, quiet_until = NULL WHERE id = $1", one.endpoint
        )
    else:
        await _failed(one, answer, now)


def _headers(one: _Owed, now: datetime) -> dict[str, str]:
    """The attempt's own time is signed; while a secret is being changed the old one signs as well."""
    generations = [one.generation]
    if one.old_until is not None and one.old_until > now:
        generations.append(one.generation - 1)
    secrets = [signing.secret_of(configured().key, one.endpoint, number) for number in generations]
    return signing.headers(secrets, f"msg_{one.id.hex}", now, one.body)


async def _failed(one: _Owed, answer: Answer, now: datetime) -> None:
    since = one.failing_since or now
    last = one.attempts >= len(WAITS)
    wait = timedelta(0) if last else _wait(one, answer)
    await db.run(
        "UPDATE webhook_endpoint SET failing_since = coalesce(failing_since, $2), quiet_until = $3 WHERE id = $1",
        one.endpoint,
        now,
        now + min(wait, LONGEST_QUIET),
    )
    if answer.status == 410:
        await _end(one, "dead", answer, now)
        await _give_up(one, "it answered 410 Gone", now)
    elif last:
        await _end(one, "dead", answer, now)
        if since <= now - GIVE_UP_AFTER:
            await _give_up(one, f"nothing has got through for three days ({answer.error})", now)
    else:
        await _note(one, answer)
        raise Postpone(wait, answer.error or "refused")


def _wait(one: _Owed, answer: Answer) -> timedelta:
    """The schedule's wait and up to a tenth more, so that what failed together doesn't come back together."""
    wait = max(WAITS[one.attempts], answer.retry_after_s * SECOND)
    return wait * (1 + one.id.int % 100 / 1000)


async def _give_up(one: _Owed, why: str, now: datetime) -> None:
    """The endpoint gets nothing more until an administrator turns it on again; they are told."""
    async with db.transaction():
        changed = await db.run(
            "UPDATE webhook_endpoint SET state = 'failed', failed_why = $2 WHERE id = $1 AND state = 'on'",
            one.endpoint,
            why[:200],
        )
        if changed:
            log.warning("webhook endpoint %s is off: %s", one.endpoint, why)
            await owing.owe_staff(
                "staff_alert",
                municipality=one.municipality,
                roles=(Role.ADMIN,),
                data={"what": f"Webhook: {one.url}", "text": why},
                now=now,
            )


async def _note(one: _Owed, answer: Answer) -> None:
    await db.run(
        "UPDATE webhook_delivery SET status = $2, error = $3 WHERE id = $1",
        one.id,
        answer.status,
        answer.error and answer.error[:300],
    )


async def _end(one: _Owed, state: str, answer: Answer, now: datetime) -> None:
    await _note(one, answer)
    await db.run("UPDATE webhook_delivery SET state = $2, done_at = $3 WHERE id = $1", one.id, state, now)


async def forget_old(now: datetime) -> None:
    """Deliveries that ended a month ago are gone."""
    await db.run("DELETE FROM webhook_delivery WHERE done_at < $1", now - KEPT)
