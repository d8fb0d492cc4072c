"""An event reaches each subscriber once, signed; failures are tried for three days, then staff decides."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook

from booking import db, journal, messages, outbox, reservations
from booking.errors import Conflict, NotFound, Rejected
from booking.messages import deliveries
from booking.people import Actor
from booking.places import Resource
from booking.simulated.http_receiver import SimulatedReceiver, Taken, listening
from tests.messages.conftest import Post
from tests.reservations.conftest import LogIn, day_after, held, on, reserved


@pytest.fixture
def receiver() -> Iterator[SimulatedReceiver]:
    with listening(SimulatedReceiver()) as one:
        yield one


@pytest.fixture
async def admin(log_in: LogIn) -> Actor:
    """Administrator of Nordmaling and Vännäs."""
    return await log_in("admin@demo.test")


async def _subscribe(receiver: SimulatedReceiver, admin: Actor, now: datetime, *events: str) -> UUID:
    wishes = list(events or ("reservation.*",))
    made = await messages.subscribe("2401", f"{receiver.url}/hook?x=1", wishes, "Prov", by=admin, now=now)
    return made.id


async def _book(hall: Resource, by: Actor, now: datetime, day: int = 3) -> UUID:
    await db.run("UPDATE party SET may_be_invoiced = true WHERE id = $1", by.party)
    return await reserved(await held(hall, on(day_after(now, day), "18:00"), by, now), "invoice", by, now)


def _verified(taken: Taken, secret: str) -> dict[str, object]:
    """The specification's own library believes it, but for its age: the test's clock is not this machine's."""
    at = datetime.fromtimestamp(int(taken.headers["webhook-timestamp"]))  # noqa: DTZ006 as the library takes it
    signed = Webhook(secret).sign(taken.headers["webhook-id"], at.astimezone(), taken.body.decode())
    assert signed in taken.headers["webhook-signature"].split(" ")
    return dict(json.loads(taken.body))


async def test_a_booking__is_told_once_to_those_who_asked_with_a_signature(post: Post, receiver: SimulatedReceiver, admin: Actor, eva: Actor, hall: Resource, now: datetime) -> None:  # fmt: skip
    endpoint = await _subscribe(receiver, admin, now)
    await _subscribe(receiver, admin, now, "invoice.issued")
    (secret,) = await messages.secrets(endpoint, by=admin, now=now)
    made = await _book(hall, eva, now)

    await post.pay(now)
    await post.pay(now)

    (taken,) = receiver.taken
    told = _verified(taken, secret)
    assert taken.path == "/hook?x=1"
    assert taken.headers["content-type"] == "application/json"
    assert told["type"] == "reservation.confirmed"
    data = told["data"]
    assert isinstance(data, dict)
    assert (data["reservation_id"], data["municipality"]) == (str(made), "2401")
    assert "Eva" not in taken.body.decode()
    (shown,), total = await messages.delivered("2401", endpoint, "done", by=admin, limit=9, offset=0)
    assert (total, shown.status, f"msg_{shown.id.hex}") == (1, 204, taken.headers["webhook-id"])


async def test_an_action_that_fails__tells_nobody(post: Post, receiver: SimulatedReceiver, admin: Actor, eva: Actor, now: datetime) -> None:  # fmt: skip
    await _subscribe(receiver, admin, now)

    async def fall() -> None:
        async with db.transaction():
            await journal.record(
                "reservation.confirmed", about=None, by=eva, now=now, topics=["timeline:2401"]
            )
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fall()

    await post.pay(now)

    assert receiver.taken == []


