"""What an administrator does with webhooks: subscribe, change, rotate the secret, try, send again."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from booking import db, journal
from booking.errors import Conflict, NotFound, Rejected
from booking.ids import new_id
from booking.messages import deliveries, events, guard, signing
from booking.messages.configured import configured
from booking.people import Actor, Role

EndpointState = Literal["on", "off", "failed"]
DeliveryState = Literal["owed", "done", "dead"]
BOTH_SIGN = timedelta(hours=24)
MOST = 20


class EndpointView(db.Record):
    """An endpoint as its administrators see it."""

    id: UUID
    municipality: str
    url: str
    description: str
    events: list[str]
    state: EndpointState
    failed_why: str | None
    failing_since: datetime | None
    old_secret_until: datetime | None
    created_at: datetime
    owed: int
    dead: int


class DeliveryView(db.Record):
    """One event on its way to one endpoint."""

    id: UUID
    endpoint_id: UUID
    event: str
    state: DeliveryState
    attempts: int
    status: int | None
    error: str | None
    created_at: datetime
    tried_at: datetime | None
    done_at: datetime | None


_ENDPOINTS = """
SELECT e.id, e.municipality, e.url, e.description, e.events, e.state, e.failed_why, e.failing_since,
  e.old_until AS old_secret_until, e.created_at,
  (SELECT count(*) FROM webhook_delivery d WHERE d.endpoint = e.id AND d.state = 'owed') AS owed,
  (SELECT count(*) FROM webhook_delivery d WHERE d.endpoint = e.id AND d.state = 'dead') AS dead
FROM webhook_endpoint e
"""
_DELIVERIES = """
SELECT d.id, d.endpoint AS endpoint_id, d.event, d.state, d.attempts, d.status, d.error, d.created_at,
  d.tried_at, d.done_at
FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint
"""


async def endpoints(municipality: str, *, by: Actor) -> list[EndpointView]:
    """Return the municipality's endpoints, oldest first. Raises NotFound unless the actor is an admin there."""
    by.must_have(municipality, Role.ADMIN)
    return await db.rows(EndpointView, _ENDPOINTS + " WHERE e.municipality = $1 ORDER BY e.id", municipality)


async def endpoint(endpoint_id: UUID, *, by: Actor) -> EndpointView:
    """Return one endpoint to an administrator of its municipality. Raises NotFound."""
    found = await db.row(EndpointView, _ENDPOINTS + " WHERE e.id = $1", endpoint_id)
    if found is None:
        raise NotFound("there is no such endpoint")
    by.must_have(found.municipality, Role.ADMIN)
    return found


async def subscribe(
    municipality: str, url: str, wishes: list[str], description: str, *, by: Actor, now: datetime
) -> EndpointView:
    """The address will be told of these events from now on.

    Raises NotFound, Rejected (`url_not_https`, `url_not_public`, `unknown_event`, `too_many_endpoints`).
    """
    by.must_have(municipality, Role.ADMIN)
    guard.check_url(url, local=configured().local_webhooks)
    _must_be_known(wishes)
    made = new_id()
    async with db.transaction():
        await db.take_locks("webhooks", [municipality])
        if len(await endpoints(municipality, by=by)) >= MOST:
            raise Rejected("delete an endpoint that is no longer used first", code="too_many_endpoints")
        await db.run(
            "INSERT INTO webhook_endpoint (id, municipality, url, description, events, state, created_at)"
            " VALUES ($1, $2, $3, $4, $5, 'on', $6)",
            made,
            municipality,
            url,
            description,
            sorted(set(wishes)),
            now,
        )
        await journal.record("webhook.subscribed", about=made, by=by, now=now, events=wishes)
        return await endpoint(made, by=by)


async def change(
    endpoint_id: UUID,
    *,
    url: str | None,
    wishes: list[str] | None,
    description: str | None,
    state: Literal["on", "off"] | None,
    by: Actor,
    now: datetime,
) -> EndpointView:
    """What is given has changed. Turning it on forgives earlier failures. Raises as `subscribe` does."""
    if url is not None:
        guard.check_url(url, local=configured().local_webhooks)
    if wishes is not None:
        _must_be_known(wishes)
    async with db.transaction():
        await endpoint(endpoint_id, by=by)
        await db.run(
            "UPDATE webhook_endpoint SET url = coalesce($2, url), events = coalesce($3, events),"
            " description = coalesce($4, description), state = coalesce($5, state) WHERE id = $1",
            endpoint_id,
            url,
            None if wishes is None else sorted(set(wishes)),
            description,
            state,
        )
        if state == "on" or url is not None:
            await _forgive(endpoint_id)
        await journal.record("webhook.changed", about=endpoint_id, by=by, now=now, state=state)
        return await endpoint(endpoint_id, by=by)


async def unsubscribe(endpoint_id: UUID, *, by: Actor, now: datetime) -> None:
    """The endpoint is gone, with what was owed to it. Raises NotFound."""
    async with db.transaction():
        gone = await endpoint(endpoint_id, by=by)
        await db.run("DELETE FROM webhook_endpoint WHERE id = $1", endpoint_id)
        await journal.record(
            "webhook.unsubscribed", about=endpoint_id, by=by, now=now, municipality=gone.municipality
        )


