"""Pure: what a late cancellation, a no-show or unbooked use costs under the list the booking was made on."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import msgspec

from booking.billing import vat
from booking.billing.pricing import SWEDEN, NotPriced, PriceLine, Quote, Tariff, decimal
from booking.billing.tariff_data import FeeRule, Outcome
from booking.money import round_half_up, share


@dataclass(frozen=True, slots=True)
class Notice:
    """How long before the start something was said: elapsed, and in local days before the day of use."""

    lead: timedelta
    days: int


def notice(starts_at: datetime, at: datetime) -> Notice:
    """Return the notice given at an instant for use that starts at another."""
    return Notice(starts_at - at, (_local_date(starts_at) - _local_date(at)).days)


def cancellation_fee(tariff: Tariff, snapshot: Quote, given: Notice, *, by_municipality: bool) -> Quote:
    """Return the fee that replaces the rent when a booking is cancelled with this notice.

    Zero when the municipality cancels; the longest notice needed for that is the municipality's own affair.
    """
    rule = None if by_municipality else _fee(tariff, "cancelled", snapshot, given)
    return _fee_quote(tariff, snapshot, rule, Fraction(1))


def change_fee(tariff: Tariff, snapshot: Quote, given: Notice, *, releases: bool) -> Quote:
    """Return the fee for moving a booking. Without rows for `moved`, a time released late costs as a cancellation."""
    if any(rule.outcome == "moved" for rule in tariff.data.fees):
        return _fee_quote(tariff, snapshot, _fee(tariff, "moved", snapshot, given), Fraction(1))
    return cancellation_fee(tariff, snapshot, given, by_municipality=not releases)


def no_show_fee(tariff: Tariff, snapshot: Quote) -> Quote:
    """Return the fee on top of the rent when time was neither used nor cancelled; zero when the list has none."""
    return _fee_quote(tariff, snapshot, _fee(tariff, "no_show", snapshot, None), Fraction(1))


def unbooked_use_fee(tariff: Tariff, snapshot: Quote, used: timedelta) -> Quote:
    """Return the penalty for use without booking. It is not rent. Raises NotPriced when the list has none."""
    rule = _fee(tariff, "unbooked_use", snapshot, None)
    if rule is None:
        raise NotPriced(f"{tariff.data.title} has no fee for unbooked use")
    return _fee_quote(tariff, snapshot, rule, Fraction(int(used.total_seconds()), 3600))


def free_until(tariff: Tariff, snapshot: Quote, starts_at: datetime) -> datetime | None:
    """Return until when cancelling is free of charge, or None when it always is. Long ago where it never was."""
    limits = [
        at
        for rule in tariff.data.fees
        if _fits(rule, "cancelled", snapshot)
        for at in _limits(rule, starts_at)
    ]
    for at in sorted({*limits, starts_at}, reverse=True):
        fee = _fee_quote(
            tariff, snapshot, _fee(tariff, "cancelled", snapshot, notice(starts_at, at)), Fraction(1)
        )
        if fee.total_ore == 0:
            return None if at == starts_at else at
    return datetime.fromtimestamp(0, UTC)


def _limits(rule: FeeRule, starts_at: datetime) -> list[datetime]:
    """Return the last instants at which the row does not apply."""
    found = []
    if rule.lead_shorter_than is not None:
        found.append(starts_at - timedelta(minutes=rule.lead_shorter_than))
    if rule.days_fewer_than is not None:
        day = _local_date(starts_at) - timedelta(days=rule.days_fewer_than - 1)
        found.append(
            datetime(day.year, day.month, day.day, tzinfo=SWEDEN).astimezone(UTC) - timedelta(seconds=1)
        )
    return found


def _local_date(moment: datetime) -> date:
    return moment.astimezone(SWEDEN).date()


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


def _fee(tariff: Tariff, outcome: Outcome, snapshot: Quote, given: Notice | None) -> FeeRule | None:
    """Return the first fee row that fits. Exactly at the limit ("24 h before") is in time."""
    for rule in tariff.data.fees:
        if _is_late(rule, given) and _fits(rule, outcome, snapshot):
            return rule
    return None


def _is_late(rule: FeeRule, given: Notice | None) -> bool:
    if given is None or (rule.lead_shorter_than is None and rule.days_fewer_than is None):
        return True
    hours, days = rule.lead_shorter_than, rule.days_fewer_than
    return (hours is not None and given.lead < timedelta(minutes=hours)) or (
        days is not None and given.days < days
    )


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
        parts=(),
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
