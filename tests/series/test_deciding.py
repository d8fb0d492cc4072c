"""A requested series: one decision for all of its times, one message, one event, and nobody's time given twice."""

import asyncio
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from booking import db, reservations
from booking.errors import Refusal
from booking.people import Actor
from booking.places import Resource
from booking.reservations import (
    NewTimes,
    RequestCard,
    SeriesPart,
    SeriesWish,
    SlotTaken,
    approve,
    approve_series,
    change_series,
    reject_series,
    series_page,
    tell_overdue,
)
from booking.span import Span
from tests.reservations.conftest import (
    LogIn,
    books_in_order,
    held,
    party,
    pool_of,
    refused,
    reserved,
    rule,
    state_of,
    told,
)
from tests.series.test_booking import booked
from tests.series.test_race import NO_OVERLAP

URL = "http://127.0.0.1:9/{id}"


class Told(msgspec.Struct):
    """A message that is owed, as the outbox has it."""

    template: str
    about: UUID
    data: dict[str, object]
    staff: list[str] = []


async def messages_after(known: int) -> list[Told]:
    """Return the messages that have been owed since there were so many."""
    found = await db.column(str, "SELECT payload FROM outbox WHERE kind = 'message.owe' ORDER BY id")
    return [msgspec.json.decode(one, type=Told) for one in found[known:]]


async def owed_so_far() -> int:
    return len(await messages_after(0))


async def times(series: UUID, state: str) -> list[UUID]:
    return await db.column(
        UUID, "SELECT id FROM reservation WHERE series = $1 AND state = $2 ORDER BY starts_at", series, state
    )


async def queue(by: Actor, now: datetime, **more: object) -> tuple[list[RequestCard], int]:
    asked: dict[str, object] = {"municipality": "2401", "state": "open", "limit": 50, "offset": 0, **more}
    return await reservations.requests(by, now=now, **asked)  # type: ignore[arg-type]


@pytest.fixture
async def asked(hall: Resource, tuesdays: SeriesWish, rival: Actor, now: datetime) -> UUID:
    """Nordmalings IBK asks for six Tuesdays; their time is kept."""
    await rule(hall, needs_approval=True)
    return await booked(tuesdays, rival, now)


@pytest.fixture
async def loose(hall: Resource, tuesdays: SeriesWish, rival: Actor, now: datetime) -> UUID:
    """Nordmalings IBK asks for six Tuesdays; their time is not kept."""
    await rule(hall, needs_approval=True, pending_holds=False)
    return await booked(tuesdays, rival, now)


async def test_all_granted__confirmed_charged_and_promised_with_one_code_and_one_message(
    asked: UUID, club: UUID, clerk: Actor, now: datetime
) -> None:
    every, known = await times(asked, "requested"), await owed_so_far()
    events = "SELECT count(*) FROM journal WHERE 'timeline:2401' = ANY(topics)"
    before = await db.value(int, events) or 0
    answer = await approve_series(asked, by=clerk, now=now, reason="Välkomna")
    assert (answer.approved, answer.rejected, answer.waiting, answer.missed) == (6, 0, 0, [])
    assert await times(asked, "confirmed") == every
    page = await series_page(asked, clerk, now)
    owed = "SELECT coalesce(sum(total_ore), 0)::bigint FROM charge WHERE party = $1 AND state = 'open'"
    assert await db.value(int, owed, club) == page.total_ore > 0
    assert await db.value(int, "SELECT count(DISTINCT source) FROM charge") == 6
    assert await db.column(UUID, "SELECT DISTINCT credential FROM access_grant") == [asked]
    assert await db.value(int, "SELECT count(DISTINCT reservation) FROM access_grant") == 6
    assert await db.value(int, "SELECT count(*) FROM occupancy") == 12
    for one in every:
        assert (await told(one))[-2:] == ["reservation.approved", "reservation.confirmed"]
    assert (await told(asked))[-1] == "series.approved"
    assert (await db.value(int, events) or 0) - before == 1
    (message,) = await messages_after(known)
    assert (message.template, message.data["count"], message.data["reason"]) == (
        "series_confirmed",
        6,
        "Välkomna",
    )
    assert (message.data["waiting_at"], message.data["given_away_at"]) == (None, None)
    assert await refused(approve_series(asked, by=clerk, now=now)) == "already_decided"
    assert await refused(reject_series(asked, by=clerk, now=now, reason="x")) == "already_decided"
    assert await books_in_order()


async def test_all_refused__the_times_are_free_and_one_message_says_so(
    asked: UUID, hall: Resource, eva: Actor, clerk: Actor, now: datetime
) -> None:
    known = await owed_so_far()
    answer = await reject_series(asked, by=clerk, now=now, reason="Golvet slipas")
    assert (answer.approved, answer.rejected, answer.waiting) == (0, 6, 0)
    page = await series_page(asked, clerk, now)
    assert {(one.state, one.request.decision if one.request else "") for one in page.occurrences} == {
        ("rejected", "Golvet slipas")
    }
    assert (page.ended_at, page.can) == (now, [])
    assert await db.value(int, "SELECT count(*) FROM occupancy") == 0
    assert await db.value(int, "SELECT count(*) FROM charge") == 0
    (message,) = await messages_after(known)
    assert (message.template, message.data["count"], message.data["reason"]) == (
        "request_decided",
        6,
        "Golvet slipas",
    )
    first = page.occurrences[0]
    assert await held(hall, Span(first.start, first.end), eva, now)


