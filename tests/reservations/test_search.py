"""What the one statement says of free starts is what rules, open days and the constraint say, one start at a time."""

import random
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from booking import db, places
from booking.clock import SWEDEN
from booking.places import OpenDays, Resource, Rules
from booking.reservations import Customer
from booking.reservations.availability import (
    Ground,
    Start,
    open_days_around,
    rules_of_days,
    search_window,
    starts_of_day,
    taken_of,
)
from booking.reservations.calendar import open_around
from booking.reservations.free_starts import DayWish, FreeWish, clock_pieces, whole_day
from booking.reservations.months import days_free
from booking.reservations.offers import who
from booking.settings import Settings
from tests.reservations.conftest import thing

SPRING, AUTUMN = date(2027, 3, 28), date(2026, 10, 25)  # the nights of the clocks
PLACES = ("Norrskenshallen", "Kommunhuset")
PURPOSES = ("training", "match", "meeting", "event", "private")


async def a_pool() -> Resource:
    """Return a pool of two bicycles at the town hall, made on the spot."""
    car = await thing("Kommunhuset", "Elbil")
    ids = [uuid4() for _ in range(3)]
    for number, one in enumerate(ids):
        await db.run(
            "INSERT INTO resource (id, facility, parent, kind, slug, name, tariff_class, picks_unit, calendar)"
            " VALUES ($1, $2, $3, 'bike', $4, $4, 'bike', $5, $6)",
            one,
            car.facility.id,
            ids[0] if number else None,
            f"bike-{number}",
            number == 0,
            car.calendar,
        )
        if number:
            await db.run(
                "WITH l AS (INSERT INTO leaf (facility) VALUES ($1) RETURNING id)"
                " INSERT INTO resource_leaf (resource, leaf) SELECT $2, id FROM l",
                car.facility.id,
                one,
            )
    return await places.resource(ids[0])


async def disturb(chance: random.Random, found: list[Resource], first: date, now: datetime) -> None:
    """Other rules from some day on, other hours, bookings and run-out holds, at random."""
    for one in found:
        await db.run("DELETE FROM effective_rule WHERE resource = $1", one.id)
        change = first + timedelta(days=1)
        for begin, until in ((date(2000, 1, 1), change), (change, date(9999, 12, 31))):
            await db.run(
                "INSERT INTO effective_rule (resource, from_day, until_day, gap_min, step_min, min_min, max_min, notice_min,"
                " horizon_days, opens_on, own_first_days, kinds, min_age, needs_approval, pending_holds, answer_days,"
                " purposes, needs_driver) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, false, true, 2, $14, $15)",
                one.id,
                begin,
                until,
                chance.choice((0, 0, 10, 15, 45)),
                chance.choice((5, 15, 25, 30, 60, 90, 1440)),
                chance.choice((15, 60, 60)),
                chance.choice((60, 720, 5000)),
                chance.choice((0, 0, 600, 3000)),
                chance.choice((0, 2, 30, 365, 365)),
                chance.choice((None, None, None, first - timedelta(days=3), now.date(), first)),
                chance.choice((0, 0, 1, 14)),
                chance.choice((None, None, None, ["association"], ["person", "company"])),
                chance.choice((0, 0, 0, 18, 30)),
                chance.choice((None, None, list(PURPOSES[:2]))),
                chance.random() < 0.1,
            )
    for calendar in {one.calendar for one in found}:
        for day in (first + timedelta(days=n) for n in range(-1, 5)):
            spans = [
                f"[{span.start.isoformat()},{span.end.isoformat()})"
                for span in places.hours.spans_of(
                    chance.choice(
                        (((0, 1440),), ((420, 1320),), (), ((420, 720), (780, 1385)), ((1200, 1440),))
                    ),
                    day,
                )
            ]
            await db.run(
                "INSERT INTO open_day (calendar, day, spans) VALUES ($1, $2, $3::text::tstzmultirange)"
                " ON CONFLICT (calendar, day) DO UPDATE SET spans = excluded.spans",
                calendar,
                day,
                "{" + ",".join(spans) + "}",
            )
    await occupy(chance, found, first, now)


async def occupy(chance: random.Random, found: list[Resource], first: date, now: datetime) -> None:
    # Pools' units are booked too: their leaves belong to no resource that is asked for.
    booked = await db.value(
        UUID,
        "INSERT INTO reservation (id, resource, municipality, party, state, starts_at, ends_at, purpose, price_ore, price,"
        " created_at) SELECT gen_random_uuid(), $1, '2401', p.id, 'confirmed', $2, $3, 'private', 0, '{}', $2 FROM party p"
        " LIMIT 1 RETURNING id",
        found[0].id,
        now,
        now + timedelta(hours=1),
    )
    begin = whole_day(first).from_at - timedelta(days=1)
    mine = await db.column(
        int,
        "SELECT DISTINCT l.leaf FROM resource_leaf l JOIN resource r ON r.id = l.resource WHERE r.id = ANY($1) OR r.parent = ANY($1)",
        [one.id for one in found],
    )
    for n in range(100):
        days = (
            n < 8
        )  # first, while there is room, some that take several days and began before the days asked for
        start = begin + timedelta(minutes=5 * chance.randrange(-288 if days else 0, 288 if days else 4 * 288))
        await db.run(
            "INSERT INTO occupancy (leaf, reservation, starts_at, ends_at, hold_until) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT DO NOTHING",
            chance.choice(mine),
            booked,
            start,
            start + timedelta(minutes=5 * (900 if days else chance.choice((1, 6, 12, 24, 24, 300)))),
            chance.choice((None, None, now - timedelta(minutes=1), now + timedelta(minutes=9))),
        )