async def test_a_door_alarm__says_which_door_and_what_but_no_free_text(post: Post, receiver: SimulatedReceiver, admin: Actor, eva: Actor, now: datetime) -> None:  # fmt: skip
    await _subscribe(receiver, admin, now, "door.*")
    async with db.transaction():
        await journal.record(
            "alarm.opened", about=None, by=eva, now=now, topics=["doors:2401"],
            kind="forced", door="hall-1", controller="c1", reason="Eva Lind ringde",
        )  # fmt: skip

    await post.pay(now)

    told = json.loads(receiver.taken[0].body)
    assert told["type"] == "door.alarm"
    assert told["data"] == {"municipality": "2401", "kind": "forced", "door": "hall-1", "controller": "c1"}


async def test_nobody_subscribed__nothing_is_owed(
    post: Post, eva: Actor, hall: Resource, now: datetime
) -> None:
    await _book(hall, eva, now)

    assert await db.value(int, "SELECT count(*) FROM outbox WHERE kind LIKE 'webhook.%'") == 0


async def test_another_municipalitys_event__is_not_told(post: Post, receiver: SimulatedReceiver, admin: Actor, eva: Actor, now: datetime) -> None:  # fmt: skip
    await _subscribe(receiver, admin, now)
    async with db.transaction():
        await journal.record("reservation.confirmed", about=None, by=eva, now=now, topics=["timeline:2284"])

    await post.pay(now)

    assert receiver.taken == []


async def test_a_crash_between_spreading_and_settling__tells_nobody_twice(post: Post, receiver: SimulatedReceiver, admin: Actor, eva: Actor, hall: Resource, now: datetime) -> None:  # fmt: skip
    await _subscribe(receiver, admin, now)
    await _book(hall, eva, now)
    debt = await outbox.claim([deliveries.FAN], now)
    assert debt
    await deliveries.spread(debt, now)  # and dies before it settles

    await post.pay(now + outbox.LEASE)
    await post.pay(now + outbox.LEASE)

    assert len(receiver.taken) == 1


async def test_an_endpoint_that_fails__is_tried_ten_times_over_three_days_then_is_off_and_staff_told(post: Post, receiver: SimulatedReceiver, admin: Actor, eva: Actor, hall: Resource, now: datetime) -> None:  # fmt: skip
    endpoint = await _subscribe(receiver, admin, now)
    await _book(hall, eva, now)
    receiver.answers.extend([500, 302, 404, 0, 503, 500, 500, 500, 500, 500])
    at = now
    for wait in deliveries.WAITS:
        await post.pay(at)
        at += wait * 1.2
    await post.pay(at)

    assert len(receiver.taken) == 10
    assert len({one.headers["webhook-id"] for one in receiver.taken}) == 1
    assert len({one.body for one in receiver.taken}) == 1
    assert len({one.headers["webhook-timestamp"] for one in receiver.taken}) == 10
    assert at - now > timedelta(days=3)
    shown = await messages.endpoints("2401", by=admin)
    assert (shown[0].state, shown[0].dead, shown[0].owed) == ("failed", 1, 0)
    assert "three days" in (shown[0].failed_why or "")
    assert "Webhook" in post.mail.mails[-1]["Subject"]
    assert post.mail.mails[-1]["To"] == "admin@demo.test"

    (dead,), _ = await messages.delivered("2401", None, "dead", by=admin, limit=9, offset=0)
    with pytest.raises(Conflict):
        await messages.send_again(dead.id, by=admin, now=at)  # it is off
    on_again = {"url": None, "wishes": None, "description": None}
    await messages.change(endpoint, **on_again, state="on", by=admin, now=at)  # type: ignore[arg-type]
    await messages.send_again(dead.id, by=admin, now=at)
    await post.pay(at)

    assert receiver.taken[-1].headers["webhook-id"] == receiver.taken[0].headers["webhook-id"]
    assert [one.state for one in (await messages.delivered("2401", None, None, by=admin, limit=9, offset=0))[0]] == ["done"]  # fmt: skip


async def test_410__turns_the_endpoint_off_at_once(post: Post, receiver: SimulatedReceiver, admin: Actor, now: datetime) -> None:  # fmt: skip
    endpoint = await _subscribe(receiver, admin, now)
    await messages.try_out(endpoint, by=admin, now=now)
    receiver.answers.append(410)

    await post.pay(now)

    assert (await messages.endpoints("2401", by=admin))[0].state == "failed"
    assert len(receiver.taken) == 1


