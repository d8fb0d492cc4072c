"""A season in Nordmaling that twelve wishes compete for: applications are in, and nobody has proposed yet."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from booking import db, people, places
from booking.clock import SWEDEN, at_local
from booking.people import Actor, Role
from booking.reservations import seasons
from booking.reservations.seasons import Activity, NewRound, NewWish, PriorityClass, RoundRules, Window
from booking.reservations.seasons.rules import SharedHours

TOWN = "2401"
ROUND = "Hallar våren"
# Hudiksvall's published order, for weekday evenings in all halls.
CLASSES = [
    PriorityClass("Ungdom, tävlingssäsong inomhus", "Youth, competing indoors", ["association"], ["indoor_sport"], 20),
    PriorityClass("Ungdom, tävlingssäsong utomhus", "Youth, competing outdoors", ["association"], ["outdoor_sport"], 20),
    PriorityClass("Motion inomhus", "Exercise indoors", ["association"], ["indoor_sport", "exercise"]),
    PriorityClass("Ungdom, huvudsäsong på sommaren", "Youth, main season in summer", ["association"], ["summer_sport"], 20),
    PriorityClass("Privatpersoner och övriga", "Private persons and others"),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A wish in few words: days (0 = Monday) with hours, `alternatives` as second choice."""

    party: str
    title: str
    activity: Activity
    ages: tuple[int, int]
    times: int
    minutes: int
    days: tuple[int, ...]
    hours: tuple[int, int]
    halls: tuple[str, ...]
    alternatives: tuple[int, ...] = ()


HAMMAR = "Hammarhallen, Hela hallen"
SOUTH, NORTH = "Hammarhallen, Halva hallen, södra", "Hammarhallen, Halva hallen, norra"
EAST = "Norrskenshallen, Halva hallen, öst"
WISHES = (
    _Wanted("Nordmalings IBK", "Innebandy P14", "indoor_sport", (12, 14), 2, 90, (0, 2), (17, 20), (HAMMAR,), (3,)),
    _Wanted("Nordmalings IBK", "Innebandy F16", "indoor_sport", (14, 16), 2, 90, (0, 2), (17, 20), (HAMMAR,), (1,)),
    _Wanted("Nordmalings IBK", "Innebandy herr", "indoor_sport", (17, 40), 2, 120, (0, 2), (18, 21), (HAMMAR,), (3,)),
    _Wanted("Håknäs Volleybollklubb", "Volleyboll ungdom", "indoor_sport", (10, 15), 1, 90, (0, 2), (17, 20), (HAMMAR,)),
    _Wanted("Håknäs Volleybollklubb", "Volleyboll motion", "exercise", (20, 60), 1, 120, (2,), (18, 21), (SOUTH, NORTH)),
    _Wanted("Rundviks GF", "Gymnastik 6–9 år", "indoor_sport", (6, 9), 2, 60, (0, 1), (16, 19), (EAST, NORTH), (3,)),
    _Wanted("Rundviks GF", "Motionsgympa", "exercise", (20, 70), 1, 60, (0,), (17, 20), (EAST, SOUTH), (1,)),
    _Wanted("Nordmalings Badmintonklubb", "Badminton ungdom", "indoor_sport", (10, 18), 2, 120, (1, 3), (17, 21), (SOUTH, NORTH)),
    _Wanted("Nordmalings Badmintonklubb", "Badminton motion", "exercise", (18, 70), 1, 120, (1,), (18, 21), (SOUTH, NORTH), (4,)),
    _Wanted("Levar IF", "Fotboll P12 inne", "summer_sport", (10, 12), 1, 90, (1, 3), (17, 20), (HAMMAR,)),
    _Wanted("Levar IF", "Fotboll F14 inne", "summer_sport", (12, 14), 1, 90, (1,), (17, 20), (HAMMAR,)),
    _Wanted("PRO Nordmaling", "Boule inne", "other", (65, 90), 1, 120, (0, 2), (16, 19), (SOUTH, NORTH)),
)  # fmt: skip


async def share_out(now: datetime) -> None:
    """The round stands closed with its applications; a seed that was cut off here begins the round anew."""
    if await db.value(int, "SELECT count(*) FROM season_round"):
        return
    named = {
        f"{one.facility.name}, {one.name}": one.id for one in await places.resources(municipalities=[TOWN])
    }
    used = [named[one] for one in (HAMMAR, SOUTH, NORTH, EAST)]
    first = _monday(now.astimezone(SWEDEN).date() + timedelta(days=42))
    wanted = NewRound(
        ROUND,
        first,
        first + timedelta(days=7 * 17 - 1),
        now - timedelta(days=30),
        at_local(first.year, first.month, first.day, 0) - timedelta(days=21),
        first + timedelta(days=7),
        tuple(used),
        RoundRules(
            CLASSES,
            SharedHours(16 * 60, 22 * 60),
            None,
            youth_until=20 * 60,
            prime=SharedHours(16 * 60, 20 * 60),
            skip_school_breaks=True,
        ),
    )
    staff = Actor(
        account=await db.value(UUID, "SELECT id FROM account WHERE email = 'stina@demo.test'"),
        roles=frozenset({(TOWN, Role.STAFF)}),
    )
    async with db.transaction():
        made = await seasons.create_round(TOWN, wanted, by=staff, now=now)
        await seasons.open_round(made, by=staff, now=now)
        for name in dict.fromkeys(one.party for one in WISHES):
            await _apply(made, name, named, staff.account, now)
        await seasons.close_round(made, by=staff, now=now)


async def _apply(made: UUID, name: str, named: dict[str, UUID], account: UUID | None, now: datetime) -> None:
    party = await db.value(UUID, "SELECT id FROM party WHERE name = $1", name)
    if party is None:
        raise LookupError(f"the demonstration has no {name}")
    leader = people.Actor(account=account, acts_for=frozenset({party}))
    wishes = [_wish(one, named) for one in WISHES if one.party == name]
    await seasons.save_application(made, party, wishes, "", by=leader, now=now)
    await seasons.send_application(made, party, by=leader, now=now)


def _wish(one: _Wanted, named: dict[str, UUID]) -> NewWish:
    opens, closes = (60 * hour for hour in one.hours)
    windows = [Window(day, opens, closes) for day in one.days]
    windows += [Window(day, opens, closes, primary=False) for day in one.alternatives]
    return NewWish(
        one.title,
        one.activity,
        *one.ages,
        people=18,
        whole_season=True,
        times=one.times,
        minutes=one.minutes,
        windows=tuple(windows),
        resources=tuple(named[hall] for hall in one.halls),
    )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