async def expected(
    one: Resource, day: date, wish: FreeWish, window: DayWish, now: datetime
) -> tuple[list[datetime], str]:
    """Return the free starts, judged one at a time, and why there are none in words of the whole day."""
    around = search_window(day, 1, wish.minutes)
    opening = (await open_days_around([one], around))[one.calendar]
    rules = (await rules_of_days(one.id, day, day))[day]
    asker = await who(wish.customer, one.facility.municipality.code, day)
    ground = Ground(opening, rules, asker, wish.purpose or "private")
    starts = [
        start
        for start in starts_of_day(ground, await taken_of(one, around, now), day, wish.minutes, now)
        if window.from_at <= start.span.start < window.until_at
        and (window.to_at is None or start.span.end <= window.to_at)
    ]
    free = [start.span.start for start in starts if start.reason is None]
    return free, _in_a_word([start for start in starts if _fits(start, rules, opening)])


def _fits(start: Start, rules: Rules, opening: OpenDays) -> bool:
    """The length is wrong anyway, or the opening has room for it."""
    wrong = not rules.min_min <= start.span.minutes <= rules.max_min or start.span.minutes % 5
    around = open_around(opening, start.span)
    return bool(wrong) or any(one.start <= start.span.start and start.span.end <= one.end for one in around)


def _in_a_word(starts: list[Start]) -> str:
    """Time is told only where nothing else is wrong with any start."""
    reasons = {{"booked": "fully_booked"}.get(start.reason or "", start.reason) for start in starts}
    others = reasons - {"past", "too_late", "not_open_yet", None}
    if not starts:
        return "closed"
    if others:
        return "|".join(sorted(str(one) for one in others))
    return "not_open_yet" if "not_open_yet" in reasons else "too_late" if "too_late" in reasons else "past"


async def customers() -> list[Customer]:
    found = await db.column(UUID, "SELECT id FROM party ORDER BY kind, name")
    await db.run("UPDATE party SET born = '2008-02-29' WHERE kind = 'person' AND name < 'M'")
    return [Customer(), Customer(home="2401"), *(Customer(one) for one in found)]


@pytest.mark.parametrize(
    ("seed", "first"),
    [
        (1, SPRING),
        (2, AUTUMN),
        (3, date(2026, 11, 24)),
        (4, date(2028, 2, 29)),
        (5, date(2027, 1, 1)),
        (6, date(2026, 12, 31)),
    ],
)
async def test_rules_hours_bookings_at_random__the_statement_agrees_with_every_single_start(
    town: Settings, seed: int, first: date
) -> None:
    chance = random.Random(seed)
    now = whole_day(first).from_at - timedelta(minutes=chance.choice((-700, 3, 4000)))
    found = [
        await a_pool(),
        *(
            one
            for one in await places.resources(municipalities=["2401"])
            if one.facility.name in PLACES and one.kind != "bike"
        ),
    ]
    await disturb(chance, found, first, now)
    known = await customers()
    for _ in range(3):
        wish = FreeWish(
            (),
            chance.choice((30, 60, 63, 120, 600, 1500, 3000)),
            chance.choice(PURPOSES),
            chance.choice(known),
        )
        days = [
            chance.choice(
                (
                    whole_day(day),
                    DayWish(day, whole_day(day).from_at + timedelta(hours=7), whole_day(day).until_at),
                    DayWish(
                        day,
                        *(whole_day(day).from_at + timedelta(minutes=m) for m in (455, 800)),
                        whole_day(day).from_at + timedelta(hours=19),
                    ),
                )
            )
            for day in (first + timedelta(days=n) for n in range(2))
        ]
        wish = FreeWish(tuple(days), wish.minutes, wish.purpose, wish.customer)
        told = {
            (one.resource, one.date): one for one in await days_free([one.id for one in found], wish, now)
        }
        assert len(told) == 2 * len(found)
        for one in found:
            for window in days:
                free, why = await expected(one, window.day, wish, window, now)
                answer = told[one.id, window.day]
                assert answer.free_count == len(free), (one.name, window, wish)
                assert answer.first == (free[0] if free else None)
                if not free:
                    assert answer.reason in why.split("|"), (one.name, window, wish)


def test_pieces_of_the_clock__are_the_raster_of_every_day() -> None:
    assert len(clock_pieces(date(2026, 6, 1))) == 1
    for day, walls in ((SPRING, [(0, 120), (180, 1440)]), (AUTUMN, [(0, 180), (180, 1440)])):
        pieces = clock_pieces(day)
        assert [(low, high) for low, high, _ in pieces] == walls
        for low, _, base in pieces:
            wall = (base + timedelta(minutes=low)).astimezone(SWEDEN)
            assert (wall.hour * 60 + wall.minute, wall.date()) == (low, day)
