"""A series, a single booking, a closure and a request want the same time at once: exactly one gets it."""

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db
from booking.clock import SWEDEN
from booking.errors import Conflict
from booking.people import Actor
from booking.places import Resource
from booking.reservations import (
    AffectedBookings,
    BlockWish,
    Chosen,
    Customer,
    SeriesOrder,
    SeriesWish,
    SlotTaken,
    Wall,
    book_series,
    create_block,
    preview_series,
    reject,
)
from booking.reservations.series_queries import series_row
from booking.span import Span
from tests.reservations.conftest import held, rule, thing
from tests.series.test_booking import booked

ROUNDS = 18
NO_OVERLAP = (
    "SELECT count(*) FROM occupancy a JOIN occupancy b ON a.leaf = b.leaf AND a.id < b.id"
    " AND tstzrange(a.starts_at, a.ends_at) && tstzrange(b.starts_at, b.ends_at)"
)


@pytest.mark.timeout(180)
async def test_four_ways_in_at_once__one_winner_in_every_round(
    hall: Resource, club: UUID, eva: Actor, rival: Actor, clerk: Actor, now: datetime
) -> None:
    chance = random.Random(20261122)
    half, tally = await thing("Norrskenshallen", "Halva hallen, öst"), Counter[str]()
    for number in range(ROUNDS):
        day = now.astimezone(SWEDEN).date() + timedelta(days=2 + 3 * number)
        first = Wall(day, 18 * 60, 20 * 60)
        wish = SeriesWish(hall.id, club, "training", None, first, "FREQ=DAILY;COUNT=3")
        preview = await preview_series(wish, by=rival, now=now)
        free = [one for one in preview.occurrences if one.reason is None]
        chosen = [Chosen(Span(one.start, one.end)) for one in free]
        span = Span(preview.occurrences[0].start, preview.occurrences[0].end)
        order = SeriesOrder(wish, chosen, "invoice", preview.total_ore)
        closure = BlockWish("2401", "closure", "Stängt", "", (hall.id,), span)
        ways = {
            "series": lambda order=order: book_series(order, by=rival, now=now),
            "single": lambda span=span: held(half, span, eva, now),
            "other": lambda span=span: held(hall, span, rival, now, Customer(club)),
            "block": lambda closure=closure: create_block(closure, [], by=clerk, now=now),
        }
        for name in chance.sample(sorted(ways), number % 3):  # so that each wins now and then
            del ways[name]
        answers = await asyncio.gather(*(way() for way in ways.values()), return_exceptions=True)
        won = [name for name, answer in zip(ways, answers, strict=True) if isinstance(answer, UUID)]
        lost = [answer for answer in answers if not isinstance(answer, UUID)]
        # A closure ends holds that came before it, and says so to nobody else: then the hold has won and lost.
        assert all(isinstance(one, SlotTaken | AffectedBookings | Conflict) for one in lost), lost
        standing = await db.column(
            str,
            "SELECT DISTINCT coalesce(r.kind || ':' || r.state) FROM reservation r JOIN occupancy o"
            " ON o.reservation = r.id WHERE o.starts_at < $2 AND o.ends_at > $1",
            span.start,
            span.end,
        )
        assert len(standing) == 1, (won, standing)
        assert len(won) == 1 or (len(won) == 2 and "block" in won), won
        tally["+".join(won)] += 1
        await db.run("DELETE FROM occupancy WHERE hold_until IS NOT NULL")
    assert await db.value(int, NO_OVERLAP) == 0
    assert len(tally) > 1, "one always won: that was no race"
    print(f"\nrace: {dict(tally)}")


async def test_a_series_is_being_ended__one_of_its_requests_is_still_answered(
    hall: Resource, tuesdays: SeriesWish, rival: Actor, clerk: Actor, now: datetime
) -> None:
    """A second UPDATE of a row checks its foreign keys again: it must not wait for whoever has the series."""
    await rule(hall, needs_approval=True)
    series = await booked(tuesdays, rival, now)
    request = await db.value(UUID, "SELECT id FROM reservation WHERE series = $1 ORDER BY id LIMIT 1", series)
    assert request
    begun, answered = asyncio.Event(), asyncio.Event()

    async def ending() -> None:
        async with db.transaction():
            await series_row(series, rival, lock=True)
            begun.set()
            await answered.wait()

    other = asyncio.create_task(ending())
    await begun.wait()
    await asyncio.wait_for(reject(request, by=clerk, now=now, reason="Upptaget"), 4)
    answered.set()
    await other
