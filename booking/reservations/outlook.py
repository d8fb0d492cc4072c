"""What decides about many wishes of one customer: rules, open days, lists and occupation are each read once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from uuid import UUID

from booking import billing, db, places
from booking.clock import local_date
from booking.places import OpenDays, Period, Resource, Rules
from booking.reservations.allowing import waived
from booking.reservations.availability import Ground
from booking.reservations.calendar import Who, local_day, refusal
from booking.reservations.offers import Customer, usage
from booking.span import Span


@dataclass(frozen=True, slots=True)
class Asker:
    """The customer as one owner municipality's rules and lists know them."""

    who: Who
    drives_until: date | None
    book: billing.PriceBook


@dataclass(frozen=True, slots=True)
class Outlook:
    """Everything but occupation and quotas that decides about wishes on some local days."""

    rules: Mapping[UUID, list[Period]]
    opening: Mapping[UUID, OpenDays]
    askers: Mapping[str, Asker]
    purpose: str
    now: datetime
    waive: bool = False  # notice, horizon and release dates don't count: the owner's staff book for a reason

    def rules_of(self, resource: Resource, span: Span) -> Rules:
        """Return the rules of the day on which the use starts, without those that are waived."""
        day = local_day(span)
        rules = next((one[2] for one in self.rules[resource.id] if one[0] <= day < one[1]), Rules())
        return waived(rules) if self.waive else rules

    def ground(self, resource: Resource, span: Span) -> Ground:
        """Return what decides about a use of the resource besides occupation."""
        asker = self.askers[resource.facility.municipality.code]
        drives = None
        if asker.who.kind is not None:
            drives = asker.drives_until is not None and asker.drives_until >= local_day(span)
        who = replace(asker.who, drives=drives)
        return Ground(self.opening[resource.calendar], self.rules_of(resource, span), who, self.purpose)

    def refusal(self, resource: Resource, span: Span) -> str | None:
        """Return the code of the first rule that the use breaks, or None."""
        ground = self.ground(resource, span)
        return refusal(ground.rules, ground.opening, span, self.now, ground.who, self.purpose)

    def quote(self, resource: Resource, span: Span) -> billing.Quote:
        """Return the customer's price. Raises billing.NotPriced."""
        book = self.askers[resource.facility.municipality.code].book
        return book.quote(usage(resource, span, self.purpose), local_day(span))

    def ore(self, resource: Resource, span: Span) -> int | None:
        """Return the customer's price in öre, or None where the list has none."""
        try:
            return self.quote(resource, span).total_ore
        except billing.NotPriced:
            return None


async def look_ahead(
    resources: Sequence[Resource],
    spans: Iterable[Span],
    customer: Customer,
    purpose: str,
    now: datetime,
    *,
    waive: bool = False,
) -> Outlook:
    """Return the outlook for uses of these resources at these times, or anywhen on the same local days."""
    days = days_of(spans)
    first, last = (min(days), max(days)) if days else (now.date(), now.date())
    owners = {one.facility.municipality.code for one in resources}
    return Outlook(
        await places.rules_through([one.id for one in resources], first, last),
        await places.open_on(sorted({one.calendar for one in resources}), days),
        {owner: await _asker(customer, owner, first, last) for owner in sorted(owners)},
        purpose,
        now,
        waive,
    )


def days_of(spans: Iterable[Span]) -> list[date]:
    """Return every local day that one of the spans touches, in order."""
    days: set[date] = set()
    for span in spans:
        day, last = local_day(span), local_date(span.end)
        while day <= last:
            days.add(day)
            day += timedelta(days=1)
    return sorted(days)


class _Party(db.Record):
    kind: str
    home: str | None
    born: date | None
    drives_until: date | None


async def _asker(customer: Customer, owner: str, first: date, last: date) -> Asker:
    book = await billing.price_book(customer.party, owner, first, last, customer.home)
    found = await db.row(
        _Party,
        "SELECT p.kind, p.home_municipality AS home, p.born, (SELECT max(d.valid_to) FROM driver d"
        " JOIN account a ON a.id = d.account LEFT JOIN membership m ON m.account = a.id AND m.party = p.id"
        " WHERE d.municipality = $2 AND (a.party = p.id OR m.id IS NOT NULL)) AS drives_until"
        " FROM party p WHERE p.id = $1",
        customer.party,
        owner,
    )
    if found is None:
        return Asker(Who(is_own=customer.home == owner), None, book)
    return Asker(Who(found.kind, found.home == owner, found.born), found.drives_until, book)


@dataclass(frozen=True, slots=True)
class Claim:
    """Leaves in a stretch of time."""

    leaves: tuple[int, ...]
    window: Span


@dataclass(frozen=True, slots=True, order=True)
class Taken:
    """A stretch that is taken of some leaf, gap included, and by which reservation."""

    span: Span
    reservation: UUID


class _Met(db.Record):
    n: int
    reservation: UUID
    starts_at: datetime
    ends_at: datetime


# As in availability: the last row that starts before the window reaches into it or nothing does.
_BUSY = """
SELECT DISTINCT c.n, o.reservation, o.starts_at, o.ends_at
FROM unnest($1::int[], $2::int[], $3::timestamptz[], $4::timestamptz[]) AS c(n, leaf, starts_at, ends_at)
CROSS JOIN LATERAL (
  SELECT * FROM (SELECT reservation, starts_at, ends_at, hold_until FROM occupancy
                 WHERE leaf = c.leaf AND starts_at < c.starts_at ORDER BY starts_at DESC LIMIT 1) before
  WHERE before.ends_at > c.starts_at
  UNION ALL
  SELECT reservation, starts_at, ends_at, hold_until FROM occupancy
  WHERE leaf = c.leaf AND starts_at >= c.starts_at AND starts_at < c.ends_at
) o WHERE o.hold_until IS NULL OR o.hold_until > $5
"""


async def taken_in(claims: Sequence[Claim], now: datetime) -> list[list[Taken]]:
    """Return for each claim what is taken of its leaves in its window, in order: one query, one look per leaf."""
    rows = [
        (n, leaf, one.window.start, one.window.end) for n, one in enumerate(claims) for leaf in one.leaves
    ]
    columns: list[list[object]] = [list(column) for column in zip(*rows, strict=True)] or [[], [], [], []]
    found: dict[int, list[Taken]] = defaultdict(list)
    for one in await db.rows(_Met, _BUSY, *columns, now):
        found[one.n].append(Taken(Span(one.starts_at, one.ends_at), one.reservation))
    return [sorted(found[n]) for n in range(len(claims))]
