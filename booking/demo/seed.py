"""`booking seed`: fills an empty database with the demonstration, through the same actions that people use.

Deterministic but for the date: bookings lie around today. What is there already stays; a seed that was killed
goes on where it stopped.
"""

import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from stdnum import luhn

from booking import billing, broker, db, journal, locks, places, reservations
from booking.clock import SWEDEN, at_local, utc_now
from booking.demo.places import PLACES, TOWNS, Place, Thing, Town
from booking.errors import Refusal
from booking.ids import new_id
from booking.people import Actor, Role
from booking.people import actions as people_actions
from booking.places import Resource
from booking.reservations import Customer, Wish
from booking.settings import Settings
from booking.simulated.people import CLUBS, HABITS, LOGINS, Club
from booking.span import Span

CUP_IN_DAYS = 2
WEEKS_BACK, WEEKS_AHEAD = 4, 3
TOWN_HALLS = ("Artediskolan", "Kommunens fritidsenhet")
Say = Callable[[str], None]


async def seed(settings: Settings) -> str:
    """The database holds the demonstration. Returns a sentence with what is there."""
    billing.configure(settings)
    locks.configure(settings)
    await db.open_pool(settings.database_url, 4)
    try:
        now = utc_now()
        if not await db.value(int, "SELECT count(*) FROM municipality"):
            await found(settings, now)
        if not await db.value(int, "SELECT count(*) FROM journal WHERE action = 'demo.seeded'"):
            await _book(now)
        return await _sentence()
    finally:
        await db.close_pool()


async def _sentence() -> str:
    counts = [
        f"{await db.value(int, 'SELECT count(*) FROM ' + table)} {noun}"
        for table, noun in (
            ("municipality", "municipalities"),
            ("resource", "resources"),
            ("reservation", "bookings"),
            ("invoice", "invoices"),
        )
    ]
    return ", ".join(counts)


# --- who and what there is ---


async def found(settings: Settings, now: datetime) -> None:
    """Towns, price lists, places, people, doors: all or nothing, then the controllers' files."""
    keys: dict[str, locks.Enrolment] = {}
    async with db.transaction():
        await _towns(now)
        for place in PLACES:
            await _place(place, now, keys)
        await _people(now)
    for name, enrolment in keys.items():
        folder = _folder(settings) / name
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        (folder / "controller.json").write_bytes(enrolment.key_file)
        (folder / "controller.json").chmod(0o600)
    passwords = {name: enrolment.password for name, enrolment in keys.items()}
    ours = _folder(settings).parent / "broker"
    if ours.is_dir():  # with MQTT_URL the broker is somebody else's, and so are its accounts
        broker.add_accounts(ours, passwords)


def _folder(settings: Settings) -> Path:
    if settings.keypad_dir is None:
        raise RuntimeError("BOOKING_KEYPADS must say where the simulated controllers live")
    return settings.keypad_dir


async def _towns(now: datetime) -> None:
    for town in TOWNS:
        await db.run(
            "INSERT INTO municipality (code, name, lat, lon, contact_email, contact_phone, on_call_phone)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            town.code,
            town.name,
            town.lat,
            town.lon,
            f"boka@{_slug(town.name)}.example",
            town.phone,
            town.phone[:-2] + "99",
        )
    for town in TOWNS:
        for other in town.neighbours:
            await db.run(
                'INSERT INTO neighbour (id, "of", "to") VALUES ($1, $2, $3)', new_id(), town.code, other
            )
    for number, town in enumerate(TOWNS):
        await _seller(town, number, now)


async def _seller(town: Town, number: int, now: datetime) -> None:
    """The municipality sells by its published list and invoices on the tenth of the next month."""
    await billing.found_entity(
        town.code,
        name=f"{town.name}s kommun",
        org_number=_with_check_digit(f"21200026{number}"),
        bankgiro=_with_check_digit(f"505010{number}"),
        address=f"{town.name}s kommun, fritidsenheten",
        email=f"faktura@{_slug(town.name)}.example",
    )
    await billing.publish(billing.shipped(town.code), now=now)
    month = now.astimezone(SWEDEN).date().replace(day=1)
    for _ in range(15):
        after = (month + timedelta(days=32)).replace(day=1)
        await billing.set_invoicing_date(town.code, f"{month:%Y-%m}", after.replace(day=10))
        month = after


def _with_check_digit(digits: str) -> str:
    return digits + luhn.calc_check_digit(digits)


async def _place(place: Place, now: datetime, keys: dict[str, locks.Enrolment]) -> None:
    facility = new_id()
    slug = _slug(place.name)
    await db.run(
        "INSERT INTO facility (id, municipality, slug, name, address, lat, lon, description, access_text,"
        " accessibility) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        facility,
        place.town,
        slug,
        place.name,
        place.address,
        place.lat,
        place.lon,
        place.description,
        place.access_text,
        place.accessibility,
    )
    for weekday in range(7):
        opens, closes = place.hours if weekday < 5 else place.weekend
        await db.run(
            "INSERT INTO opening_hours (id, facility, weekday, opens_min, closes_min) VALUES ($1, $2, $3, $4, $5)",
            new_id(),
            facility,
            weekday,
            opens * 60,
            closes * 60,
        )
    made = await _things(place, facility, slug)
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


async def _things(place: Place, facility: UUID, slug: str) -> dict[str, UUID]:
    leaves = {}
    for number in sorted({leaf for thing in place.things for leaf in thing.leaves}):
        leaves[number] = await db.value(int, "INSERT INTO leaf (facility) VALUES ($1) RETURNING id", facility)
    made: dict[str, UUID] = {}
    for thing in place.things:
        made[thing.name] = await _thing(thing, facility, slug, made)
        await db.run_many(
            "INSERT INTO resource_leaf (resource, leaf) VALUES ($1, $2)",
            [(made[thing.name], leaves[number]) for number in thing.leaves],
        )
    return made


