"""Pure: may this list be published? Its own examples must hold, and it must have no hole and no ambiguity."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product

from booking.billing import fees
from booking.billing.conditions import Case, CustomerFacts, Usage
from booking.billing.pricing import (
    SWEDEN,
    NotPriced,
    Quote,
    Tariff,
    compile_tariff,
    look_at,
    price,
    quote,
)
from booking.billing.tariff_data import Category, Example, ExampleUsage, Rule, TariffList, When
from booking.errors import Rejected

MANY = 20  # faults listed in one refusal


class ListRefused(Rejected):
    """The list cannot be published; the text names every fault."""

    code = "tariff_refused"


@dataclass(frozen=True, slots=True)
class Result:
    """What the engine answered to an example."""

    total_ore: int | None
    net_ore: int | None
    category: str | None
    refused: str | None


def prove(data: TariffList) -> Tariff:
    """Return the list ready for use. Raises ListRefused unless every example and the coverage check pass."""
    tariff = compile_tariff(data)
    faults = [*failed_examples(tariff), *holes(tariff)]
    if faults:
        more = f" … and {len(faults) - MANY} more" if len(faults) > MANY else ""
        raise ListRefused(f"{data.title}: " + "; ".join(faults[:MANY]) + more)
    return tariff


def failed_examples(tariff: Tariff) -> Iterator[str]:
    """Yield one text per example whose answer is not the expected one."""
    for example in tariff.data.examples:
        got = run_example(tariff, example)
        for name, expected in (
            ("total_ore", example.ore),
            ("net_ore", example.net_ore),
            ("category", example.category),
        ):
            if expected is not None and getattr(got, name) != expected:
                yield f"example {example.id}: {name} is {getattr(got, name)}, should be {expected}"
        if got.refused != example.refused:
            yield f"example {example.id}: refused as {got.refused}, should be {example.refused}"


def run_example(tariff: Tariff, example: Example) -> Result:
    """Price an example and what happened to it; the total is all the customer ends up owing."""
    who = example.customer
    facts = CustomerFacts(who.kind, who.home, frozenset(who.evidence), who.measured)
    try:
        snapshot = quote(tariff, usage_of(example.usage), facts)
        return Result(_owed(tariff, example, snapshot), snapshot.net_ore, snapshot.category, None)
    except NotPriced as refusal:
        return Result(None, None, None, refusal.code)


def usage_of(given: ExampleUsage) -> Usage:
    """Turn an example's local times into instants."""
    starts = datetime.fromisoformat(given.starts).replace(tzinfo=SWEDEN).astimezone(UTC)
    ends = (
        datetime.fromisoformat(given.ends).replace(tzinfo=SWEDEN).astimezone(UTC)
        if given.ends
        else starts + timedelta(minutes=given.minutes)
    )
    return Usage(
        given.resource, starts, ends, given.purpose, frozenset(given.tags), given.age,
        given.km, given.m2, given.nights, given.years,
    )  # fmt: skip


def _owed(tariff: Tariff, example: Example, snapshot: Quote) -> int:
    if example.outcome in ("cancelled", "moved"):
        starts = datetime.fromisoformat(example.usage.starts).replace(tzinfo=SWEDEN).astimezone(UTC)
        given = fees.notice(starts, starts - timedelta(minutes=example.lead or 0))
        if example.outcome == "moved":
            return fees.change_fee(tariff, snapshot, given, releases=not example.by_municipality).total_ore
        return fees.cancellation_fee(
            tariff, snapshot, given, by_municipality=example.by_municipality
        ).total_ore
    if example.outcome == "unbooked_use":
        return fees.unbooked_use_fee(tariff, snapshot, timedelta(minutes=example.usage.minutes)).total_ore
    entered = None if example.first_entry is None else timedelta(minutes=example.first_entry)
    late = entered is not None and fees.is_forfeited(tariff, entered)
    extra = fees.no_show_fee(tariff, snapshot).total_ore if example.outcome == "no_show" or late else 0
    return snapshot.total_ore + extra


