"""A series: what is shown before, and what is booked at once or not at all."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db, reservations
from booking.errors import NotAllowed, Refusal
from booking.people import Actor
from booking.places import Resource
from booking.reservations.errors import PriceChanged, SlotTaken
from booking.reservations.series import Chosen, SeriesOrder, SeriesPreview, SeriesWish, preview_series
from booking.reservations.series_booking import book_series
from booking.span import Span
from tests.reservations.conftest import books_in_order, held, reserved

WEEK = timedelta(days=7)


def chosen(preview: SeriesPreview) -> list[Chosen]:
    return [Chosen(Span(one.start, one.end)) for one in preview.occurrences if one.reason is None]


async def booked(wish: SeriesWish, by: Actor, now: datetime) -> UUID:
    preview = await preview_series(wish, by=by, now=now)
    return await book_series(SeriesOrder(wish, chosen(preview), "invoice", preview.total_ore), by=by, now=now)


async def test_a_free_autumn__every_time_has_its_price(
    tuesdays: SeriesWish, rival: Actor, now: datetime
) -> None:
    preview = await preview_series(tuesdays, by=rival, now=now)
    assert [one.status for one in preview.occurrences] == ["free"] * 6
    assert preview.free_count == 6
    assert preview.total_ore == sum(one.price_ore or 0 for one in preview.occurrences) > 0


async def test_somebody_has_a_time__it_is_taken_with_the_nearest_instead(
    tuesdays: SeriesWish, hall: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    free = await preview_series(tuesdays, by=rival, now=now)
    second = free.occurrences[1]
    await reserved(await held(hall, Span(second.start, second.end), eva, now), "card", eva, now)
    preview = await preview_series(tuesdays, by=rival, now=now)
    assert [one.status for one in preview.occurrences] == ["free", "taken", *["free"] * 4]
    other = preview.occurrences[1].alternative
    assert preview.occurrences[1].reason == "booked"
    assert other
    assert (other.resource.id, other.start) == (hall.id, second.start - timedelta(hours=2))
    assert other.price_ore


async def test_a_series_is_booked__rows_charges_codes_and_journal_agree(
    tuesdays: SeriesWish, rival: Actor, now: datetime
) -> None:
    series = await booked(tuesdays, rival, now)
    ids = await db.column(
        UUID,
        "SELECT id FROM reservation WHERE series = $1 AND state = 'confirmed' AND series_start = starts_at",
        series,
    )
    assert len(ids) == 6
    for question in (
        "SELECT count(*) FROM charge WHERE source = ANY($1) AND state = 'open'",
        "SELECT count(DISTINCT reservation) FROM access_grant WHERE reservation = ANY($1)",
        "SELECT count(*) FROM journal WHERE about = ANY($1) AND action = 'reservation.confirmed'",
    ):
        assert await db.value(int, question, ids) == 6, question
    assert await db.value(int, "SELECT count(*) FROM occupancy WHERE reservation = ANY($1)", ids) == 12
    assert await books_in_order()


async def test_one_time_was_taken_meanwhile__it_is_named_and_nothing_is_booked(
    tuesdays: SeriesWish, hall: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    preview = await preview_series(tuesdays, by=rival, now=now)
    order = SeriesOrder(tuesdays, chosen(preview), "invoice", preview.total_ore)
    third = preview.occurrences[2]
    await held(hall, Span(third.start, third.end), eva, now)
    with pytest.raises(SlotTaken) as refused:
        await book_series(order, by=rival, now=now)
    assert [one["start"] for one in refused.value.extra["occurrence"]] == [third.start]
    assert await db.value(int, "SELECT count(*) FROM series") == 0
    assert await db.value(int, "SELECT count(*) FROM reservation WHERE series IS NOT NULL") == 0


async def test_an_alternative_is_chosen__it_remembers_the_time_it_replaces(
    tuesdays: SeriesWish, hall: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    free = await preview_series(tuesdays, by=rival, now=now)
    second = free.occurrences[1]
    await held(hall, Span(second.start, second.end), eva, now)
    preview = await preview_series(tuesdays, by=rival, now=now)
    other = preview.occurrences[1].alternative
    assert other
    wanted = [*chosen(preview), Chosen(Span(other.start, other.end), other.resource.id)]
    total = preview.total_ore + (other.price_ore or 0)
    series = await book_series(SeriesOrder(tuesdays, wanted, "invoice", total), by=rival, now=now)
    moved = await db.value(
        datetime,
        "SELECT series_start FROM reservation WHERE series = $1 AND series_start <> starts_at",
        series,
    )
    assert moved == second.start


@pytest.mark.parametrize("field", ["price", "stranger", "day", "party"])
async def test_what_was_not_shown__is_refused(
    field: str, tuesdays: SeriesWish, eva: Actor, rival: Actor, now: datetime
) -> None:
    preview = await preview_series(tuesdays, by=rival, now=now)
    order = SeriesOrder(tuesdays, chosen(preview), "invoice", preview.total_ore)
    if field == "price":
        with pytest.raises(PriceChanged):
            await book_series(replace(order, expected_ore=1), by=rival, now=now)
    elif field == "stranger":
        with pytest.raises(NotAllowed):
            await book_series(order, by=eva, now=now)
    elif field == "day":
        strange = Chosen(Span(preview.occurrences[0].start + WEEK / 7, preview.occurrences[0].end + WEEK / 7))
        with pytest.raises(Refusal, match="no time of this series"):
            await book_series(replace(order, chosen=[strange]), by=rival, now=now)
    else:
        with pytest.raises(NotAllowed):
            await preview_series(tuesdays, by=eva, now=now)
    assert await reservations.expire_due(now) == 0
    assert await db.value(int, "SELECT count(*) FROM reservation") == 0
