"""`booking seed`: fills an empty database with the demonstration, through the same actions that people use.

Deterministic but for the date: bookings lie around today. What is there already stays; a seed that was killed
goes on where it stopped.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID

from stdnum import luhn

from booking import billing, broker, db, locks, places
from booking.clock import local_date, utc_now
from booking.demo.bookings import book
from booking.demo.ground import lay, slug_of, town_rules
from booking.demo.places import PLACES, TOWNS
from booking.demo.things import Town
from booking.ids import new_id
from booking.people import Role
from booking.people import actions as people_actions
from booking.settings import Settings
from booking.simulated.people import CLUBS, LOGINS, Club

TOWN_HALLS = ("Artediskolan", "Kommunens fritidsenhet")


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
            await book(now)
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


async def found(settings: Settings, now: datetime) -> None:
    """Towns, price lists, places, people, doors, controllers' files: all or nothing."""
    keys: dict[str, locks.Enrolment] = {}
    async with db.transaction():
        await _towns(now)
        for place in PLACES:
            await lay(place, now, keys)
        for town in TOWNS:
            await places.refresh_rules(town.code)
            await places.refresh_hours(town.code, now)
        await _people(now)
        _hand_over(settings, keys)  # before the commit: a seed that is killed here starts over


def _hand_over(settings: Settings, keys: dict[str, locks.Enrolment]) -> None:
    """Each simulated controller has its key file, and our own broker knows its account."""
    for name, enrolment in keys.items():
        folder = _folder(settings) / name
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        (folder / "controller.json").write_bytes(enrolment.key_file)
        (folder / "controller.json").chmod(0o600)
    ours = _folder(settings).parent / "broker"
    if ours.is_dir():  # with MQTT_URL the broker is somebody else's, and so are its accounts
        broker.add_accounts(ours, {name: enrolment.password for name, enrolment in keys.items()})


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
            f"boka@{slug_of(town.name)}.example",
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
        await town_rules(town, now)


async def _seller(town: Town, number: int, now: datetime) -> None:
    """The municipality sells by its published list and invoices on the tenth of the next month."""
    await billing.found_entity(
        town.code,
        name=f"{town.name}s kommun",
        org_number=_with_check_digit(f"21200026{number}"),
        bankgiro=_with_check_digit(f"505010{number}"),
        address=f"{town.name}s kommun, fritidsenheten",
        email=f"faktura@{slug_of(town.name)}.example",
    )
    await billing.publish(billing.shipped(town.code), now=now)
    month = local_date(now).replace(day=1)
    for _ in range(15):
        after = (month + timedelta(days=32)).replace(day=1)
        await billing.set_invoicing_date(town.code, f"{month:%Y-%m}", after.replace(day=10))
        month = after


def _with_check_digit(digits: str) -> str:
    return digits + luhn.calc_check_digit(digits)


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
        if login.drives:
            await _may_drive(account, login.drives, now)
        for name in login.acts_for:
            await db.run(
                "INSERT INTO membership (id, account, party, valid_from) VALUES ($1, $2, $3, $4)",
                new_id(),
                account,
                clubs[name],
                (now - timedelta(days=400)).date(),
            )


async def _may_drive(account: UUID, municipalities: tuple[str, ...], now: datetime) -> None:
    """The account's driving licence has been shown to the municipalities."""
    for code in municipalities:
        await db.run(
            "INSERT INTO driver (id, account, municipality, valid_to, checked_at) VALUES ($1, $2, $3, $4, $5)",
            new_id(),
            account,
            code,
            (now + timedelta(days=700)).date(),
            now,
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
        f"{slug_of(name)}@demo.test",
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
