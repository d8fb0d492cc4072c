"""Pure: what a late cancellation, a no-show or unbooked use costs under the list the booking was made on."""

from datetime import timedelta
from fractions import Fraction

import msgspec

from booking.billing import vat
from booking.billing.pricing import NotPriced, PriceLine, Quote, Tariff, decimal
from booking.billing.tariff_data import FeeRule, Outcome
from booking.money import round_half_up, share


def cancellation_fee(
    tariff: Tariff, snapshot: Quote, lead_time: timedelta, *, by_municipality: bool
) -> Quote:
    """Return the fee that replaces the rent when a booking is cancelled `lead_time` before its start.

    Zero when the municipality cancels; the longest notice needed for that is the municipality's own affair.
    """
    rule = None if by_municipality else _fee(tariff, "cancelled", snapshot, lead_time)
    return _fee_quote(tariff, snapshot, rule, Fraction(1))


def no_show_fee(tariff: Tariff, snapshot: Quote) -> Quote:
    """Return the fee on top of the rent when time was neither used nor cancelled; zero when the list has none."""
    return _fee_quote(tariff, snapshot, _fee(tariff, "no_show", snapshot, None), Fraction(1))


def unbooked_use_fee(tariff: Tariff, snapshot: Quote, used: timedelta) -> Quote:
    """Return the penalty for use without booking. It is not rent. Raises NotPriced when the list has none."""
    rule = _fee(tariff, "unbooked_use", snapshot, None)
    if rule is None:
        raise NotPriced(f"{tariff.data.title} has no fee for unbooked use")
    return _fee_quote(tariff, snapshot, rule, Fraction(int(used.total_seconds()), 3600))


def free_notice(tariff: Tariff, snapshot: Quote) -> timedelta | None:
    """Return how long before the start cancelling is still free, or None when it always is."""
    leads = [rule.lead_shorter_than or 0 for rule in tariff.data.fees if _fits(rule, "cancelled", snapshot)]
    return timedelta(minutes=max(leads)) if leads else None


def is_forfeited(tariff: Tariff, first_entry: timedelta | None) -> bool:
    """Tell whether the occasion counts as not used, given how long after the start someone first came."""
    limit = tariff.data.forfeit_after
    return first_entry is None or (limit is not None and first_entry > timedelta(minutes=limit))


def _fits(rule: FeeRule, outcome: Outcome, snapshot: Quote) -> bool:
    return (
        rule.outcome == outcome
        and (not rule.purpose or snapshot.purpose in rule.purpose)
        and (not rule.without_purpose or snapshot.purpose not in rule.without_purpose)
        and (not rule.category or snapshot.category in rule.category)
    )


def _fee(tariff: Tariff, outcome: Outcome, snapshot: Quote, lead: timedelta | None) -> FeeRule | None:
    """Return the first fee row that fits. Exactly at the limit ("24 h before") is in time."""
    for rule in tariff.data.fees:
        limit = rule.lead_shorter_than
        late = limit is None or lead is None or lead < timedelta(minutes=limit)
        if late and _fits(rule, outcome, snapshot):
            return rule
    return None


def _fee_quote(tariff: Tariff, snapshot: Quote, rule: FeeRule | None, hours: Fraction) -> Quote:
    line = None if rule is None else _line(rule, snapshot, hours)
    total = 0 if line is None else line.amount_ore
    outside = vat.RULES["outside"]
    assumed = rule.assumed if rule else None
    return msgspec.structs.replace(
        snapshot,
        total_ore=total,
        net_ore=total,
        vat_ore=0,
        vat_rule="outside",
        vat_text=outside.sv,
        lines=() if line is None else (line,),
        decision=tariff.data.decision,
        tariff=tariff.data.title,
        tariff_id=tariff.id,
        list_ore=total,
        assumptions=(assumed,) if assumed else (),
        assumptions_en=((rule.assumed_en if rule else None) or assumed,) if assumed else (),
    )


def _line(rule: FeeRule, snapshot: Quote, hours: Fraction) -> PriceLine:
    if rule.unit == "percent":
        subject = snapshot.list_ore if rule.of == "list" else snapshot.total_ore
        amount = share(subject, rule.pct, 100)
        return PriceLine(rule.sv, rule.en, rule.id, str(rule.pct), "percent", subject, amount)
    count = hours if rule.unit == "hour" else Fraction(1)
    amount = round_half_up(count * rule.ore)
    return PriceLine(rule.sv, rule.en, rule.id, decimal(count), rule.unit, rule.ore, amount)