@pytest.mark.parametrize("taken", ["keep", "reject"])
async def test_somebody_has_two_of_the_times__they_are_named_and_wait_or_are_given_away(
    taken: str, loose: UUID, hall: Resource, eva: Actor, clerk: Actor, now: datetime
) -> None:
    page = await series_page(loose, clerk, now)
    theirs = [page.occurrences[n] for n in (1, 4)]
    await rule(hall, needs_approval=False)
    for one in theirs:
        await reserved(await held(hall, Span(one.start, one.end), eva, now), "card", eva, now)
    known = await owed_so_far()
    answer = await approve_series(loose, by=clerk, now=now, taken=taken)  # type: ignore[arg-type]
    assert [one.reservation_id for one in answer.missed] == [one.id for one in theirs]
    assert (answer.approved, answer.rejected + answer.waiting) == (4, 2)
    state = "requested" if taken == "keep" else "rejected"
    assert await times(loose, state) == [one.id for one in theirs]
    assert len(await times(loose, "confirmed")) == 4
    (message,) = await messages_after(known)
    named = message.data["waiting_at" if taken == "keep" else "given_away_at"]
    assert isinstance(named, list)
    assert [datetime.fromisoformat(one) for one in named] == [one.start for one in theirs]
    assert await db.value(int, NO_OVERLAP) == 0
    assert await db.value(int, "SELECT count(DISTINCT source) FROM charge") == 4
    if taken == "keep":  # nothing is left that could be had: it says so, and nothing changes
        with pytest.raises(SlotTaken) as nothing:
            await approve_series(loose, by=clerk, now=now)
        assert len(nothing.value.extra["occurrence"]) == 2
        assert await times(loose, "requested") == [one.id for one in theirs]


async def test_one_time_was_answered_by_itself__the_decision_is_about_the_others(
    asked: UUID, clerk: Actor, rival: Actor, now: datetime
) -> None:
    every = await times(asked, "requested")
    await approve(every[2], by=clerk, now=now, return_url=URL)
    await reservations.cancel(every[4], by=rival, now=now)
    answer = await approve_series(asked, by=clerk, now=now)
    assert answer.approved == 4
    assert await state_of(every[4]) == "cancelled"
    assert await db.value(int, "SELECT count(DISTINCT source) FROM charge") == 5
    assert await db.column(UUID, "SELECT DISTINCT credential FROM access_grant") == [asked]
    assert await db.value(int, "SELECT count(DISTINCT reservation) FROM access_grant") == 5


async def test_another_series_wants_the_same__its_times_are_given_away_with_one_message(
    loose: UUID, tuesdays: SeriesWish, rival: Actor, clerk: Actor, now: datetime
) -> None:
    levar = await party("Levar IF")
    other = await booked(replace(tuesdays, party=levar, rrule="FREQ=WEEKLY;BYDAY=TU;COUNT=8"), rival, now)
    cards, total = await queue(clerk, now)
    assert (total, len(cards)) == (2, 2)
    mine = next(one.whole for one in cards if one.whole and one.whole.id == loose)
    assert (mine.count, mine.taken) == (6, 0)
    assert [(one.name, one.count) for one in mine.rivals] == [("Levar IF", 6)]
    known = await owed_so_far()
    await approve_series(loose, by=clerk, now=now, others="reject")
    assert (len(await times(other, "rejected")), len(await times(other, "requested"))) == (6, 2)
    assert Counter(one.template for one in await messages_after(known)) == {
        "series_confirmed": 1,
        "request_decided": 1,
    }
    cards, total = await queue(clerk, now)
    assert (total, cards[0].whole and cards[0].whole.count) == (1, 2)


@pytest.mark.parametrize("email", ["ali@demo.test", "eva@demo.test", "olle@demo.test", "filip@demo.test"])
async def test_others_than_the_owners_staff__decide_nothing(
    email: str, asked: UUID, log_in: LogIn, now: datetime
) -> None:
    who = await log_in(email)
    assert await refused(approve_series(asked, by=who, now=now)) == "not_found"
    assert await refused(reject_series(asked, by=who, now=now, reason="x")) == "not_found"
    assert len(await times(asked, "requested")) == 6


