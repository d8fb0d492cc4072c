"""Who may book what: asked again when it is known who books, with quotas that hold under a crowd."""

import asyncio
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest

from booking import db, reservations
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer, Wish
from booking.settings import Settings
from booking.span import Span
from tests.reservations.conftest import (
    LogIn,
    day_after,
    held,
    on,
    party,
    price_of,
    refused,
    reserved,
    rule,
    state_of,
    thing,
    told,
    visitor,
)


async def test_a_visitor_holds_what_only_clubs_may__the_person_who_logs_in_is_refused(
    hall: Resource, eva: Actor, rival: Actor, now: datetime
) -> None:
    await rule(hall, kinds=["association"])
    guest = visitor()
    hold = await held(hall, on(day_after(now, 2), "18:00"), guest, now, Customer(home="2401"))
    assert guest.session is not None
    await reservations.adopt_holds(guest.session, by=rival)
    own = Customer(rival.party)
    assert await refused(reserved(hold, "card", rival, now)) == "not_for_you"
    assert await refused(reservations.change_hold(hold, own, None, by=rival, now=now)) == "not_for_you"
    club = Customer(await party("Levar IF"))
    await reservations.change_hold(hold, club, "training", by=rival, now=now)
    await reserved(hold, "invoice", rival, now)
    assert await refused(held(hall, on(day_after(now, 3), "18:00"), eva, now)) == "not_for_you"


@pytest.mark.parametrize(
    ("born", "code"), [(date(2008, 11, 25), None), (date(2008, 11, 26), "too_young"), (None, "age_unknown")]
)
async def test_an_age_limit__is_judged_on_the_day_of_use(
    hall: Resource, eva: Actor, now: datetime, born: date | None, code: str | None
) -> None:
    await rule(hall, min_age=18)
    await db.run("UPDATE party SET born = $2 WHERE id = $1", eva.party, born)
    attempt = held(hall, on(date(2026, 11, 25), "18:00"), eva, now)
    if code is None:
        assert await attempt
    else:
        assert await refused(attempt) == code


async def test_purposes_and_drivers__are_asked_too(hall: Resource, eva: Actor, now: datetime) -> None:
    await rule(hall, purposes=["match"])
    span = on(day_after(now, 2), "18:00")
    assert await refused(held(hall, span, eva, now)) == "wrong_purpose"
    await rule(hall, purposes=None, needs_driver=True)
    assert await refused(held(hall, span, eva, now)) == "driver_unknown"
    await db.run(
        "INSERT INTO driver (id, account, municipality, classes, valid_to, checked_at)"
        " VALUES (gen_random_uuid(), $1, '2401', 'B', $2, $3)",
        eva.account,
        span.start.date(),
        now,
    )
    await reserved(await held(hall, span, eva, now), "card", eva, now)


async def test_residents_first__a_neighbour_waits_the_days_that_residents_have(
    hall: Resource, eva: Actor, log_in: LogIn, now: datetime
) -> None:
    await rule(hall, opens_on=now.date(), own_first_days=7)
    span, olle = on(day_after(now, 20), "18:00"), await log_in("olle@demo.test")
    guest = visitor()
    for who, customer in ((olle, Customer(olle.party)), (guest, Customer(home="2284"))):
        assert await refused(held(hall, span, who, now, customer)) == "not_open_yet"
    hold = await held(hall, span, guest, now, Customer(home="2401"))  # says that they live here
    assert guest.session is not None
    await reservations.adopt_holds(guest.session, by=olle)
    assert await refused(reserved(hold, "card", olle, now)) == "not_open_yet"
    await reservations.release_hold(hold, by=olle, now=now)
    await held(hall, span, eva, now)


async def test_terms__the_version_in_force_is_accepted_or_nothing_is_booked(
    hall: Resource, rival: Actor, now: datetime
) -> None:
    await rule(hall, terms="2026-2")
    club = await party("Levar IF")
    hold = await held(hall, on(day_after(now, 2), "18:00"), rival, now, Customer(club))
    shown = (await reservations.held(hold, rival, now)).terms
    assert shown is not None
    assert (shown.municipality, shown.version) == ("2401", "2026-2")
    assert await refused(reserved(hold, "invoice", rival, now)) == "terms_not_accepted"
    made = await reservations.reserve(
        hold, method="invoice", expected_ore=await price_of(hold), by=rival, now=now, return_url="",
        terms_version=shown.version,
    )  # fmt: skip
    page = await reservations.page(made, rival, now)
    assert page.terms is not None
    assert page.terms.version == "2026-2"


