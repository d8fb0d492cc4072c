"""Lays the demonstration's ground: facilities with rules, hours, resources, leaves and doors, as rows.

What follows from rules and hours is derived once, when everything is there (booking.demo.seed.found).
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID

from booking import db, locks
from booking.demo.things import Clock, Day, OtherDays, Place, Rule, Season, Thing, Town
from booking.ids import new_id
from booking.people import Actor

LONG_AGO = date(2000, 1, 1)
TERMS = ("2026-1", "Villkor för kommunens lokaler: var rädd om lokalen, betala i tid, avboka i tid.",
         "Terms of the municipality's premises: take care of them, pay and cancel in time.")  # fmt: skip
ORDINARY = {"step_min": 30, "min_min": 60, "max_min": 720, "horizon_days": 365}
Owner = tuple[str | None, UUID | None, UUID | None]  # municipality, facility, resource


async def town_rules(town: Town, now: datetime) -> None:
    """The town has its rules, terms, exceptions and school breaks."""
    await db.run(
        "INSERT INTO terms (id, municipality, version, text_sv, text_en, published_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        new_id(), town.code, *TERMS, now,
    )  # fmt: skip
    owner: Owner = (town.code, None, None)
    await _rules(owner, {**ORDINARY, **town.rules}, now)
    await _exceptions(owner, town.exceptions, now)
    for name, first, last in _school_breaks(town, now):
        await db.run(
            "INSERT INTO school_break (id, municipality, name, from_day, to_day) VALUES ($1, $2, $3, $4, $5)",
            new_id(), town.code, name, first, last,
        )  # fmt: skip


def _school_breaks(town: Town, now: datetime) -> Iterable[tuple[str, date, date]]:
    for year in _years(now):
        for name, week in (("Sportlov", town.sport_break), ("Höstlov", 44)):
            monday = date.fromisocalendar(year, week, 1)
            yield name, monday, monday + timedelta(days=4)
        yield "Sommarlov", date(year, 6, 15), date(year, 8, 16)
        yield "Jullov", date(year, 12, 21), date(year + 1, 1, 8)


def _years(now: datetime) -> range:
    return range(now.year - 1, now.year + 3)


async def lay(place: Place, now: datetime, keys: dict[str, locks.Enrolment]) -> None:
    """The facility stands with all that is in it, its doors and its controller."""
    facility, slug = new_id(), slug_of(place.name)
    await db.run(
        "INSERT INTO facility (id, municipality, slug, name, address, lat, lon, description, access_text,"
        " accessibility) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        facility, place.town, slug, place.name, place.address, place.lat, place.lon, place.description,
        place.access_text, place.accessibility,
    )  # fmt: skip
    owner: Owner = (None, facility, None)
    await _rules(owner, place.rules, now)
    await _hours(owner, place, now)
    await _exceptions(owner, place.exceptions, now)
    made = await _things(place, facility, slug, now)
    controller = f"{place.town}-{slug}"[:32].rstrip("-")
    keys[controller] = await locks.enrol(
        controller, facility=facility, by=Actor.system(), now=now, simulated=True
    )
    for number, (name, behind) in enumerate(place.doors.items(), start=1):
        door = await locks.add_door(controller, f"d{number}", name)
        for thing in made if behind is None else behind:
            if behind is not None or not _has_own_door(place, thing):
                await locks.allow(made[thing], door)


def _has_own_door(place: Place, thing: str) -> bool:
    """True if a key cabinet leads to the thing, so that the entrance need not."""
    return any(
        behind is not None and thing in behind and name == "Nyckelskåp"
        for name, behind in place.doors.items()
    )


async def _things(place: Place, facility: UUID, slug: str, now: datetime) -> dict[str, UUID]:
    leaves: dict[int, int] = {}
    for number in sorted({leaf for thing in place.things for leaf in thing.leaves}):
        leaves[number] = await _leaf(facility)
    made: dict[str, UUID] = {}
    laid: dict[str, list[int]] = {}
    for thing in place.things:
        parent = made[thing.parent] if thing.parent else None
        made[thing.name] = await _thing(thing, thing.name, facility, parent, slug)
        await _rules((None, None, made[thing.name]), thing.rules, now)
        await _evenings(made[thing.name], thing.evenings)
        laid[thing.name] = [leaves[number] for number in thing.leaves]
        await _cover(made[thing.name], laid[thing.name])
        for number in range(thing.units):
            unit = await _thing(
                thing, f"{thing.name} {number + 1}", facility, made[thing.name], slug, is_unit=True
            )
            await _cover(unit, [laid[thing.parent][number] if thing.parent else await _leaf(facility)])
    return made


async def _leaf(facility: UUID) -> int:
    leaf = await db.value(int, "INSERT INTO leaf (facility) VALUES ($1) RETURNING id", facility)
    assert leaf is not None
    return leaf


async def _cover(resource: UUID, leaves: list[int]) -> None:
    await db.run_many(
        "INSERT INTO resource_leaf (resource, leaf) VALUES ($1, $2)", [(resource, leaf) for leaf in leaves]
    )


async def _thing(
    thing: Thing, name: str, facility: UUID, parent: UUID | None, slug: str, *, is_unit: bool = False
) -> UUID:
    resource = new_id()
    await db.run(
        "INSERT INTO resource (id, facility, parent, kind, slug, name, tariff_class, capacity, area_m2, picks_unit,"
        " features, surface, description, instructions, accessibility, calendar)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $2)",
        resource, facility, parent, thing.kind, f"{slug}-{slug_of(name)}", name, thing.tariff_class,
        thing.capacity, thing.area_m2, thing.units > 0 and not is_unit, list(thing.features), thing.surface,
        thing.description, thing.instructions, thing.accessibility,
    )  # fmt: skip
    return resource


async def _rules(owner: Owner, rules: Rule, now: datetime) -> None:
    if not rules:
        return
    names = list(rules)
    await db.run(
        f"INSERT INTO rule_set (id, municipality, facility, resource, valid_from, changed_at, {', '.join(names)})"
        f" VALUES ($1, $2, $3, $4, $5, $6, {', '.join(f'${n}' for n in range(7, 7 + len(names)))})",
        new_id(), *owner, LONG_AGO, now, *rules.values(),
    )  # fmt: skip


async def _hours(owner: Owner, place: Place, now: datetime) -> None:
    week = [(day, place.hours if day < 5 else place.weekend) for day in range(7)]
    if place.holiday is not None:
        week.append((7, place.holiday))
    await _schedule(owner, "Ordinarie", LONG_AGO, None, week)
    for season in place.seasons:
        for year in _years(now):
            await _schedule(owner, season.name, *_dates(year, season.first, season.last), _week(season))


def _week(season: Season) -> list[tuple[int, Clock]]:
    days = [(day, season.weekdays if day < 5 else season.weekend) for day in range(7)]
    return [(day, hours) for day, hours in days if hours is not None]


async def _evenings(resource: UUID, hours: Clock | None) -> None:
    if hours is not None:
        week = [(day, hours) for day in range(5)]
        await _schedule((None, None, resource), "Egna tider", LONG_AGO, None, week)


async def _schedule(
    owner: Owner, name: str, first: date, last: date | None, week: list[tuple[int, Clock]]
) -> None:
    schedule = new_id()
    await db.run(
        "INSERT INTO opening_schedule (id, municipality, facility, resource, name, valid_from, valid_to)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        schedule, *owner, name, first, last,
    )  # fmt: skip
    await db.run_many(
        "INSERT INTO opening_hours (id, schedule, weekday, opens_min, closes_min) VALUES ($1, $2, $3, $4, $5)",
        [(new_id(), schedule, day, opens * 60, closes * 60) for day, (opens, closes) in week],
    )


async def _exceptions(owner: Owner, exceptions: Iterable[OtherDays], now: datetime) -> None:
    for one in exceptions:
        for year in _years(now):
            minutes = (None, None) if one.hours is None else tuple(hour * 60 for hour in one.hours)
            await db.run(
                "INSERT INTO opening_exception (id, municipality, facility, resource, from_day, to_day, opens_min,"
                " closes_min, reason) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                new_id(), *owner, *_dates(year, one.first, one.last), *minutes, one.reason,
            )  # fmt: skip


def _dates(year: int, first: Day, last: Day) -> tuple[date, date]:
    return date(year, *first), date(year, *last)


def slug_of(name: str) -> str:
    """Return the name as an address has it."""
    plain = name.lower().translate(str.maketrans("åäöéü", "aaoeu"))
    return "-".join("".join(letter if letter.isalnum() else " " for letter in plain).split())
