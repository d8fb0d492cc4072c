"""Places of the demonstration: four real neighbours with plausible facilities.

Names, addresses and positions are approximate; what they cost comes from the published lists
(booking/billing/tariffs). `parts` are named with the leaves they occupy, so one hall may be divided twice.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Town:
    """A municipality with contacts (555-numbers reach nobody)."""

    code: str
    name: str
    lat: float
    lon: float
    phone: str
    neighbours: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """A resource: its leaves are numbered within the facility; `parent` names the whole it is a part of."""

    name: str
    kind: str
    tariff_class: str
    leaves: tuple[int, ...]
    parent: str | None = None
    capacity: int | None = None
    area_m2: int | None = None
    step_min: int = 30
    min_min: int = 60
    max_min: int = 720
    gap_min: int = 0


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
    hours: tuple[int, int] = (7, 22)
    weekend: tuple[int, int] = (8, 22)
    doors: dict[str, tuple[str, ...] | None] = field(default_factory=lambda: {"Huvudentré": None})


TOWNS = (
    Town("2401", "Nordmaling", 63.5690, 19.5020, "0930-55 50 00", ("2284", "2460", "2480")),
    Town("2284", "Örnsköldsvik", 63.2909, 18.7152, "0660-55 50 00", ("2401",)),
    Town("2460", "Vännäs", 63.9070, 19.7510, "0935-55 50 00", ("2401", "2480")),
    Town("2480", "Umeå", 63.8258, 20.2630, "090-55 50 00", ("2401", "2460")),
)


def hall(name: str, cls: str, leaves: tuple[int, ...], capacity: int, area: int) -> Thing:
    """Return a whole hall."""
    return Thing(name, "hall", cls, leaves, None, capacity, area)


def part(name: str, cls: str, leaves: tuple[int, ...], parent: str, area: int) -> Thing:
    """Return a part of a hall."""
    return Thing(name, "hall_part", cls, leaves, parent, None, area)


def court(number: int, cls: str, leaf: int, parent: str) -> Thing:
    """Return a badminton court in a hall."""
    return Thing(f"Badmintonbana {number}", "court", cls, (leaf,), parent, 4, 82)


def room(name: str, cls: str, leaf: int, capacity: int, area: int) -> Thing:
    """Return premises with a quarter of an hour between bookings."""
    return Thing(name, "premises", cls, (leaf,), None, capacity, area, gap_min=15)


def vehicle(name: str, cls: str, leaf: int, seats: int) -> Thing:
    """Return a vehicle, bookable up to three days with half an hour between bookings."""
    return Thing(name, "vehicle", cls, (leaf,), None, seats, None, max_min=3 * 24 * 60, gap_min=30)


PLACES = (
    Place(
        "2401",
        "Hammarhallen",
        "Skolgatan 8, Nordmaling",
        63.5712,
        19.4958,
        (
            hall("Hela hallen", "hammarhallen.whole", (1, 2, 3, 4), 120, 800),
            part("Halva hallen, södra", "hammarhallen.half", (1, 2), "Hela hallen", 400),
            part("Halva hallen, norra", "hammarhallen.half", (3, 4), "Hela hallen", 400),
            court(1, "hammarhallen.badminton", 1, "Hela hallen"),
            court(2, "hammarhallen.badminton", 2, "Hela hallen"),
            court(3, "hammarhallen.badminton", 3, "Hela hallen"),
            court(4, "hammarhallen.badminton", 4, "Hela hallen"),
        ),
        "Fullstor idrottshall vid skolan med läktare för 120 personer.",
    ),
    Place(
        "2401",
        "Norrskenshallen",
        "Kungsgatan 31, Nordmaling",
        63.5661,
        19.5090,
        (
            hall("Hela hallen", "norrskenshallen.whole", (1, 2), 400, 1100),
            part("Halva hallen, öst", "norrskenshallen.half", (1,), "Hela hallen", 550),
            part("Halva hallen, väst", "norrskenshallen.half", (2,), "Hela hallen", 550),
            Thing("Isen", "ice", "norrskenshallen.ice", (3,), None, 300, 1800, gap_min=15),
            room("Cafeterian", "cafeteria", 4, 60, 90),
        ),
        "Kommunens största anläggning: hall, is och cafeteria under samma tak.",
        doors={"Huvudentré": None, "Isentré": ("Isen",)},
    ),
    Place(
        "2401",
        "Rödviksvallen",
        "Rödviksvägen 2, Nordmaling",
        63.5745,
        19.5160,
        (
            Thing("Gräsplan A", "pitch", "grass_11", (1, 2), None, 500, 7140),
            Thing("Gräsplan A, halva", "pitch", "grass_7", (1,), "Gräsplan A", None, 3570),
            Thing("Grusplan", "pitch", "gravel_11", (3,), None, None, 6800),
        ),
        "Fotbollsplaner med omklädningsrum.",
        doors={"Omklädningsrum": None},
    ),
    Place(
        "2401",
        "Nordmalings simhall",
        "Skolgatan 10, Nordmaling",
        63.5716,
        19.4969,
        (Thing("Simbassängen", "pool", "pool", (1,), None, 40, 313),),
        "25-metersbassäng, hyrs utan personal till grupper med egen livräddare.",
    ),
    Place(
        "2401",
        "Kommunhuset",
        "Kungsvägen 54, Nordmaling",
        63.5687,
        19.5031,
        (
            room("Samlingssalen", "assembly_hall", 1, 80, 120),
            room("Mötesrum Levar", "meeting_room", 2, 12, 28),
            vehicle("Minibuss, 9 platser", "minibus", 3, 9),
            vehicle("Elbil", "car", 4, 5),
        ),
        "Möteslokaler och kommunens fordon. Nyckelskåpet sitter i entrén.",
        hours=(0, 24),
        weekend=(0, 24),
        doors={"Entré": None, "Nyckelskåp": ("Minibuss, 9 platser", "Elbil")},
    ),
    Place(
        "2284",
        "Skyttishallen",
        "Skyttis 1, Örnsköldsvik",
        63.2990,
        18.6930,
        (
            hall("Stora hallen", "large_hall", (1, 2), 600, 1200),
            part("Halva hallen A", "large_hall.half", (1,), "Stora hallen", 600),
            part("Halva hallen B", "large_hall.half", (2,), "Stora hallen", 600),
            Thing("Ishallen", "ice", "ice", (3,), None, 800, 1800, gap_min=15),
        ),
        "Idrottsområde med hall och is.",
    ),
    Place(
        "2284",
        "Parkskolans gymnastiksal",
        "Hantverkaregatan 18, Örnsköldsvik",
        63.2888,
        18.7110,
        (hall("Gymnastiksalen", "small_hall", (1,), 30, 250),),
        "Liten hall för träning, dans och gymnastik.",
    ),
    Place(
        "2284",
        "Geneskolans gymnastiksal",
        "Genevägen 4, Husum",
        63.3300,
        19.1450,
        (hall("Gymnastiksalen", "small_hall", (1,), 30, 240), room("Lärosalen", "meeting_room", 2, 24, 50)),
        "Liten hall i Husum, närmast Nordmaling.",
    ),
    Place(
        "2284",
        "Arken",
        "Järnvägsgatan 10, Örnsköldsvik",
        63.2900,
        18.7170,
        (
            room("Aulan", "assembly_hall", 1, 200, 260),
            room("Mötesrum Ulvön", "meeting_room", 2, 14, 30),
            vehicle("Minibuss, 9 platser", "minibus", 3, 9),
        ),
        "Möten och minibuss mitt i stan.",
        hours=(0, 24),
        weekend=(0, 24),
    ),
    Place(
        "2460",
        "Vännäs idrottshall",
        "Östra Järnvägsgatan 6, Vännäs",
        63.9085,
        19.7560,
        (
            hall("Hela hallen", "hall", (1, 2), 250, 900),
            part("Halva hallen A", "hall.half", (1,), "Hela hallen", 450),
            part("Halva hallen B", "hall.half", (2,), "Hela hallen", 450),
        ),
        "Fullstor hall nära resecentrum.",
    ),
    Place(
        "2460",
        "Hammarskolan",
        "Hammarvägen 12, Vännäs",
        63.9040,
        19.7440,
        (hall("Gymnastiksalen", "small_hall", (1,), 30, 220), room("Mötesrummet", "meeting_room", 2, 16, 35)),
        "Gymnastiksal och möteslokal i skolan.",
    ),
    Place(
        "2460",
        "Vännäs ishall",
        "Idrottsvägen 1, Vännäs",
        63.9110,
        19.7600,
        (Thing("Isen", "ice", "ice", (1,), None, 400, 1800, gap_min=15),),
        "Ishall, öppen september till mars.",
    ),
    Place(
        "2480",
        "Udominate Arena",
        "Signalvägen 5, Umeå",
        63.8205,
        20.2480,
        (
            hall("A-hallen", "hall_a", (1,), 500, 1100),
            hall("B-hallen", "hall_b", (2, 3), 80, 500),
            part("Judodelen", "judo", (3,), "B-hallen", 200),
            Thing("Badmintonbana 1", "court", "badminton", (4,), None, 4, 82),
            Thing("Badmintonbana 2", "court", "badminton", (5,), None, 4, 82),
        ),
        "A- och B-hall, judo och badminton.",
    ),
    Place(
        "2480",
        "Nolia friidrottshall",
        "Signalvägen 3, Umeå",
        63.8215,
        20.2520,
        (
            hall("Hela hallen", "athletics.whole", (1, 2), 800, 6000),
            part("Löparbanorna", "athletics.part", (1,), "Hela hallen", 3000),
            part("Innebandyytan", "floorball", (2,), "Hela hallen", 1000),
            hall("Fotbollshallen", "football_hall", (3,), 300, 7000),
        ),
        "Friidrott, innebandy och fotboll inomhus.",
    ),
    Place(
        "2480",
        "Stadsbiblioteket Väven",
        "Storgatan 46A, Umeå",
        63.8240,
        20.2640,
        (
            room("Möteslokal Älven", "meeting_room", 1, 20, 40),
            room("Aulan", "assembly_hall", 2, 150, 200),
            vehicle("Minibuss, 9 platser", "minibus", 3, 9),
            vehicle("Elbil", "car", 4, 5),
        ),
        "Möteslokaler och fordonspool i centrum.",
        hours=(0, 24),
        weekend=(0, 24),
    ),
)