async def test_a_quota_a_week__counts_from_monday_to_sunday_in_sweden(
    hall: Resource, rival: Actor, now: datetime
) -> None:
    await rule(hall, quota_week=2)
    club = Customer(await party("Levar IF"))
    sunday, monday = date(2026, 12, 6), date(2026, 12, 7)
    for day in (date(2026, 12, 1), sunday):
        await reserved(await held(hall, on(day, "20:00"), rival, now, club), "invoice", rival, now)
    assert await refused(held(hall, on(date(2026, 12, 3), "18:00"), rival, now, club)) == "quota_week"
    assert await held(hall, on(monday, "08:00"), rival, now, club)
    assert await held(hall, on(date(2026, 12, 3), "18:00"), rival, now, Customer(rival.party))


async def test_five_want_the_last_of_a_quota_at_once__one_gets_it(
    hall: Resource, log_in: LogIn, now: datetime
) -> None:
    await rule(hall, quota_open=1)
    club = await party("Levar IF")
    holds = []
    for number in range(5):
        ali = await log_in("ali@demo.test")
        guest = Actor(account=ali.account, session=ali.session, party=ali.party, acts_for=ali.acts_for)
        span = on(day_after(now, 2 + number % 3), "16:00" if number < 3 else "19:00", 60)
        holds.append((await held(hall, span, guest, now, Customer(home="2401")), guest))
    ends = await asyncio.gather(
        *(_reserve_for(hold, club, who, now) for hold, who in holds), return_exceptions=True
    )
    codes = [getattr(end, "code", "reserved") for end in ends]
    assert sorted(codes) == ["quota_open"] * 4 + ["reserved"]


async def _reserve_for(hold: UUID, club: UUID, by: Actor, now: datetime) -> None:
    await reservations.change_hold(hold, Customer(club), "training", by=by, now=now)
    await reserved(hold, "invoice", by, now)


async def test_staff_book_for_somebody_beyond_the_rules__the_journal_knows_why(
    hall: Resource, clerk: Actor, eva: Actor, now: datetime
) -> None:
    await rule(hall, horizon_days=10, quota_open=1, needs_approval=True)
    club = await party("Levar IF")
    span = on(day_after(now, 30), "18:00")
    wish = Wish(hall.id, span, "training", Customer(club))
    assert await refused(reservations.hold(wish, by=clerk, now=now)) == "may_not_act_for"
    why = Wish(hall.id, span, "training", Customer(club), reason="Distriktsmästerskap")
    assert await refused(reservations.hold(why, by=eva, now=now)) == "may_not_waive"
    made = await reserved(await reservations.hold(why, by=clerk, now=now), "invoice", clerk, now)
    assert await state_of(made) == "confirmed"  # who decides has decided
    assert "reservation.rules_waived" in await told(made)
    assert await db.value(str, "SELECT data::json->>'reason' FROM journal WHERE about = $1 AND data LIKE '%Distrikt%'", made)  # fmt: skip
    assert await refused(reservations.hold(why, by=clerk, now=now)) == "slot_taken"  # never beyond occupation
    early = Wish(hall.id, on(day_after(now, 31), "03:00"), "training", Customer(club), reason="x")
    assert await refused(reservations.hold(early, by=clerk, now=now)) == "outside_hours"


async def test_the_notice_runs_out_while_the_hold_lasts__it_can_still_be_booked(
    hall: Resource, rival: Actor, now: datetime
) -> None:
    span = on(day_after(now, 2), "18:00")
    await rule(hall, notice_min=int((span.start - now) / timedelta(minutes=1)))
    hold = await held(hall, span, rival, now, Customer(await party("Levar IF")))
    later = now + timedelta(minutes=9)
    await reserved(hold, "invoice", rival, later)
    assert await refused(held(hall, Span(span.start, span.end), rival, later)) == "too_late"


async def test_the_other_towns_staff__waive_nothing_here(
    town: Settings, hall: Resource, log_in: LogIn, now: datetime
) -> None:
    olle = await log_in("olle@demo.test")
    wish = Wish(hall.id, on(day_after(now, 2), "18:00"), "training", Customer(olle.party), reason="x")
    assert await refused(reservations.hold(wish, by=olle, now=now)) == "may_not_waive"
    assert (await thing("Norrskenshallen", "Hela hallen")).id == hall.id
