"""Pure pricing: a published list, a usage and a customer give one explained price. No database, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import msgspec

from booking.billing import vat
from booking.billing.calendar_days import day_class
from booking.billing.conditions import Case, CustomerFacts, Usage, holds
from booking.billing.tariff_data import Category, Rule, TariffList, VatRule
from booking.errors import Rejected
from booking.money import Ore, net_of, round_half_up, share

SWEDEN = ZoneInfo("Europe/Stockholm")
HOUR = 3600
KM_LATER = ("Kilometeravgiften tillkommer efter körning.", "The charge per km is added after the trip.")
HOME_UNKNOWN = ("Vi antar att du bor i kommunen.", "We assume that you live in the municipality.")


class NotPriced(Rejected):
    """The list has no price for this, or refuses it; `code` says which."""

    code = "not_priced"


class TooShort(NotPriced):
    """The booking is shorter than the list allows."""

    code = "too_short"


class AmbiguousPrice(NotPriced):
    """Two rows of the list claim the same booking; publishing refuses such a list."""

    code = "ambiguous_price"


class PriceLine(msgspec.Struct, frozen=True):
    """One explained line; amounts in öre, negative for a discount."""

    text: str
    text_en: str
    rule: str
    quantity: str
    unit: str
    unit_ore: int
    amount_ore: int


class Quote(msgspec.Struct, frozen=True):
    """A price with its explanation. Stored with the booking, never recomputed. `list_ore` is before discounts."""

    total_ore: int
    net_ore: int
    vat_ore: int
    vat_rule: VatRule
    vat_text: str
    lines: tuple[PriceLine, ...]
    category: str
    category_text: str
    decision: str
    tariff: str
    tariff_id: str
    list_ore: int
    resource_class: str
    purpose: str
    assumptions: tuple[str, ...] = ()
    assumptions_en: tuple[str, ...] = ()
    parts: tuple["Quote", ...] = ()  # one per VAT rule, where a booking of several things has more than one


@dataclass(frozen=True, slots=True)
class Tariff:
    """A list made ready for pricing: its rows by resource class and group. Build with compile_tariff."""

    data: TariffList
    rows: Mapping[str, Mapping[str, tuple[Rule, ...]]]

    @property
    def id(self) -> str:
        """Name the list's version."""
        return self.data.id

    def day_class(self, day: date) -> str | None:
        """Return the list's kind of day for a local date."""
        return day_class(self.data.day_classes, day) if self.data.day_classes else None


def compile_tariff(data: TariffList) -> Tariff:
    """Index the rows of a list by resource class, so that a quote looks only at its own few."""
    rows: dict[str, dict[str, list[Rule]]] = {name: {} for name in data.classes}
    for rule in data.rules:
        for name in data.classes if "*" in rule.resource else rule.resource:
            if name not in rows:
                raise NotPriced(f"rule {rule.id} prices {name}, which is not among the list's classes")
            rows[name].setdefault(rule.group, []).append(rule)
    return Tariff(data, {name: {g: tuple(r) for g, r in groups.items()} for name, groups in rows.items()})


def quote(tariff: Tariff, usage: Usage, customer: CustomerFacts) -> Quote:
    """Return the one price the list gives. Raises NotPriced (or a child of it) when it gives none.

    Conditions on day and hour are judged at the local start; lengths are elapsed time.
    """
    case = look_at(tariff, usage, customer)
    return price(tariff, case, categorise(tariff, case))


def look_at(tariff: Tariff, usage: Usage, customer: CustomerFacts) -> Case:
    """Work out the local start, the elapsed seconds and the home of a case."""
    starts = usage.starts_at.astimezone(UTC)
    seconds = int((usage.ends_at.astimezone(UTC) - starts) / timedelta(seconds=1))
    if seconds < max(1, tariff.data.min_minutes * 60):
        raise TooShort(f"the shortest booking is {max(1, tariff.data.min_minutes)} min")
    local = starts.astimezone(SWEDEN)
    own = customer.home_municipality in (None, tariff.data.municipality)
    return Case(usage, customer, own, local, seconds, tariff.day_class(local.date()))


def categorise(tariff: Tariff, case: Case) -> Category:
    """Return the first category of the list that the customer fits for this usage."""
    for category in tariff.data.categories:
        if holds(category.when, case):
            return category
    raise NotPriced("no customer category of the list fits")


def price(tariff: Tariff, case: Case, category: Category) -> Quote:
    """Price a case in a given category: base, surcharges, add-ons, discount, caps; each line rounded once."""
    groups = tariff.rows.get(case.usage.resource_class)
    if groups is None:
        raise NotPriced(f"{tariff.data.title} has no price for {case.usage.resource_class}")
    base = choose_base(groups.get("base", ()), case, category.name)
    used = [base]
    lines = [line_of(base, case)]
    for group in ("surcharge", "addon"):
        for rule in matching(groups.get(group, ()), case, category.name):
            used.append(rule)
            lines.append(added_line(rule, case, lines[0].amount_ore))
    lines = [line for line in lines if line.amount_ore or line.rule == base.id]
    list_ore = sum(line.amount_ore for line in lines)
    for group in ("discount", "cap"):
        for rule in only(matching(groups.get(group, ()), case, category.name)):
            change = adjustment(rule, list_ore if group == "discount" else _sum(lines))
            if change is not None:
                used.append(rule)
                lines.append(change)
    return _quote(tariff, case, category, used, tuple(lines), list_ore)


