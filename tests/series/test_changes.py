"""Changing and ending a series: this, this and the following, all; what is past stays, and the money follows."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db
from booking.clock import SWEDEN
from booking.errors import NotFound
from booking.people import Actor
from booking.places import Resource
from booking.reservations import (
    NewTimes,
    SeriesPart,
    SeriesWish,
    SlotTaken,
    Wall,
    add_date,
    cancel_series,
    change_series,
    complete_due,
    preview_cancel,
    preview_change,
    series_page,
)
from booking.reservations.rows import seen
from booking.reservations.series_queries import series_row
from booking.reservations.trip_rows import leave_door_open
from booking.span import Span
from tests.reservations.conftest import books_in_order, held, rule
from tests.series.test_booking import booked

WEEK = timedelta(days=7)
LATER = NewTimes(opens=19 * 60, closes=21 * 60)


async def ids(series: UUID) -> list[UUID]:
    return await db.column(
        UUID,
        "SELECT id FROM reservation WHERE series = $1 AND state = 'confirmed' ORDER BY starts_at",
        series,
    )


async def clocks(series: UUID, by: Actor, now: datetime) -> list[str]:
    page = await series_page(series, by, now)
    return [
        f"{one.start.astimezone(SWEDEN):%a %H:%M}"
        for one in page.occurrences
        if one.state in ("confirmed", "completed")
    ]


async def owed(party: UUID) -> int:
    sql = "SELECT coalesce(sum(total_ore), 0)::bigint FROM charge WHERE party = $1 AND state = 'open'"
    return await db.value(int, sql, party) or 0


async def test_all_an_hour_later__shown_first_then_moved_with_the_same_code(
    tuesdays: SeriesWish, club: UUID, rival: Actor, now: datetime
) -> None:
    series = await booked(tuesdays, rival, now)
    before, part = await owed(club), SeriesPart("all")
    shown = await preview_change(series, part, LATER, by=rival, now=now)
    assert [one.status for one in shown.occurrences] == ["free"] * 6
    assert await clocks(series, rival, now) == ["Tue 18:00"] * 6
    same = await change_series(series, part, LATER, by=rival, now=now, expected_ore=shown.total_ore)
    assert same == series
    assert await clocks(series, rival, now) == ["Tue 19:00"] * 6
    assert await owed(club) == before + shown.difference_ore + shown.fee_ore
    assert "19.00–21.00" in (await series_page(series, rival, now)).rule_text_sv
    codes = await db.column(UUID, "SELECT DISTINCT credential FROM access_grant WHERE gone_ver IS NULL")
    assert codes == [series]
    assert await books_in_order()


async def test_this_and_the_following__become_a_series_that_follows_and_keep_the_code(
    tuesdays: SeriesWish, rival: Actor, now: datetime
) -> None:
    series = await booked(tuesdays, rival, now)
    every = await ids(series)
    other = await change_series(
        series, SeriesPart("following", every[3]), NewTimes(weekday_shift=1), by=rival, now=now
    )
    assert other != series
    assert await clocks(series, rival, now) == ["Tue 18:00"] * 3
    assert await clocks(other, rival, now) == ["Wed 18:00"] * 3
    row = await series_row(other, rival)
    assert (row.follows, row.rrule) == (series, "FREQ=WEEKLY;COUNT=3;BYDAY=WE")
    assert (await series_row(series, rival)).rrule.startswith("FREQ=WEEKLY;UNTIL=")
    codes = await db.column(UUID, "SELECT DISTINCT credential FROM access_grant WHERE gone_ver IS NULL")
    assert codes == [series]


async def test_a_trip_of_a_series_that_was_split_is_late__keeps_the_code_of_the_first(
    tuesdays: SeriesWish, rival: Actor, now: datetime
) -> None:
    series = await booked(tuesdays, rival, now)
    every = await ids(series)
    await change_series(
        series, SeriesPart("following", every[3]), NewTimes(weekday_shift=1), by=rival, now=now
    )
    row = await seen(every[3])
    assert row is not None
    assert row.series != series
    async with db.transaction():
        await leave_door_open(row, row.ends_at + timedelta(hours=2), now)
    codes = await db.column(UUID, "SELECT DISTINCT credential FROM access_grant WHERE gone_ver IS NULL")
    assert codes == [series]


async def test_one_time_is_moved__the_others_changes_leave_it_alone(
    tuesdays: SeriesWish, rival: Actor, now: datetime
) -> None:
    series = await booked(tuesdays, rival, now)
    every = await ids(series)
    await change_series(
        series, SeriesPart("this", every[2]), NewTimes(opens=8 * 60, closes=10 * 60), by=rival, now=now
    )
    given = await db.value(datetime, "SELECT series_start FROM reservation WHERE id = $1", every[2])
    assert given
    assert f"{given.astimezone(SWEDEN):%H:%M}" == "18:00"
    await change_series(series, SeriesPart("all"), LATER, by=rival, now=now)
    assert await clocks(series, rival, now) == [
        "Tue 19:00", "Tue 19:00", "Tue 08:00", "Tue 19:00", "Tue 19:00", "Tue 19:00",
    ]  # fmt: skip


async def test_half_of_it_is_past__all_means_all_ahead(
    tuesdays: SeriesWish, rival: Actor, now: datetime
) -> None:
    series = await booked(tuesdays, rival, now)
    then = now + 3 * WEEK
    await complete_due(then)
    other = await change_series(series, SeriesPart("all"), LATER, by=rival, now=then)
    assert await clocks(series, rival, then) == ["Tue 18:00"] * 3
    assert await clocks(other, rival, then) == ["Tue 19:00"] * 3


async def test_somebody_has_one_of_the_new_times__nothing_moves_unless_it_is_skipped(
    tuesdays: SeriesWish, hall: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    series = await booked(tuesdays, rival, now)
    every = await ids(series)
    second = (await series_page(series, rival, now)).occurrences[1]
    await held(hall, Span(second.end, second.end + timedelta(hours=1)), eva, now)
    shown = await preview_change(series, SeriesPart("all"), LATER, by=rival, now=now)
    assert [one.status for one in shown.occurrences].count("taken") == 1
    with pytest.raises(SlotTaken) as refused:
        await change_series(series, SeriesPart("all"), LATER, by=rival, now=now)
    assert len(refused.value.extra["occurrence"]) == 1
    assert await clocks(series, rival, now) == ["Tue 18:00"] * 6
    await change_series(series, SeriesPart("all"), LATER, by=rival, now=now, skip=frozenset({every[1]}))
    assert (await clocks(series, rival, now)).count("Tue 19:00") == 5


async def test_ended_from_here_on__one_message_and_the_rule_says_so(
    tuesdays: SeriesWish, club: UUID, rival: Actor, now: datetime
) -> None:
    series = await booked(tuesdays, rival, now)
    every, before = await ids(series), await owed(club)
    part = SeriesPart("following", every[2])
    shown = await preview_cancel(series, part, by=rival, now=now)
    await cancel_series(series, part, by=rival, now=now, reason="Laget är upplöst")
    assert await ids(series) == every[:2]
    assert await owed(club) == before - shown.released_ore + shown.fee_ore
    told = await db.column(str, "SELECT payload FROM outbox WHERE kind LIKE 'message%'")
    assert sum("booking_cancelled" in one for one in told) == 1
    assert "6 gånger" not in (await series_page(series, rival, now)).rule_text_sv
    await cancel_series(series, SeriesPart("all"), by=rival, now=now)
    assert (await series_page(series, rival, now)).ended_at == now
    assert await books_in_order()


async def test_one_time_is_ended__it_becomes_an_exception(
    tuesdays: SeriesWish, rival: Actor, eva: Actor, now: datetime
) -> None:
    series = await booked(tuesdays, rival, now)
    every = await ids(series)
    with pytest.raises(NotFound):
        await cancel_series(series, SeriesPart("this", every[1]), by=eva, now=now)
    await cancel_series(series, SeriesPart("this", every[1]), by=rival, now=now)
    assert len(await ids(series)) == 5
    assert "utom 1 december" in (await series_page(series, rival, now)).rule_text_sv


async def test_a_time_is_added__charged_and_opened_by_the_same_code(
    tuesdays: SeriesWish, club: UUID, rival: Actor, now: datetime
) -> None:
    series = await booked(tuesdays, rival, now)
    before = await owed(club)
    extra = Wall(tuesdays.first.day + timedelta(days=3), 17 * 60, 19 * 60)
    await add_date(series, extra, by=rival, now=now)
    page = await series_page(series, rival, now)
    assert len(page.occurrences) == 7
    assert "även 27 november" in page.rule_text_sv
    assert await owed(club) > before
    codes = await db.column(UUID, "SELECT DISTINCT credential FROM access_grant WHERE gone_ver IS NULL")
    assert codes == [series]
    await change_series(series, SeriesPart("all"), LATER, by=rival, now=now)
    assert sorted(set(await clocks(series, rival, now))) == ["Fri 19:00", "Tue 19:00"]


async def test_a_series_of_something_that_needs_approval__is_a_request_as_a_whole(
    tuesdays: SeriesWish, hall: Resource, rival: Actor, now: datetime
) -> None:
    await rule(hall, needs_approval=True)
    series = await booked(replace(tuesdays, title="Ansökan"), rival, now)
    page = await series_page(series, rival, now)
    assert {one.state for one in page.occurrences} == {"requested"}
    assert await db.value(int, "SELECT count(*) FROM charge") == 0
    assert await db.value(int, "SELECT count(*) FROM occupancy") == 12  # the time is kept until the answer