async def test_retry_after__is_waited_for(
    post: Post, receiver: SimulatedReceiver, admin: Actor, now: datetime
) -> None:
    endpoint = await _subscribe(receiver, admin, now)
    await messages.try_out(endpoint, by=admin, now=now)
    receiver.answers.append(429)
    receiver.headers["Retry-After"] = "3600"

    await post.pay(now)
    await post.pay(now + timedelta(minutes=50))
    assert len(receiver.taken) == 1
    await post.pay(now + timedelta(minutes=70))
    assert len(receiver.taken) == 2


async def test_while_a_secret_is_changed__both_sign_and_after_a_day_only_the_new(post: Post, receiver: SimulatedReceiver, admin: Actor, now: datetime) -> None:  # fmt: skip
    endpoint = await _subscribe(receiver, admin, now)
    (old,) = await messages.secrets(endpoint, by=admin, now=now)
    await messages.rotate(endpoint, by=admin, now=now)
    new, still = await messages.secrets(endpoint, by=admin, now=now)
    assert still == old != new
    with pytest.raises(Conflict):
        await messages.rotate(endpoint, by=admin, now=now)

    for at in (now, now + timedelta(hours=25)):
        await messages.try_out(endpoint, by=admin, now=at)
        await post.pay(at)

    for secret in (old, new):
        _verified(receiver.taken[0], secret)
    _verified(receiver.taken[1], new)
    assert receiver.taken[1].headers["webhook-signature"].count("v1,") == 1
    rows = await db.column(str, "SELECT row_to_json(e)::text FROM webhook_endpoint e")
    assert not any(new[6:] in row for row in rows)


async def test_one_failing_endpoint__holds_up_no_other(post: Post, receiver: SimulatedReceiver, admin: Actor, eva: Actor, hall: Resource, now: datetime) -> None:  # fmt: skip
    with listening(SimulatedReceiver()) as broken:
        broken.answers.extend([500] * 9)
        await _subscribe(broken, admin, now)
        await _subscribe(receiver, admin, now)
        for day in (3, 4, 5):
            await _book(hall, eva, now, day)

        await post.pay(now)

        assert len(receiver.taken) == 3
        assert len(broken.taken) == 1  # the others wait until it has had a rest


async def test_an_administrator_elsewhere__sees_no_endpoint(post: Post, receiver: SimulatedReceiver, admin: Actor, eva: Actor, clerk: Actor, now: datetime) -> None:  # fmt: skip
    endpoint = await _subscribe(receiver, admin, now)

    for other in (eva, clerk):
        with pytest.raises(NotFound):
            await messages.endpoints("2401", by=other)
        with pytest.raises(NotFound):
            await messages.secrets(endpoint, by=other, now=now)
    with pytest.raises(NotFound):
        await messages.endpoints("2284", by=admin)


async def test_without_leave_for_this_machine__a_local_address_is_refused(town: object, admin: Actor, now: datetime) -> None:  # fmt: skip
    for url in ("http://127.0.0.1:1/", "https://127.0.0.1/", "https://intranet/"):
        with pytest.raises(Rejected):
            await messages.subscribe("2401", url, ["reservation.*"], "", by=admin, now=now)


async def test_old_deliveries_and_messages__are_forgotten(post: Post, receiver: SimulatedReceiver, admin: Actor, eva: Actor, hall: Resource, now: datetime) -> None:  # fmt: skip
    await _subscribe(receiver, admin, now)
    made = await _book(hall, eva, now)
    await reservations.cancel(made, by=eva, now=now)
    await post.pay(now)

    await messages.forget_old(now + timedelta(days=91))

    assert (
        await db.value(int, "SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM webhook_delivery)")
        == 0
    )
