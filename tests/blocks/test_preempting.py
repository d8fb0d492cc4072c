"""A match comes before training: early enough, where nothing else is free, and on record."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import pytest

from booking import db
from booking.errors import NotFound
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer, Decision, Match, preempt
from booking.reservations.displacing import NotDisplaceable
from tests.reservations.conftest import books_in_order, day_after, held, on, reserved, rule, state_of


@pytest.fixture
async def training(hall: Resource, rival: Actor, club: UUID, now: datetime) -> UUID:
    """The club trains in the hall in ten days; matches may take its time until seven days before."""
    await rule(hall, preempt_days=7)
    hold = await held(hall, on(day_after(now, 10), "18:00"), rival, now, Customer(club))
    return await reserved(hold, "invoice", rival, now)


@pytest.fixture
def match(club: UUID, now: datetime) -> Match:
    return Match(on(day_after(now, 10), "18:00"), club, "match", "Derby")


async def test_a_match_needs_the_time__the_training_goes_free_of_charge_and_both_are_on_record(
    training: UUID, match: Match, clerk: Actor, now: datetime
) -> None:
    made = await preempt(
        Decision(training, "cancel"), match, "Seriematch", by=clerk, now=now, although_free=True
    )
    assert (await state_of(training), await state_of(made)) == ("cancelled", "confirmed")
    record = await db.value(str, "SELECT reason FROM displacement WHERE by_reservation = $1", made)
    assert record == "Seriematch"
    facts = await db.value(str, "SELECT data FROM journal WHERE action = 'reservation.displaced'")
    assert facts
    assert "other_time_free" in facts
    assert await db.value(int, "SELECT cancel_fee_ore FROM reservation WHERE id = $1", training) == 0
    assert await books_in_order()


async def test_a_like_place_is_free__it_is_offered_and_the_training_stays(
    training: UUID, match: Match, clerk: Actor, now: datetime
) -> None:
    with pytest.raises(NotDisplaceable) as refused:
        await preempt(Decision(training, "cancel"), match, "Seriematch", by=clerk, now=now)
    assert refused.value.code == "other_time_free"
    assert refused.value.extra["alternative"]["start"]
    assert await state_of(training) == "confirmed"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("late", "preempt_too_late"),
        ("meeting", "preempt_purpose"),
        ("no rule", "preempt_not_here"),
    ],
)
async def test_the_rule_does_not_let_it__refused_by_code(
    change: str, code: str, training: UUID, match: Match, clerk: Actor, hall: Resource, now: datetime
) -> None:
    if change == "late":
        await rule(hall, preempt_days=11)
    if change == "no rule":
        await rule(hall, preempt_days=None)
    if change == "meeting":
        match = replace(match, purpose="meeting")
    with pytest.raises(NotDisplaceable) as refused:
        await preempt(
            Decision(training, "cancel"), match, "Seriematch", by=clerk, now=now, although_free=True
        )
    assert refused.value.code == code
    assert await state_of(training) == "confirmed"


async def test_others_than_staff__see_no_such_thing(
    training: UUID, match: Match, rival: Actor, now: datetime
) -> None:
    with pytest.raises(NotFound):
        await preempt(Decision(training, "cancel"), match, "Vi vill", by=rival, now=now, although_free=True)
