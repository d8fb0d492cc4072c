"""What a price list (taxa) looks like as data: rules, fees and the list's own examples."""

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

Group = Literal["base", "surcharge", "addon", "discount", "cap"]
Mode = Literal["first", "cheapest"]
Unit = Literal["hour", "day", "occasion", "km", "night", "m2year", "percent", "maximum", "minimum"]
VatRule = Literal["exempt_sport", "exempt_premises", "vat_6", "vat_12", "vat_25", "outside"]
Outcome = Literal["used", "cancelled", "moved", "no_show", "unbooked_use"]
FOLDER = Path(__file__).parent / "tariffs"


class Data(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of everything read from a list file: immutable, unknown fields refused."""


class When(Data, frozen=True):
    """All given conditions must hold; an empty one always does. Lengths are elapsed minutes."""

    kind: tuple[str, ...] = ()
    home: Literal["own", "other"] | None = None
    evidence: tuple[str, ...] = ()
    measured: dict[str, int] = {}
    purpose: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    without_tags: tuple[str, ...] = ()
    resource: tuple[str, ...] = ()
    without_resource: tuple[str, ...] = ()
    day: tuple[str, ...] = ()
    starts_from: str | None = None
    starts_before: str | None = None
    season: tuple[str, str] | None = None
    longer_than: int | None = None
    at_least: int | None = None
    shorter_than: int | None = None
    at_most: int | None = None
    age_from: int | None = None
    age_to: int | None = None


class Category(Data, frozen=True):
    """A column of the list. The first whose condition holds is the customer's."""

    name: str
    sv: str
    en: str
    when: When = When()


class Rule(Data, frozen=True):
    """One row of the list. `ore` per unit; `pct` is what is paid (discount) or added (surcharge)."""

    id: str
    sv: str
    en: str
    resource: tuple[str, ...]
    group: Group = "base"
    mode: Mode = "first"
    unit: Unit = "hour"
    ore: int = 0
    pct: int = 0
    step: int = 0  # minutes; 0 = minute-exact, 60 = each started hour
    free_units: int = 0
    cap_24h: int | None = None  # öre; the most one started 24 h costs
    category: tuple[str, ...] = ()
    when: When = When()
    assumed: str | None = None
    assumed_en: str | None = None


class FeeRule(Data, frozen=True):
    """What a late cancellation or move, a no-show or unbooked use costs. The first row that fits counts.

    A cancellation is late by elapsed time (`lead_shorter_than`), by whole local days before the day of use
    (`days_fewer_than`: 1 = on the day itself), by either where both are given, and always where none is.
    """

    id: str
    outcome: Outcome
    sv: str
    en: str
    unit: Literal["percent", "occasion", "hour"] = "occasion"
    ore: int = 0
    pct: int = 0
    of: Literal["price", "list"] = "price"
    lead_shorter_than: int | None = None  # minutes before the start
    days_fewer_than: int | None = None
    purpose: tuple[str, ...] = ()
    without_purpose: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    assumed: str | None = None
    assumed_en: str | None = None


class ResourceClass(Data, frozen=True):
    """Something the list prices. `assumed` marks a class that the published list does not name."""

    kind: str
    sv: str
    en: str
    vat: VatRule = "exempt_premises"
    assumed: bool = False


class ExampleUsage(Data, frozen=True):
    """Local wall-clock times in Sweden, as a person would write them."""

    resource: str
    starts: str = "2026-11-24T18:00"
    ends: str | None = None
    minutes: int = 60
    purpose: str = "training"
    tags: tuple[str, ...] = ()
    age: int | None = None
    km: int = 0
    m2: int = 0
    nights: int = 0
    years: int = 0


class ExampleCustomer(Data, frozen=True):
    """Who asks, in an example."""

    kind: str = "person"
    home: str | None = None
    evidence: tuple[str, ...] = ()
    measured: dict[str, int] = {}


class Example(Data, frozen=True):
    """One golden row: the list may not be published unless the engine gives exactly this."""

    id: str
    usage: ExampleUsage
    customer: ExampleCustomer = ExampleCustomer()
    ore: int | None = None
    net_ore: int | None = None
    category: str | None = None
    refused: str | None = None
    outcome: Outcome = "used"
    lead: int | None = None
    by_municipality: bool = False
    first_entry: int | None = None
    note: str = ""


class TariffList(Data, frozen=True):
    """One version of one municipality's price list."""

    municipality: str
    version: str
    title: str
    decision: str
    valid_from: str
    source_url: str
    categories: tuple[Category, ...]
    classes: dict[str, ResourceClass]
    rules: tuple[Rule, ...]
    fees: tuple[FeeRule, ...] = ()
    examples: tuple[Example, ...] = ()
    day_classes: dict[str, tuple[str, ...]] = {}
    purposes: tuple[str, ...] = ("training", "match", "meeting", "event", "private", "other")
    min_minutes: int = 0
    forfeit_after: int | None = None  # minutes after the start when unused time is forfeited

    @property
    def id(self) -> str:
        """Name this version for people and snapshots: "2401/2026-1"."""
        return f"{self.municipality}/{self.version}"


def read_list(raw: bytes) -> TariffList:
    """Parse a list file. Raises msgspec.ValidationError naming the faulty field."""
    return msgspec.json.decode(raw, type=TariffList)


def shipped(name: str) -> TariffList:
    """Read a list that ships with the program, e.g. "2401"."""
    return read_list((FOLDER / f"{name}.json").read_bytes())


def digest(tariff: TariffList) -> str:
    """Return the SHA-256 of the list's canonical form, so that a changed list is seen."""
    return hashlib.sha256(msgspec.json.encode(tariff, order="sorted")).hexdigest()