async def _thing(thing: Thing, facility: UUID, slug: str, made: dict[str, UUID]) -> UUID:
    resource = new_id()
    await db.run(
        "INSERT INTO resource (id, facility, parent, kind, slug, name, tariff_class, capacity, area_m2, gap_min,"
        " step_min, min_min, max_min) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        resource,
        facility,
        made[thing.parent] if thing.parent else None,
        thing.kind,
        f"{slug}-{_slug(thing.name)}",
        thing.name,
        thing.tariff_class,
        thing.capacity,
        thing.area_m2,
        thing.gap_min,
        thing.step_min,
        thing.min_min,
        thing.max_min,
    )
    return resource


async def _people(now: datetime) -> None:
    clubs = {}
    for club in CLUBS:
        clubs[club.name] = await _party("association", club.name, club.home, now)
        await _evidence(clubs[club.name], club, now)
    for town in TOWNS:
        for name in TOWN_HALLS:
            await _party("municipal_unit", f"{name} {town.name}", town.code, now)
    await _party("company", "Norrlands Plåt AB", "2401", now)
    for login in LOGINS:
        account = await people_actions.register(
            name=login.name, email=login.email, password=login.password, home=login.home, now=now
        )
        for code, role in login.roles:
            await people_actions.give_role(account, code, Role(role))
        for name in login.acts_for:
            await db.run(
                "INSERT INTO membership (id, account, party, valid_from) VALUES ($1, $2, $3, $4)",
                new_id(),
                account,
                clubs[name],
                (now - timedelta(days=400)).date(),
            )


async def _party(kind: str, name: str, home: str, now: datetime) -> UUID:
    party = new_id()
    await db.run(
        "INSERT INTO party (id, kind, name, home_municipality, email, address, may_be_invoiced, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, true, $7)",
        party,
        kind,
        name,
        home,
        f"{_slug(name)}@demo.test",
        f"Föreningsvägen 1, {next(town.name for town in TOWNS if town.code == home)}",
        now,
    )
    return party


async def _evidence(party: UUID, club: Club, now: datetime) -> None:
    """What the home municipality has decided about the club; each list asks for its own kind of proof."""
    facts: dict[str, int | None] = {}
    if club.granted:
        facts |= {"grant_entitled": None, "activity_grant": None}
    if club.activities:
        facts["activities_per_year"] = club.activities
    if club.sport == "parasport":
        facts["disability"] = None
    if club.sport == "ishockey":
        facts["ice_club"] = None
    for category, value in facts.items():
        await billing.record_evidence(
            party=party,
            municipality=club.home,
            category=category,
            valid_from=date(now.year - 1, 1, 1),
            value=value,
            reason="Demo: föreningsregistret",
            now=now,
        )


# --- what is booked ---


async def _book(now: datetime) -> None:
    """Some weeks of bookings around today, then the invoice run of the month that is over."""
    chance = random.Random(2026)  # noqa: S311 plausible, not secret
    clerk = await db.value(UUID, "SELECT id FROM account WHERE email = 'stina@demo.test'")
    parties = await db.rows(
        _Party, "SELECT id, name, home_municipality AS home FROM party WHERE may_be_invoiced"
    )
    by_town = {town.code: await places.resources(municipalities=[town.code]) for town in TOWNS}
    await _cup(by_town["2401"], parties, clerk, now)
    monday = now.astimezone(SWEDEN).date() - timedelta(days=now.astimezone(SWEDEN).weekday())
    for party in parties:
        for resource, weekday, minute, minutes, purpose in _habits(party, by_town, chance):
            for week in range(-WEEKS_BACK, WEEKS_AHEAD):
                day = monday + timedelta(days=7 * week + weekday)
                if chance.random() < 0.92:
                    await _try(resource, day, minute, minutes, purpose, party.id, clerk, now)
    await reservations.complete_due(now)
    over = monday.replace(day=1) - timedelta(days=1)
    for town in TOWNS:
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
    day = now.astimezone(SWEDEN).date() + timedelta(days=CUP_IN_DAYS)
    for resource in found:
        if resource.kind == "hall":
            await _try(resource, day, 16 * 60, 360, "match", club.id, clerk, now, "Nordmalingscupen")


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
            one for one in by_town[party.home] if one.kind in ("hall", "hall_part", "premises", "vehicle")
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
    now: datetime, title: str | None = None,
) -> None:  # fmt: skip
    """Book it as the clerk would have, some days before; a time that is taken or closed is passed over."""
    start = at_local(day.year, day.month, day.day, minute)
    span = Span(start, start + timedelta(minutes=minutes))
    then = min(now, start - timedelta(days=5))
    actor = Actor(account=clerk, party=party, acts_for=frozenset({party}))
    try:
        async with db.transaction():
            wish = Wish(resource.id, span, purpose, Customer(party), title)
            hold = await reservations.hold(wish, by=actor, now=then)
            price = (await reservations.held(hold, actor, then)).price.total_ore
            await reservations.reserve(
                hold, method="invoice", expected_ore=price, by=actor, now=then, return_url=""
            )
    except Refusal:
        return


def _slug(name: str) -> str:
    plain = name.lower().translate(str.maketrans("åäöéü", "aaoeu"))
    return "-".join("".join(letter if letter.isalnum() else " " for letter in plain).split())
