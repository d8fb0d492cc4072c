"""What the demonstration's places are made of: towns, facilities with doors and hours, resources with leaves.

Leaves are numbered within the facility, so one hall may be divided in several overlapping ways.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

Rule = Mapping[str, object]  # fields of places.RuleChange
Day = tuple[int, int]  # month and day of every year
Clock = tuple[int, int]  # opens, closes: hours of the local day


@dataclass(frozen=True, slots=True)
class Thing:
    """A resource; `parent` names the whole it is a part of, `units` makes it a pool whose units it picks from."""

    name: str
    kind: str
    tariff_class: str
    leaves: tuple[int, ...]
    parent: str | None = None
    capacity: int | None = None
    area_m2: int | None = None
    units: int = 0
    features: tuple[str, ...] = ()
    surface: str | None = None
    description: str = ""
    instructions: str = ""
    accessibility: str = ""
    rules: Rule = field(default_factory=dict)
    evenings: Clock | None = None  # hours of its own on weekdays, closed at weekends


@dataclass(frozen=True, slots=True)
class Season:
    """Other weekly hours from one day of every year to another, both included; None is closed."""

    name: str
    first: Day
    last: Day
    weekdays: Clock | None
    weekend: Clock | None


@dataclass(frozen=True, slots=True)
class OtherDays:
    """Other hours on some days of every year, both included; None is closed."""

    reason: str
    first: Day
    last: Day
    hours: Clock | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A facility with its doors (name → the resources behind it; None = all)."""

    town: str
    name: str
    address: str
    lat: float
    lon: float
    things: tuple[Thing, ...]
    description: str = ""
    access_text: str = "Entré från parkeringen. Knappsatsen sitter till höger om dörren."
    accessibility: str = "Ramp till entrén, dörröppnare, RWC på entréplan."
    hours: Clock = (7, 22)
    weekend: Clock = (8, 22)
    holiday: Clock | None = None  # on public holidays; None: as on any other day
    seasons: tuple[Season, ...] = ()
    exceptions: tuple[OtherDays, ...] = ()
    rules: Rule = field(default_factory=dict)
    doors: dict[str, tuple[str, ...] | None] = field(default_factory=lambda: {"Huvudentré": None})


@dataclass(frozen=True, slots=True)
class Town:
    """A municipality with contacts (555-numbers reach nobody), its rules and when school is out there."""

    code: str
    name: str
    lat: float
    lon: float
    phone: str
    neighbours: tuple[str, ...]
    rules: Rule = field(default_factory=dict)
    exceptions: tuple[OtherDays, ...] = ()
    sport_break: int = 10  # ISO week of sportlovet


LEVEL = "Stegfritt från entrén. Omklädningsrum och RWC på samma plan."
SHOES = "Inneskor utan svarta sulor. Ställ tillbaka redskapen, släck och se att dörren går i lås."


def hall(
    name: str, cls: str, leaves: tuple[int, ...], capacity: int, area: int,
    *features: str, surface: str = "sports_floor",
) -> Thing:  # fmt: skip
    """Return a whole hall."""
    return Thing(
        name, "hall", cls, leaves, None, capacity, area,
        features=("changing_rooms", "showers", *features), surface=surface,
        description=f"Hela golvet, {area} m², för upp till {capacity} personer.",
        instructions=SHOES, accessibility=LEVEL,
    )  # fmt: skip


def part(name: str, cls: str, leaves: tuple[int, ...], parent: str, area: int, *features: str) -> Thing:
    """Return a part of a hall."""
    return Thing(
        name, "hall_part", cls, leaves, parent, None, area,
        features=("changing_rooms", "showers", *features), surface="sports_floor",
        description=f"Avdelas med vikvägg eller nät, {area} m².", instructions=SHOES, accessibility=LEVEL,
    )  # fmt: skip


def court(number: int, cls: str, leaf: int, parent: str | None) -> Thing:
    """Return a badminton court."""
    return Thing(
        f"Badmintonbana {number}", "court", cls, (leaf,), parent, 4, 82,
        features=("changing_rooms", "showers"), surface="sports_floor",
        description="Nät och stolpar finns i förrådet; racketar tar man med sig.",
        instructions="Fäll ihop nätet efter sista passet.", accessibility=LEVEL,
    )  # fmt: skip


def room(name: str, cls: str, leaf: int, capacity: int, area: int, *features: str) -> Thing:
    """Return premises with a quarter of an hour between bookings."""
    return Thing(
        name, "premises", cls, (leaf,), None, capacity, area,
        features=("wifi", "step_free", *features), surface="wood",
        description=f"Plats för {capacity} personer, {area} m².",
        instructions="Ställ möblerna som på ritningen vid dörren. Ta med soporna ut.",
        accessibility="Stegfritt, 90 cm breda dörrar, RWC på samma plan.",
        rules={"gap_min": 15},
    )  # fmt: skip


def vehicle(name: str, cls: str, leaf: int, seats: int, *features: str) -> Thing:
    """Return a vehicle, bookable up to three days with half an hour between bookings."""
    return Thing(
        name, "vehicle", cls, (leaf,), None, seats, None, features=features,
        description=f"{seats} platser.",
        instructions="Läs av mätaren vid hämtning och lämning. Lämna med minst halv tank eller på laddning.",
        accessibility="Handkontroller finns inte; ring om du behöver hjälp att hitta ett anpassat fordon.",
        rules={"max_min": 3 * 24 * 60, "gap_min": 30},
    )  # fmt: skip


def equipment(name: str, units: int, cls: str = "equipment", *, words: str = "") -> Thing:
    """Return a pool of equipment that is added to a booking in the same facility."""
    return Thing(
        name, "equipment", cls, (), None, units=units,
        description=words or f"{units} finns att lägga till bokningen.",
        instructions="Hämtas i förrådet med samma kod och ställs tillbaka där.",
        accessibility="Fråga personalen om du behöver hjälp att hämta.",
    )  # fmt: skip


def with_rules(thing: Thing, **rules: object) -> Thing:
    """Return the thing with further rules of its own."""
    return replace(thing, rules={**thing.rules, **rules})
