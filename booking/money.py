"""Whole öre; the only place that rounds."""

from fractions import Fraction
from typing import NewType

Ore = NewType("Ore", int)  # 1/100 krona; always a whole number


def round_half_up(value: Fraction) -> Ore:
    """Return whole öre; a half goes away from zero, so that a credit mirrors its charge."""
    whole = (2 * abs(value.numerator) + value.denominator) // (2 * value.denominator)
    return Ore(whole if value >= 0 else -whole)


def share(amount: int, numerator: int, denominator: int) -> Ore:
    """Return numerator/denominator of the amount in öre, rounded once."""
    return round_half_up(Fraction(amount * numerator, denominator))


def net_of(gross: int, vat_percent: int) -> Ore:
    """Return the net part in öre of a price that includes VAT."""
    return share(gross, 100, 100 + vat_percent)


def payable_rounding(total: int) -> Ore:
    """Return what öresavrundning adds to reach whole kronor, in -50..50 öre."""
    return Ore(share(total, 1, 100) * 100 - total)


def kronor(amount: int) -> str:
    """Write an amount the Swedish way: "1 214,00" with no-break spaces, "−141,50" below zero."""
    whole, ore = divmod(abs(amount), 100)
    digits = f"{whole:,}".replace(",", "\u00a0")
    sign = "\u2212" if amount < 0 else ""
    return f"{sign}{digits},{ore:02d}"