async def secrets(endpoint_id: UUID, *, by: Actor, now: datetime) -> list[str]:
    """Return the secrets that sign now, newest first; the look is journalled. Raises NotFound."""
    async with db.transaction():
        shown = await endpoint(endpoint_id, by=by)
        await journal.record("webhook.secret_shown", about=endpoint_id, by=by, now=now)
    newest = await db.value(int, "SELECT generation FROM webhook_endpoint WHERE id = $1", endpoint_id) or 1
    both = shown.old_secret_until is not None and shown.old_secret_until > now
    key = configured().key
    return [signing.secret_of(key, endpoint_id, one) for one in ([newest, newest - 1] if both else [newest])]


async def rotate(endpoint_id: UUID, *, by: Actor, now: datetime) -> EndpointView:
    """There is a new secret; for a day the one before signs as well. Raises NotFound, Conflict (`just_rotated`)."""
    async with db.transaction():
        shown = await endpoint(endpoint_id, by=by)
        if shown.old_secret_until is not None and shown.old_secret_until > now:
            raise Conflict("the secret before the last still signs; wait until it ends", code="just_rotated")
        await db.run(
            "UPDATE webhook_endpoint SET generation = generation + 1, old_until = $2 WHERE id = $1",
            endpoint_id,
            now + BOTH_SIGN,
        )
        await journal.record("webhook.rotated", about=endpoint_id, by=by, now=now)
        return await endpoint(endpoint_id, by=by)


async def try_out(endpoint_id: UUID, *, by: Actor, now: datetime) -> DeliveryView:
    """A `webhook.test` is on its way. Raises NotFound, Conflict (`endpoint_off`)."""
    async with db.transaction():
        shown = await endpoint(endpoint_id, by=by)
        if shown.state != "on":
            raise Conflict("turn the endpoint on first", code="endpoint_off")
        await _hear(endpoint_id)
        body = events.body(events.TEST, now, shown.municipality, {"endpoint_id": endpoint_id})
        made = await deliveries.write(endpoint_id, events.TEST, body, now)
        found = await db.row(DeliveryView, _DELIVERIES + " WHERE d.id = $1", made)
    if found is None:
        raise NotFound("there is no such delivery")
    return found


async def delivered(
    municipality: str,
    endpoint_id: UUID | None,
    state: DeliveryState | None,
    *,
    by: Actor,
    limit: int,
    offset: int,
) -> tuple[list[DeliveryView], int]:
    """Return deliveries of the municipality's endpoints, newest first, and how many there are. Raises NotFound."""
    by.must_have(municipality, Role.ADMIN)
    where = " WHERE e.municipality = $1 AND ($2::uuid IS NULL OR e.id = $2) AND ($3::varchar IS NULL OR d.state = $3)"
    args = (municipality, endpoint_id, state)
    order = " ORDER BY d.created_at DESC, d.id DESC LIMIT $4 OFFSET $5"
    found = await db.rows(DeliveryView, _DELIVERIES + where + order, *args, limit, offset)
    total = await db.value(
        int,
        "SELECT count(*) FROM webhook_delivery d JOIN webhook_endpoint e ON e.id = d.endpoint" + where,
        *args,
    )
    return found, total or 0


async def send_again(delivery: UUID, *, by: Actor, now: datetime) -> DeliveryView:
    """A dead delivery is owed again, with the same id and body. Raises NotFound, Conflict (`not_dead`, `endpoint_off`)."""
    async with db.transaction():
        found = await db.row(DeliveryView, _DELIVERIES + " WHERE d.id = $1", delivery)
        if found is None:
            raise NotFound("there is no such delivery")
        shown = await endpoint(found.endpoint_id, by=by)
        if shown.state != "on":
            raise Conflict("turn the endpoint on first", code="endpoint_off")
        again = await db.run(
            "UPDATE webhook_delivery SET state = 'owed', attempts = 0, done_at = NULL"
            " WHERE id = $1 AND state = 'dead'",
            delivery,
        )
        if not again:
            raise Conflict("only what has been given up can be sent again", code="not_dead")
        await _hear(shown.id)
        await deliveries.owe(delivery, now)
        await journal.record("webhook.resent", about=delivery, by=by, now=now)
        again_shown = await db.row(DeliveryView, _DELIVERIES + " WHERE d.id = $1", delivery)
    return again_shown or found


def _must_be_known(wishes: list[str]) -> None:
    unknown = sorted(set(wishes) - {*events.TYPES, *events.GROUPS})
    if unknown or not wishes:
        raise Rejected(f"there is no such event: {', '.join(unknown)[:100]}", code="unknown_event")


async def _forgive(endpoint_id: UUID) -> None:
    await db.run(
        "UPDATE webhook_endpoint SET failing_since = NULL, quiet_until = NULL, failed_why = NULL WHERE id = $1",
        endpoint_id,
    )


async def _hear(endpoint_id: UUID) -> None:
    await db.run("UPDATE webhook_endpoint SET quiet_until = NULL WHERE id = $1", endpoint_id)