def holes(tariff: Tariff) -> Iterator[str]:
    """Yield one text per class and category that some probe finds without exactly one price.

    Probes lie below, at and above every bound of the rows concerned, on every kind of day and purpose.
    """
    if not tariff.data.categories or tariff.data.categories[-1].when != When():
        yield "the last customer category must hold for everyone"
    for name in tariff.data.classes:
        rules = tuple(rule for group in tariff.rows[name].values() for rule in group)
        cases = tuple(_probes(tariff, name, rules))
        for category in tariff.data.categories:
            fault = _first_fault(tariff, cases, category)
            if fault:
                yield fault


def _first_fault(tariff: Tariff, cases: Iterable[Case], category: Category) -> str | None:
    for case in cases:
        try:
            price(tariff, case, category)
        except NotPriced as fault:
            tags = ", ".join(sorted(case.usage.tags)) or "no tags"
            at = (
                f"{case.usage.purpose}, {tags}, {case.seconds / 60:g} min from {case.local:%a %Y-%m-%d %H:%M}"
            )
            return f"{fault} ({at})"
    return None


def _probes(tariff: Tariff, name: str, rules: tuple[Rule, ...]) -> Iterator[Case]:
    who = CustomerFacts("person", tariff.data.municipality)
    asked = [rule.when for rule in rules]
    for starts, seconds, purpose, tags, age in product(
        _starts(tariff, asked), _lengths(tariff, asked), tariff.data.purposes, _tags(asked), _ages(asked)
    ):
        ends = starts + timedelta(seconds=seconds)
        yield look_at(tariff, Usage(name, starts, ends, purpose, tags, age), who)


def _starts(tariff: Tariff, asked: list[When]) -> list[datetime]:
    clocks = {"12:00"}
    for when in asked:
        for bound in filter(None, (when.starts_from, when.starts_before)):
            clocks |= {bound, _a_minute_before(bound)}
    first = date.fromisoformat(tariff.data.valid_from)
    days = [first + timedelta(days=n) for n in range(366)]
    chosen = (
        {tariff.day_class(day): day for day in reversed(days)} if any(w.day for w in asked) else {None: first}
    )
    dates = {*chosen.values()}
    for bound in {b for when in asked for b in when.season or ()}:
        on = next(day for day in days if f"{day:%m-%d}" == bound)
        dates |= {on, on - timedelta(days=1), on + timedelta(days=1)}
    return [
        datetime.combine(day, time.fromisoformat(clock), SWEDEN).astimezone(UTC)
        for day in sorted(dates)
        for clock in sorted(clocks)
    ]


def _a_minute_before(clock: str) -> str:
    minutes = (int(clock[:2]) * 60 + int(clock[3:]) - 1) % 1440
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _lengths(tariff: Tariff, asked: list[When]) -> list[int]:
    """Return probe lengths in seconds: around every bound, and one plain hour."""
    least = max(60, tariff.data.min_minutes * 60)
    found = {max(least, 3600)}
    for when in asked:
        for bound in (when.longer_than, when.at_least, when.shorter_than, when.at_most):
            if bound is not None:
                found |= {bound * 60 - 1, bound * 60, bound * 60 + 1}
    return sorted(seconds for seconds in found if seconds >= least)


def _tags(asked: list[When]) -> list[frozenset[str]]:
    named = sorted({tag for when in asked for tag in (*when.tags, *when.without_tags)})
    sets = [frozenset[str]()]
    for tag in named:
        sets += [have | {tag} for have in sets]
    return sets


def _ages(asked: list[When]) -> list[int | None]:
    bounds = {b for when in asked for b in (when.age_from, when.age_to) if b is not None}
    return [None, *sorted({age for bound in bounds for age in (bound - 1, bound, bound + 1)})]
