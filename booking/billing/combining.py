"""Pure: several prices that are one booking's, and a price that may not exceed another."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from booking.billing import vat
from booking.billing.pricing import PriceLine, Quote
from booking.billing.tariff_data import VatRule
from booking.money import net_of

CAPPED = ("Kommunen flyttade: ingen merkostnad", "Moved by the municipality: no extra cost")


@dataclass(frozen=True, slots=True)
class Item:
    """Something booked beside the main thing, `count` of it; no quote where the list does not price it."""

    name: str
    count: int
    quote: Quote | None


def combined(main: Quote, items: Sequence[Item]) -> Quote:
    """Return the one price of a booking of several things, line by line.

    What is taxed alike is added up before VAT is worked out. Where VAT differs, `parts` has one price per rule of
    VAT: that is how it is charged. What the list does not price is free, and a line says so.
    """
    if not items:
        return main
    lines: dict[VatRule, list[PriceLine]] = {main.vat_rule: list(main.lines)}
    list_ore: dict[VatRule, int] = {main.vat_rule: main.list_ore}
    assumed = dict(zip(main.assumptions, main.assumptions_en, strict=False))
    for item in items:
        if item.quote is None:
            lines[main.vat_rule].append(_free(item))
            continue
        rule = item.quote.vat_rule
        lines.setdefault(rule, []).extend(_named(line, item) for line in item.quote.lines)
        list_ore[rule] = list_ore.get(rule, 0) + item.count * item.quote.list_ore
        assumed |= dict(zip(item.quote.assumptions, item.quote.assumptions_en, strict=False))
    base = msgspec.structs.replace(
        main, assumptions=tuple(assumed), assumptions_en=tuple(assumed.values()), parts=()
    )
    return _joined([_summed(base, rule, lines[rule], list_ore[rule]) for rule in lines])


def capped(quote: Quote, most_ore: int) -> Quote:
    """Return the price with a line that brings it down to `most_ore`, if it is above."""
    over = quote.total_ore - most_ore
    if over <= 0:
        return quote
    parts = []
    for part in quote.parts or (quote,):
        cut = min(over, part.total_ore)
        over -= cut
        line = PriceLine(*CAPPED, "capped", "1", "maximum", -cut, -cut)
        parts.append(_summed(part, part.vat_rule, [*part.lines, *([line] if cut else [])], part.list_ore))
    return _joined(parts)


def _summed(base: Quote, rule: VatRule, lines: Iterable[PriceLine], list_ore: int) -> Quote:
    kept = tuple(lines)
    total = sum(line.amount_ore for line in kept)
    net = net_of(total, vat.RULES[rule].percent)
    return msgspec.structs.replace(
        base,
        total_ore=total,
        net_ore=net,
        vat_ore=total - net,
        vat_rule=rule,
        vat_text=vat.RULES[rule].sv,
        lines=kept,
        list_ore=list_ore,
        parts=(),
    )


def _joined(parts: Sequence[Quote]) -> Quote:
    if len(parts) == 1:
        return parts[0]
    return msgspec.structs.replace(
        parts[0],
        total_ore=sum(one.total_ore for one in parts),
        net_ore=sum(one.net_ore for one in parts),
        vat_ore=sum(one.vat_ore for one in parts),
        vat_text="; ".join(dict.fromkeys(one.vat_text for one in parts)),
        lines=tuple(line for one in parts for line in one.lines),
        list_ore=sum(one.list_ore for one in parts),
        parts=tuple(parts),
    )


def _label(item: Item) -> str:
    return item.name if item.count == 1 else f"{item.count} × {item.name}"


def _free(item: Item) -> PriceLine:
    text, english = f"{_label(item)}: utan avgift", f"{_label(item)}: free of charge"
    return PriceLine(text, english, "free", str(item.count), "occasion", 0, 0)


def _named(line: PriceLine, item: Item) -> PriceLine:
    return msgspec.structs.replace(
        line,
        text=f"{_label(item)}: {line.text}",
        text_en=f"{_label(item)}: {line.text_en}",
        unit_ore=line.unit_ore * item.count,
        amount_ore=line.amount_ore * item.count,
    )
