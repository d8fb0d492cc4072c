"""What stands in a snapshot when there is too much of it, or something wrong in it."""

from datetime import UTC, datetime, timedelta

import pytest

from booking import db, locks
from booking.locks import contents, sweeps, weekly
from booking.locks.credentials import Wish
from booking.locks.weekly import Weekly
from booking.lockwire.snapshot import Grant, Window
from booking.people import Actor
from booking.span import Span
from tests.locks.conftest import TOWN, Hall, hours
from tests.locks.parts import FULL, Device, state

SYSTEM = Actor.system()
WORKDAYS = [0, 1, 2, 3, 4]


@pytest.fixture
def device(hall: Hall) -> Device:
    return Device(hall)


async def sync(device: Device, now: datetime, **more: object) -> None:
    await device.publish(now)
    await device.report(now, **more)


async def clean(rule: list[Weekly], now: datetime, label: str = "Städ") -> None:
    wish = Wish(municipality=TOWN, role="clean", label=label, weekly=rule, valid_from=now - timedelta(days=1))
    await locks.create_credential(wish, by=SYSTEM, now=now)


@pytest.mark.parametrize(
    ("from_", "to", "minutes"),
    [
        ("02:30", "03:00", 0),
        ("02:00", "02:30", 0),
        ("02:00", "03:00", 0),
        ("02:30", "03:15", 15),
        ("01:30", "02:30", 30),
        ("02:30", "02:00", 23 * 60),
    ],
)
def test_a_weekly_window_in_the_spring_night__is_what_is_left_of_it(
    from_: str, to: str, minutes: int
) -> None:
    night = Span(datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 3, 30, tzinfo=UTC))
    spans = weekly.expand([Weekly([6], from_, to)], night)

    assert sum((one.length for one in spans), timedelta()) == timedelta(minutes=minutes)


async def test_a_rule_that_cannot_be_read__stops_nobody_elses_code(
    hall: Hall, device: Device, now: datetime
) -> None:
    await clean([Weekly(WORKDAYS, "06:00", "07:00")], now)
    await db.run("UPDATE access_credential SET weekly = '[{\"weekdays\": [9]}]'")
    booking = await hall.book(hours(now, 2, 3), now)
    await sync(device, now)

    assert [one.role for one in (await device.snapshot()).grants] == ["leader"]
    assert await state(booking, now) == "applied"
    unproved = "SELECT first_ver IS NULL FROM access_grant WHERE role = 'clean'"
    assert await db.value(bool, unproved)


@pytest.mark.parametrize(("memory", "codes"), [(8_192, 6), (32_768, 25)])
async def test_many_weekly_codes__lose_far_windows_before_any_booking_of_the_next_days(
    hall: Hall, device: Device, now: datetime, memory: int, codes: int
) -> None:
    cap = {**FULL, "max_doc": memory}
    await sync(device, now, cap=cap)
    for n in range(codes):
        await clean([Weekly(WORKDAYS, f"{n % 12 + 5:02}:00", f"{n % 12 + 7:02}:00")], now, f"Städ {n}")
    bookings = [await hall.book(hours(now, 20 * n + 1, 20 * n + 2), now) for n in range(4)]
    await sync(device, now, cap=cap)
    grants = (await device.snapshot()).grants

    assert [await state(one, now) for one in bookings] == ["applied"] * 4
    assert sum(one.role == "clean" for one in grants) == codes
    ahead = [max(each.nb for each in one.w) - now.timestamp() for one in grants if one.role == "clean"]
    assert min(ahead) > timedelta(hours=18).total_seconds()


async def test_a_small_memory__drops_ended_codes_before_the_next_ones(
    hall: Hall, device: Device, now: datetime
) -> None:
    cap = {**FULL, "grants": 3}
    await sync(device, now, cap=cap)
    ended = [await hall.book(hours(now, 0.1 * n + 0.02, 0.1 * n + 0.1), now) for n in range(3)]
    await sync(device, now, cap=cap)
    following = await hall.book(hours(now, 1.5, 2), now)
    later = now + timedelta(minutes=58)
    await sweeps.expire_ended(later)
    await sync(device, later, cap=cap)

    assert await state(following, later) == "applied"
    assert [await state(one, later) for one in ended] == ["ended"] * 3
    proved = "SELECT count(*) FROM access_grant WHERE applied_at = $1"
    assert await db.value(int, proved, now) == 3


def test_a_full_document__drops_ended_codes_before_reserve_codes_and_bookings(now: datetime) -> None:
    grants = [
        *(grant(f"leader-{n}", "leader", hours(now, 1 + n, 2 + n)) for n in range(3)),
        *(grant(f"ended-{n}", "leader", hours(now, -1, -0.5)) for n in range(3)),
        *(grant(f"spare-{n}", "reserve", hours(now, 9, 33)) for n in range(3)),
    ]
    bare = contents.empty(now, now + timedelta(days=14), {})
    whole, kept = contents.fitted(bare, grants, contents.Room(reserve=9))
    assert kept == grants
    _, kept = contents.fitted(bare, grants, contents.Room(max_doc=len(whole) - 1, reserve=9))
    assert {one.id[:5] for one in kept} == {"leade", "spare"}
    assert len(kept) == 6


def grant(id: str, role: str, span: Span) -> Grant:
    start, end = int(span.start.timestamp()), int(span.end.timestamp())
    return Grant(id=id, k="pin", pin="204060", role=role, w=[Window(d=["d1"], nb=start, na=end)])
