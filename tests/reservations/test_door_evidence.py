"""What the doors say of a booking that is over, beside the note whether its time was used: for staff alone."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from booking import db, places, reservations
from booking.feeds.facts import event_data
from booking.people import Actor, Role
from booking.places import Resource
from booking.reservations import Customer
from booking.span import Span
from tests.reservations.conftest import (
    LogIn,
    charges_of,
    day_after,
    held,
    on,
    party,
    refused,
    reserved,
    thing,
)

FACT = (
    "INSERT INTO door_fact (reservation, first_entry_at, last_use_at, never_used, overtime_s, held_s, forced,"
    " is_final, settled_at) VALUES ($1, $2, $3, $4, $5, $6, $7, true, now())"
)


@pytest.fixture
def span(now: datetime) -> Span:
    return on(day_after(now, 2), "18:00")


async def told(made: UUID, *facts: object) -> None:
    await db.run(FACT, made, *facts)


async def test_the_owners_staff__see_what_the_doors_say_and_the_booker_does_not(
    hall: Resource, span: Span, rival: Actor, clerk: Actor, log_in: LogIn, now: datetime
) -> None:
    made = await reserved(
        await held(hall, span, rival, now, Customer(await party("Levar IF"))), "invoice", rival, now
    )
    over = span.end + timedelta(hours=1)
    assert (await reservations.page(made, clerk, over)).door_evidence is None
    came, left = span.start - timedelta(minutes=8), span.end + timedelta(minutes=25)
    await told(made, came, left, False, 1_500, 720, 1)

    seen = (await reservations.page(made, clerk, over)).door_evidence
    assert seen is not None
    assert (seen.first_entry_at, seen.last_use_at, seen.never_used, seen.suggests) == (
        came,
        left,
        False,
        "used",
    )
    assert (seen.overtime_s, seen.held_s, seen.forced, seen.no_show_fee_ore) == (1_500, 720, 1, 0)
    assert (await reservations.page(made, rival, over)).door_evidence is None
    data = await event_data("access.settled", made)
    assert data["reservation_id"] == made
    assert data["door_facts"] == {
        "first_entry_at": came, "last_use_at": left, "never_used": False, "overtime_s": 1_500, "held_s": 720,
        "forced": 1, "is_final": True, "doubt": None,
    }  # fmt: skip
    assert "door_facts" not in await event_data("reservation.completed", made)
    assert (await reservations.page(made, clerk, span.end - timedelta(minutes=1))).door_evidence is None


async def test_nobody_came_to_a_free_time__suggests_a_no_show_with_the_lists_fee_and_charges_nothing(
    span: Span, log_in: LogIn, now: datetime, town: object
) -> None:
    club = await party("Vännäs Innebandy")
    admin = await log_in("admin@demo.test")
    coach = Actor(account=admin.account, session=admin.session, party=admin.party, acts_for=frozenset({club}))
    place = await thing("Vännäs idrottshall", "Hela hallen")
    made = await reserved(await held(place, span, coach, now, Customer(club)), "free", coach, now)
    await told(made, None, None, True, 0, 0, 0)
    seen = (await reservations.page(made, admin, span.end)).door_evidence

    assert seen is not None
    assert (seen.suggests, seen.doubt, seen.no_show_fee_ore > 0) == ("no_show", None, True)
    charged = await db.value(int, "SELECT count(*) FROM charge WHERE source = $1 AND kind = 'no_show'", made)
    assert charged == 0
    await reservations.note_usage(made, "no_show", by=admin, now=span.end)
    fee = await db.value(int, "SELECT total_ore FROM charge WHERE source = $1 AND kind = 'no_show'", made)
    assert fee == seen.no_show_fee_ore


async def test_an_unproved_absence__suggests_nothing_and_says_why(
    hall: Resource, span: Span, rival: Actor, clerk: Actor, now: datetime
) -> None:
    made = await reserved(await held(hall, span, rival, now), "card", rival, now)
    await db.run("UPDATE reservation SET state = 'confirmed' WHERE id = $1", made)
    await told(made, None, None, None, 0, 0, 0)
    await db.run(
        "INSERT INTO journal (at, action, about, topics, data) VALUES (now(), 'access.settled', $1, '{}',"
        ' \'{"doubt": "door_open"}\')',
        made,
    )
    seen = (await reservations.page(made, clerk, span.end)).door_evidence
    assert seen is not None
    assert (seen.never_used, seen.suggests, seen.doubt) == (None, None, "door_open")


@pytest.fixture
async def umea(town: object, log_in: LogIn) -> tuple[Resource, Actor]:
    """A hall whose list asks 500 kr an hour for use of unbooked time, and its staff."""
    admin = await log_in("admin@demo.test")
    place = await db.value(
        UUID,
        "SELECT r.id FROM resource r JOIN facility f ON f.id = r.facility WHERE f.municipality = '2480'"
        " AND r.kind = 'hall' AND r.tariff_class = 'hall_a' ORDER BY r.id LIMIT 1",
    )
    assert place is not None
    clerk = Actor(account=admin.account, session=admin.session, roles=frozenset({("2480", Role.STAFF)}))
    return await places.resource(place), clerk


async def test_overtime_that_the_doors_prove__costs_what_the_list_asks_when_staff_ask_for_it(
    umea: tuple[Resource, Actor], span: Span, rival: Actor, now: datetime
) -> None:
    place, admin = umea
    club = Customer(await party("Levar IF"))
    made = await reserved(await held(place, span, rival, now, club), "invoice", rival, now)
    over = span.end + timedelta(hours=6)
    assert await refused(reservations.charge_overtime(made, True, by=admin, now=over)) == "no_overtime"
    await told(made, span.start, span.end + timedelta(minutes=90), False, 5_430, 0, 0)
    seen = (await reservations.page(made, admin, over)).door_evidence
    assert seen is not None
    assert (seen.overtime_fee_ore, seen.overtime_charged) == (750_00, False)
    assert len(await charges_of(made)) == 1

    assert await refused(reservations.charge_overtime(made, True, by=rival, now=over)) == "not_found"
    for _ in range(2):
        await reservations.charge_overtime(made, True, by=admin, now=over)
    assert (await charges_of(made))[1:] == ["penalty open 75000"]
    seen = (await reservations.page(made, admin, over)).door_evidence
    assert seen is not None
    assert seen.overtime_charged
    await reservations.charge_overtime(made, False, by=admin, now=over)
    assert (await charges_of(made))[1].startswith("penalty waived")
    await reservations.charge_overtime(made, True, by=admin, now=over)
    assert (await charges_of(made))[2:] == ["penalty open 75000"]


async def test_overtime_where_the_list_has_no_such_fee_or_the_doors_have_more_to_tell__costs_nothing(
    hall: Resource, umea: tuple[Resource, Actor], span: Span, rival: Actor, clerk: Actor, now: datetime
) -> None:
    club, (place, admin) = Customer(await party("Levar IF")), umea
    over = span.end + timedelta(hours=6)
    free = await reserved(await held(hall, span, rival, now, club), "invoice", rival, now)
    early = await reserved(await held(place, span, rival, now, club), "invoice", rival, now)
    for made in (free, early):
        await told(made, span.start, span.end + timedelta(minutes=90), False, 5_400, 0, 0)
    await db.run("UPDATE door_fact SET is_final = false WHERE reservation = $1", early)
    for made, by in ((free, clerk), (early, admin)):
        assert await refused(reservations.charge_overtime(made, True, by=by, now=over)) == "no_overtime"
        assert len(await charges_of(made)) == 1