def choose_base(rules: tuple[Rule, ...], case: Case, category: str) -> Rule:
    """Return the one base row; among rows marked cheapest, the one that costs least (the first on a tie)."""
    found = matching(rules, case, category)
    if not found:
        raise NotPriced(f"the list has no base price for {case.usage.resource_class} as {category}")
    if len(found) > 1 and any(rule.mode != "cheapest" for rule in found):
        names = ", ".join(rule.id for rule in found)
        raise AmbiguousPrice(f"{names} all price {case.usage.resource_class} as {category}")
    return min(found, key=lambda rule: amount(rule, case))


def matching(rules: tuple[Rule, ...], case: Case, category: str) -> list[Rule]:
    """Return the rows whose category and conditions fit."""
    return [r for r in rules if (not r.category or category in r.category) and holds(r.when, case)]


def only(rules: list[Rule]) -> list[Rule]:
    """Return at most one row: discounts and caps do not add up."""
    if len(rules) > 1:
        raise AmbiguousPrice(f"{', '.join(rule.id for rule in rules)} exclude each other")
    return rules


def units(rule: Rule, case: Case) -> Fraction:
    """Return how many units of the rule the usage has, after steps and free units."""
    if rule.unit == "hour":
        step = rule.step * 60
        seconds = -(-case.seconds // step) * step if step else case.seconds
        count = Fraction(seconds, HOUR)
    elif rule.unit == "day":
        count = Fraction(-(-case.seconds // (24 * HOUR)))
    else:
        count = Fraction(_counted(rule, case.usage))
    return max(Fraction(0), count - rule.free_units)


def _counted(rule: Rule, usage: Usage) -> int:
    match rule.unit:
        case "km":
            return usage.km
        case "night":
            return usage.nights
        case "m2year":
            return usage.m2 * usage.years
        case _:
            return 1


def amount(rule: Rule, case: Case) -> Ore:
    """Return what a row costs in öre, with at most `cap_24h` per started 24 hours."""
    count = units(rule, case)
    if rule.cap_24h is None:
        return round_half_up(count * rule.ore)
    days = count // 24
    rest = (count - days * 24) * rule.ore
    return round_half_up(
        Fraction(days * min(24 * rule.ore, rule.cap_24h)) + min(rest, Fraction(rule.cap_24h))
    )


def line_of(rule: Rule, case: Case) -> PriceLine:
    """Explain one row: quantity, unit price and amount."""
    total = amount(rule, case)
    count = units(rule, case)
    capped = total != round_half_up(count * rule.ore)
    text, english = (f"{rule.sv} (dygnspris)", f"{rule.en} (24-hour price)") if capped else (rule.sv, rule.en)
    return PriceLine(text, english, rule.id, decimal(count), rule.unit, rule.ore, total)


def added_line(rule: Rule, case: Case, base_ore: int) -> PriceLine:
    """Explain a surcharge or add-on; a percentage is of the base line."""
    if rule.unit != "percent":
        return line_of(rule, case)
    added = share(base_ore, rule.pct, 100)
    return PriceLine(rule.sv, rule.en, rule.id, str(rule.pct), "percent", base_ore, added)


def adjustment(rule: Rule, subject_ore: int) -> PriceLine | None:
    """Explain a discount (the customer pays `pct` percent) or a cap; None when it changes nothing."""
    if rule.unit == "percent":
        change = share(subject_ore, rule.pct, 100) - subject_ore
        return PriceLine(rule.sv, rule.en, rule.id, str(rule.pct), "percent", subject_ore, change)
    bounded = min(subject_ore, rule.ore) if rule.unit == "maximum" else max(subject_ore, rule.ore)
    change = bounded - subject_ore
    return PriceLine(rule.sv, rule.en, rule.id, "1", rule.unit, rule.ore, change) if change else None


def decimal(count: Fraction) -> str:
    """Write a quantity with a decimal comma and at most three decimals: "1,5"."""
    return f"{float(count):.3f}".rstrip("0").rstrip(".").replace(".", ",")


def _sum(lines: list[PriceLine]) -> int:
    return sum(line.amount_ore for line in lines)


def _quote(
    tariff: Tariff,
    case: Case,
    category: Category,
    used: list[Rule],
    lines: tuple[PriceLine, ...],
    list_ore: int,
) -> Quote:
    total = sum(line.amount_ore for line in lines)
    rule = tariff.data.classes[case.usage.resource_class].vat
    taxed = vat.RULES[rule]
    net = net_of(total, taxed.percent)
    assumed = _assumptions(used, case)
    return Quote(
        total_ore=total,
        net_ore=net,
        vat_ore=total - net,
        vat_rule=rule,
        vat_text=taxed.sv,
        lines=lines,
        category=category.name,
        category_text=category.sv,
        decision=tariff.data.decision,
        tariff=tariff.data.title,
        tariff_id=tariff.id,
        list_ore=list_ore,
        resource_class=case.usage.resource_class,
        purpose=case.usage.purpose,
        assumptions=tuple(sv for sv, _ in assumed),
        assumptions_en=tuple(en for _, en in assumed),
    )


def _assumptions(used: list[Rule], case: Case) -> list[tuple[str, str]]:
    found = [(rule.assumed, rule.assumed_en or rule.assumed) for rule in used if rule.assumed]
    if case.customer.home_municipality is None:
        found.append(HOME_UNKNOWN)
    if not case.usage.km and any(rule.unit == "km" for rule in used):
        found.append(KM_LATER)
    return found
