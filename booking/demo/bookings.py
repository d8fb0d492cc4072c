"""What is booked in the demonstration: some weeks around today, through the same actions that people use."""

import random
from datetime import date, datetime, timedelta
from uuid import UUID

from booking import billing, db, journal, places, reservations
from booking.clock import SWEDEN, at_local, local_date
from booking.demo.everyday import closure_and_wait, series_asked_for
from booking.demo.places import TOWNS
from booking.demo.season import share_out
from booking.errors import Refusal
from booking.people import Actor
from booking.places import Resource
from booking.reservations import Customer, Wish
from booking.simulated.people import CLUBS, HABITS
from booking.span import Span

CUP_IN_DAYS = 2
WEEKS_BACK, WEEKS_AHEAD = 4, 3


async def book(now: datetime) -> None:
    """Some weeks of bookings around today, then the invoice run of the month that is over."""
    chance = random.Random(2026)  # noqa: S311 plausible, not secret
    clerk = await db.value(UUID, "SELECT id FROM account WHERE email = 'stina@demo.test'")
    parties = await db.rows(
        _Party, "SELECT id, name, home_municipality AS home FROM party WHERE may_be_invoiced"
    )
    by_town = {town.code: await places.resources(municipalities=[town.code]) for town in TOWNS}
    await _cup(by_town["2401"], parties, clerk, now)
    monday = local_date(now) - timedelta(days=now.astimezone(SWEDEN).weekday())
    for number, party in enumerate(parties, start=1):
        print(f"booking as {party.name}, {number} of {len(parties)}", flush=True)
        for resource, weekday, minute, minutes, purpose in _habits(party, by_town, chance):
            for week in range(-WEEKS_BACK, WEEKS_AHEAD):
                day = monday + timedelta(days=7 * week + weekday)
                if chance.random() < 0.92:
                    await _try(resource, day, minute, minutes, purpose, party.id, clerk, now)
    await _requests(by_town["2401"], parties, clerk, now)
    await closure_and_wait(by_town["2401"], CUP_IN_DAYS, now)
    await share_out(now)
    await reservations.complete_due(now)
    over = local_date(now).replace(day=1) - timedelta(days=1)
    for town in TOWNS:
        print(f"invoicing {over:%Y-%m} in {town.name}", flush=True)
        await billing.run_invoices(town.code, f"{over:%Y-%m}", by=Actor.system(), now=now)
    async with db.transaction():
        await journal.record("demo.seeded", about=None, by=Actor.system(), now=now)


class _Party(db.Record):
    id: UUID
    name: str
    home: str


async def _cup(found: list[Resource], parties: list[_Party], clerk: UUID | None, now: datetime) -> None:
    """Nordmalingscupen fills every hall of the town on one evening, so that a neighbour's is worth finding."""
    club = next(one for one in parties if one.name == "Nordmalings IBK")
    day = local_date(now) + timedelta(days=CUP_IN_DAYS)
    for resource in found:
        if resource.kind == "hall":
            await _try(resource, day, 16 * 60, 360, "match", club.id, clerk, now, "Nordmalingscupen")


async def _requests(found: list[Resource], parties: list[_Party], clerk: UUID | None, now: datetime) -> None:
    """Three associations ask for the house that needs approval, two of them for the same Saturday; one for a series."""
    house = next(one for one in found if one.name == "Klubbstugan")
    today = local_date(now)
    saturday = today + timedelta(days=12 - today.weekday())
    clubs = [one for one in parties if one.home == "2401"]
    for club, days, minute in zip(clubs, (0, 7, 7), (840, 720, 1080), strict=False):
        day = saturday + timedelta(days=days)
        await _try(house, day, minute, 240, "event", club.id, clerk, now, "Föreningsfest", "2026-1")
    await series_asked_for(house, now)


Habit = tuple[Resource, int, int, int, str]


def _habits(party: _Party, by_town: dict[str, list[Resource]], chance: random.Random) -> list[Habit]:
    club = next((one for one in CLUBS if one.name == party.name), None)
    if club is not None:
        kinds, purpose = HABITS[club.sport]
        fitting = [one for one in by_town[club.home] if one.kind in kinds]
        evenings = (990, 1020, 1050, 1080, 1110, 1140, 1170)
        times = [(chance.randrange(5), chance.choice(evenings), purpose) for _ in range(2)]
        weekend = "match" if purpose == "training" else purpose
        times.append((chance.choice((5, 6)), chance.choice((540, 600, 660, 780, 840, 900, 1020)), weekend))
        lengths: tuple[int, ...] = (60, 90, 90, 120)
    else:
        fitting = [
            one
            for one in by_town[party.home]
            if one.kind in ("hall", "hall_part", "premises", "vehicle", "bike")
        ]
        times = [
            (chance.randrange(5), chance.choice((480, 540, 600, 660, 780, 840)), "other") for _ in range(4)
        ]
        lengths = (60, 90, 120, 180)
    if not fitting:
        return []
    return [(chance.choice(fitting), day, minute, chance.choice(lengths), why) for day, minute, why in times]


async def _try(
    resource: Resource, day: date, minute: int, minutes: int, purpose: str, party: UUID, clerk: UUID | None,
    now: datetime, title: str | None = None, terms: str | None = None,
) -> None:  # fmt: skip
    """Book it as the clerk would have, some days before; a time that is taken or closed is passed over."""
    start = at_local(day.year, day.month, day.day, minute)
    span = Span(start, start + timedelta(minutes=minutes))
    then = now if terms else min(now, start - timedelta(days=5))
    actor = Actor(account=clerk, party=party, acts_for=frozenset({party}))
    try:
        async with db.transaction():
            wish = Wish(resource.id, span, purpose, Customer(party), title)
            hold = await reservations.hold(wish, by=actor, now=then)
            price = (await reservations.held(hold, actor, then)).price.total_ore
            await reservations.reserve(
                hold,
                method="invoice",
                expected_ore=price,
                by=actor,
                now=then,
                return_url="",
                terms_version=terms,
            )
    except Refusal:
        return
