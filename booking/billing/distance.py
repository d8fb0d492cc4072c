"""Pure: what the km of a trip cost on top of the time, by the list that the booking was priced with."""

from dataclasses import replace

import msgspec

from booking.billing import vat
from booking.billing.conditions import CustomerFacts, Usage
from booking.billing.pricing import PriceLine, Quote, Tariff, quote
from booking.money import net_of


def distance_fee(tariff: Tariff, usage: Usage, facts: CustomerFacts) -> Quote:
    """Return the price of the usage's km alone; zero where the list has none. Raises NotPriced."""
    driven, parked = quote(tariff, usage, facts), quote(tariff, replace(usage, km=0), facts)
    total = max(driven.total_ore - parked.total_ore, 0)
    lines = [line for line in driven.lines if line.unit == "km"]
    listed = sum(line.amount_ore for line in lines)
    if listed != total:  # a discount or a cap of the whole covers the km too
        rest = total - listed
        lines.append(
            PriceLine("Rabatt enligt taxan", "Discount by the list", "km", "1", "occasion", rest, rest)
        )
    net = net_of(total, vat.RULES[driven.vat_rule].percent)
    return msgspec.structs.replace(
        driven,
        total_ore=total,
        net_ore=net,
        vat_ore=total - net,
        lines=tuple(lines),
        list_ore=listed,
        assumptions=(),
        assumptions_en=(),
        parts=(),
    )
