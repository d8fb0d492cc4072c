"""Pure: charges become lines, VAT groups, a total in whole kronor and an OCR number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from stdnum import luhn

from booking.billing import ledger, vat
from booking.billing.pricing import SWEDEN, Quote
from booking.billing.tariff_data import VatRule
from booking.errors import Rejected
from booking.money import kronor, payable_rounding, share


@dataclass(frozen=True, slots=True)
class Line:
    """One line; `net_ore` below zero on a credit note."""

    charge: UUID
    kind: str
    text: str
    detail: str
    net_ore: int
    vat_rule: VatRule


@dataclass(frozen=True, slots=True)
class VatGroup:
    """The VAT of all lines of one rule."""

    rule: VatRule
    percent: int
    base_ore: int
    vat_ore: int


@dataclass(frozen=True, slots=True)
class Sums:
    """What an invoice comes to."""

    net_ore: int
    vat_ore: int
    rounding_ore: int
    groups: tuple[VatGroup, ...]

    @property
    def total_ore(self) -> int:
        """Net plus VAT, rounded to whole kronor (öresavrundning)."""
        return self.net_ore + self.vat_ore + self.rounding_ore


def add_up(lines: Sequence[Line]) -> Sums:
    """Return the sums of the lines: VAT once per group (the BR-CO rules of EN 16931), never per line."""
    bases: dict[VatRule, int] = {}
    for line in lines:
        bases[line.vat_rule] = bases.get(line.vat_rule, 0) + line.net_ore
    groups = tuple(
        VatGroup(rule, vat.RULES[rule].percent, base, share(base, vat.RULES[rule].percent, 100))
        for rule, base in sorted(bases.items())
    )
    net, tax = sum(bases.values()), sum(group.vat_ore for group in groups)
    return Sums(net, tax, payable_rounding(net + tax), groups)


def postings(lines: Sequence[Line], sums: Sums) -> list[ledger.Side]:
    """Return the sides that book an invoice: the customer owes it, revenue, VAT and rounding stand against."""
    sides = [(ledger.RECEIVABLE, sums.total_ore), (ledger.ROUNDING, -sums.rounding_ore)]
    for line in lines:
        sides += ledger.earned(line.kind, line.net_ore, 0, line.vat_rule)
    return sides + [(ledger.VAT[group.rule], -group.vat_ore) for group in sums.groups if group.vat_ore]


def number(year: int, seq: int) -> str:
    """Return the number people see: year and running number, "202600001"."""
    return f"{year}{seq:05d}"


def ocr_number(entity: str, invoice_number: str) -> str:
    """Return the OCR number: entity, invoice number, length digit, Luhn digit (Bankgirot's variable-length scheme)."""
    digits = f"{entity}{invoice_number}"
    with_length = f"{digits}{(len(digits) + 2) % 10}"
    return with_length + luhn.calc_check_digit(with_length)


def explain(quote: Quote) -> str:
    """Return one line's arithmetic: "2 h × 282,00 kr; Bidragsberättigad förening betalar 25 %: −423,00 kr"."""
    parts = []
    for line in quote.lines:
        if line.unit in UNITS:
            parts.append(f"{line.quantity} {UNITS[line.unit]} × {kronor(line.unit_ore)} kr")
        else:
            parts.append(f"{line.text}: {kronor(line.amount_ore)} kr")
    return "; ".join(parts)


UNITS = {
    "hour": "h",
    "day": "dygn",
    "occasion": "tillfälle",
    "km": "km",
    "night": "natt",
    "m2year": "m² och år",
}


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """Return the UTC instants between which a Swedish month ("2026-11") lies. Raises Rejected."""
    try:
        year, number_of = int(month[:4]), int(month[5:])
        first = datetime(year, number_of, 1, tzinfo=SWEDEN)
    except (ValueError, IndexError) as error:
        raise Rejected(f"{month!r} is not a month such as 2026-11", code="bad_month") from error
    following = datetime(year + number_of // 12, number_of % 12 + 1, 1, tzinfo=SWEDEN)
    return first.astimezone(UTC), following.astimezone(UTC)