async def test_a_pools_unit_went_meanwhile__another_one_is_granted(
    hall: Resource, tuesdays: SeriesWish, rival: Actor, eva: Actor, clerk: Actor, now: datetime
) -> None:
    lanes = await pool_of(hall, "Bana", "lane", 2, "norrskenshallen.badminton")
    await db.run(
        "UPDATE effective_rule SET needs_approval = true, pending_holds = false WHERE resource IN"
        " (SELECT id FROM resource WHERE id = $1 OR parent = $1)",
        lanes.id,
    )
    await rule(lanes, needs_approval=True, pending_holds=False)
    series = await booked(replace(tuesdays, resource_id=lanes.id), rival, now)
    await db.run("UPDATE reservation SET state = 'requested', answer_by = $2 WHERE series = $1", series, now)
    await db.run("DELETE FROM occupancy")
    second = (await series_page(series, clerk, now)).occurrences[1]
    await held(lanes, Span(second.start, second.end), eva, now)
    taken = await db.value(UUID, "SELECT resource FROM reservation WHERE state = 'held'")
    unit = await db.value(UUID, "SELECT resource FROM reservation WHERE id = $1", second.id)
    answer = await approve_series(series, by=clerk, now=now)
    assert answer.approved == 6
    now_at = await db.value(UUID, "SELECT resource FROM reservation WHERE id = $1", second.id)
    assert now_at != taken
    assert (now_at != unit) == (unit == taken)
    assert await db.value(int, NO_OVERLAP) == 0


async def test_decided_from_two_desks_while_the_club_changes_it__one_decision_stands(
    asked: UUID, clerk: Actor, rival: Actor, now: datetime
) -> None:
    later = NewTimes(opens=19 * 60, closes=21 * 60)
    answers = await asyncio.gather(
        approve_series(asked, by=clerk, now=now),
        reject_series(asked, by=clerk, now=now, reason="Nej"),
        approve_series(asked, by=clerk, now=now),
        change_series(asked, SeriesPart("all"), later, by=rival, now=now),
        approve((await times(asked, "requested"))[0], by=clerk, now=now, return_url=URL),
        return_exceptions=True,
    )
    assert all(not isinstance(one, BaseException) or isinstance(one, Refusal) for one in answers), answers
    states = Counter(
        await db.column(str, "SELECT state FROM reservation WHERE state <> 'expired' AND series IS NOT NULL")
    )
    assert set(states) <= {"confirmed", "rejected"}
    assert sum(states.values()) == 6
    standing = await db.value(int, "SELECT count(DISTINCT reservation) FROM occupancy")
    assert (
        standing
        == states["confirmed"]
        == await db.value(int, "SELECT count(DISTINCT source) FROM charge WHERE state = 'open'")
    )
    assert await db.value(int, NO_OVERLAP) == 0
    assert await books_in_order()


async def test_a_year_of_times__decided_in_well_under_a_second(
    hall: Resource, tuesdays: SeriesWish, rival: Actor, clerk: Actor, now: datetime
) -> None:
    await rule(hall, needs_approval=True, horizon_days=800)
    year = replace(tuesdays, rrule="FREQ=WEEKLY;COUNT=52")
    series = await booked(year, rival, now)
    asked = await times(series, "requested")
    assert len(asked) > 45
    cards, total = await queue(clerk, now)
    assert (total, cards[0].whole and cards[0].whole.count) == (1, len(asked))
    assert (await queue(clerk, now, series=series))[1] == len(asked)
    begun = time.perf_counter()
    answer = await approve_series(series, by=clerk, now=now)
    took = time.perf_counter() - begun
    assert answer.approved == len(asked)
    assert took < 1.5, f"{took:.2f} s"
    print(f"\napprove_series of {len(asked)}: {took * 1000:.0f} ms")


async def test_the_queue__one_entry_with_its_rule_its_times_behind_it_and_one_decided_entry(
    asked: UUID, hall: Resource, eva: Actor, clerk: Actor, now: datetime
) -> None:
    day = (await series_page(asked, clerk, now)).occurrences[0].start + timedelta(days=1)
    single = await reserved(await held(hall, Span(day, day + timedelta(hours=1)), eva, now), "card", eva, now)
    cards, total = await queue(clerk, now)
    assert (total, {one.id for one in cards if one.whole is None}) == (2, {single})
    (whole,) = (one.whole for one in cards if one.whole is not None)
    assert (whole.count, whole.taken, whole.rivals) == (6, 0, [])
    assert whole.rule_text_sv == "Varje tisdag 18.00–20.00, 6 gånger"
    assert (whole.last - whole.first).days in (34, 35)
    opened, count = await queue(clerk, now, series=asked)
    assert (count, [one.whole for one in opened]) == (6, [None] * 6)
    assert [one.start for one in opened] == sorted(one.start for one in opened)
    await approve_series(asked, by=clerk, now=now)
    done, total = await queue(clerk, now, state="decided")
    assert (total, done[0].whole and (done[0].whole.count, done[0].whole.granted)) == (1, (6, 6))


async def test_not_answered_in_time__staff_hear_once_of_the_whole_series(asked: UUID, now: datetime) -> None:
    known = await owed_so_far()
    assert await tell_overdue(now + timedelta(days=30)) > 1
    assert len(await messages_after(known)) == 1
