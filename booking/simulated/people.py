"""People of the demonstration: log-ins to try, and thirty associations. All are invented."""

from dataclasses import dataclass

PASSWORD = "bokning-demo-26"  # noqa: S105 shown on the log-in page of the demonstration


@dataclass(frozen=True, slots=True)
class Login:
    """An account to try, what it shows, its roles and the associations it acts for."""

    email: str
    name: str
    home: str
    what: str
    roles: tuple[tuple[str, str], ...] = ()
    acts_for: tuple[str, ...] = ()
    password: str = PASSWORD
    drives: tuple[str, ...] = ()  # municipalities that have seen the driving licence


LOGINS = (
    Login("eva@demo.test", "Eva Lind", "2401", "Privatperson i Nordmaling"),
    Login(
        "ali@demo.test",
        "Ali Nouri",
        "2401",
        "Ledare i Nordmalings IBK och Levar IF",
        acts_for=("Nordmalings IBK", "Levar IF"),
        drives=("2480", "2401"),
    ),
    Login("sara@demo.test", "Sara Öberg", "2480", "Ledare i Umeå Judoklubb", acts_for=("Umeå Judoklubb",)),
    Login(
        "stina@demo.test",
        "Stina Berg",
        "2401",
        "Anläggningspersonal i Nordmaling",
        (("2401", "facility_staff"),),
    ),
    Login("filip@demo.test", "Filip Nyström", "2401", "Ekonom i Nordmaling", (("2401", "finance"),)),
    Login(
        "olle@demo.test",
        "Olle Hägg",
        "2284",
        "Personal och ekonom i Örnsköldsvik",
        (("2284", "facility_staff"), ("2284", "finance")),
    ),
    Login(
        "admin@demo.test",
        "Anna Sjö",
        "2401",
        "Administratör i Nordmaling och Vännäs",
        (("2401", "admin"), ("2460", "admin")),
    ),
)


@dataclass(frozen=True, slots=True)
class Club:
    """An association with the evidence its home municipality has decided on."""

    name: str
    home: str
    sport: str
    granted: bool = True  # meets the municipality's grant conditions
    activities: int = 60  # grant-entitled activities last year
    adults_only: bool = False


def _club(name: str, home: str, sport: str, granted: bool = True, activities: int = 60) -> Club:
    return Club(name, home, sport, granted, activities)


CLUBS = (
    _club("Nordmalings IBK", "2401", "innebandy", activities=140),
    _club("Levar IF", "2401", "fotboll", activities=120),
    _club("Nordmalings HC", "2401", "ishockey", activities=180),
    _club("Nordmalings Badmintonklubb", "2401", "badminton", activities=44),
    _club("Rundviks GF", "2401", "gymnastik", activities=70),
    _club("Nordmalings Simsällskap", "2401", "simning", activities=52),
    _club("PRO Nordmaling", "2401", "möten", granted=False, activities=0),
    _club("Nordmalings Hembygdsförening", "2401", "möten", granted=False, activities=4),
    _club("Håknäs Volleybollklubb", "2401", "volleyboll", activities=38),
    _club("Örnsköldsviks Handbollsklubb", "2284", "handboll", activities=160),
    _club("Husums IF", "2284", "fotboll", activities=110),
    _club("Domsjö Gymnastik", "2284", "gymnastik", activities=75),
    _club("Höga Kusten Innebandy", "2284", "innebandy", activities=130),
    _club("Ö-viks Dansförening", "2284", "dans", activities=26),
    _club("Moälvens Schacksällskap", "2284", "möten", granted=False, activities=12),
    _club("Köpmanholmens HC", "2284", "ishockey", activities=150),
    _club("Vännäs Innebandy", "2460", "innebandy", activities=95),
    _club("Vännäs HC", "2460", "ishockey", activities=120),
    _club("Vännäsby Gymnastik", "2460", "gymnastik", activities=48),
    _club("Vännäs Motionärer", "2460", "motion", granted=False, activities=19),
    _club("Spöland Volleyboll", "2460", "volleyboll", activities=22),
    _club("Funkis Vännäs", "2460", "parasport", activities=14),
    _club("Umeå Judoklubb", "2480", "judo", activities=170),
    _club("Teg Innebandy", "2480", "innebandy", activities=150),
    _club("Umeå Friidrottsförening", "2480", "friidrott", activities=200),
    _club("Björkstadens Badminton", "2480", "badminton", activities=90),
    _club("Röbäcks Fotboll", "2480", "fotboll", activities=130),
    _club("Umeå Brottarklubb", "2480", "brottning", activities=60),
    _club("Ålidhems Kulturförening", "2480", "möten", granted=False, activities=0),
    _club("Sävar Volleyboll", "2480", "volleyboll", activities=40),
)

HABITS = {  # which kinds of resource a sport books, and for what
    "innebandy": (("hall", "hall_part"), "training"),
    "fotboll": (("pitch", "hall"), "training"),
    "ishockey": (("ice",), "training"),
    "badminton": (("court",), "training"),
    "gymnastik": (("hall", "hall_part"), "training"),
    "simning": (("pool", "lane"), "training"),
    "möten": (("premises",), "meeting"),
    "volleyboll": (("hall_part", "hall"), "training"),
    "handboll": (("hall",), "training"),
    "dans": (("hall",), "training"),
    "motion": (("hall_part",), "training"),
    "parasport": (("hall",), "training"),
    "judo": (("hall_part",), "training"),
    "friidrott": (("hall", "hall_part"), "training"),
    "brottning": (("hall_part",), "training"),
}
