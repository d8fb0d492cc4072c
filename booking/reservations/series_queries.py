"""Reads of series. Each takes the actor; another party's or municipality's series look absent."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking import db, places
from booking.errors import NotFound
from booking.people import Actor, Role
from booking.places import ResourceCard
from booking.reservations.queries import cards_of
from booking.reservations.recurrence import Pattern, Wall, read_rule
from booking.reservations.rule_text import rule_text
from booking.reservations.views import PartyRef, Purpose, ReservationCard

SeriesDeed = Literal["change", "cancel", "add_date"]


class SeriesRow(db.Record):
    """A series as it is stored."""

    id: UUID
    municipality: str
    resource: UUID
    party: UUID
    party_name: str
    account: UUID | None
    rrule: str
    starts_local: str
    minutes: int
    exdates: str
    rdates: str
    skip_school_breaks: bool
    purpose: Purpose
    title: str | None
    follows: UUID | None
    version: int
    ended_at: datetime | None

    @property
    def first(self) -> Wall:
        """The first time, on the wall clock."""
        day, clock = self.starts_local.split("T")
        opens = int(clock[:2]) * 60 + int(clock[3:])
        return Wall(date.fromisoformat(day), opens, opens + self.minutes)

    @property
    def pattern(self) -> Pattern:
        """What recurs."""
        return Pattern(
            self.first,
            read_rule(self.rrule),
            frozenset(msgspec.json.decode(self.exdates, type=list[date])),
            tuple(msgspec.json.decode(self.rdates, type=list[Wall])),
        )


class SeriesCard(db.Record):
    """A series as lists show it."""

    id: UUID
    title: str | None
    resource: ResourceCard
    party: PartyRef
    purpose: Purpose
    rule_text_sv: str
    rule_text_en: str
    next: datetime | None
    count: int
    left: int


class SeriesPage(db.Record):
    """A series with all its bookings that stand or have been; `next` is the first one ahead, sums are öre."""

    id: UUID
    title: str | None
    resource: ResourceCard
    party: PartyRef
    purpose: Purpose
    rrule: str
    rule_text_sv: str
    rule_text_en: str
    occurrences: list[ReservationCard]
    next: datetime | None
    total_ore: int
    follows: UUID | None
    ended_at: datetime | None
    can: list[SeriesDeed]


_SELECT = """
SELECT s.id, s.municipality, s.resource, s.party, p.name AS party_name, s.account, s.rrule, s.starts_local,
  s.minutes, s.exdates, s.rdates, s.skip_school_breaks, s.purpose, s.title, s.follows, s.version, s.ended_at
FROM series s JOIN party p ON p.id = s.party
"""


async def series_row(series: UUID, by: Actor, *, lock: bool = False) -> SeriesRow:
    """Return a series to those who act for its party and to the owner's staff. Raises NotFound.

    With `lock` nobody else changes it until the transaction ends.
    """
    row = await db.row(
        SeriesRow, _SELECT + " WHERE s.id = $1" + (" FOR NO KEY UPDATE OF s" if lock else ""), series
    )
    if row is None or not (row.party in by.acts_for or by.has(row.municipality, Role.STAFF, Role.FINANCE)):
        raise NotFound("there is no such series")
    return row


async def rule_texts(series: Sequence[UUID], by: Actor) -> dict[UUID, tuple[str, str]]:
    """Return the rules of series that the actor may see as sentences, Swedish and English."""
    rows = await db.rows(SeriesRow, _SELECT + " WHERE s.id = ANY($1)", list(series)) if series else []
    return {
        one.id: (
            rule_text(one.pattern, "sv", skips_breaks=one.skip_school_breaks),
            rule_text(one.pattern, "en", skips_breaks=one.skip_school_breaks),
        )
        for one in rows
        if one.party in by.acts_for or by.has(one.municipality, Role.STAFF, Role.FINANCE)
    }


async def series_page(series: UUID, by: Actor, now: datetime) -> SeriesPage:
    """Return one series with its bookings. Raises NotFound."""
    row = await series_row(series, by)
    ids = await db.column(UUID, "SELECT id FROM reservation WHERE series = $1 AND state <> 'expired'", series)
    times = await cards_of(ids, by, now)
    standing = [one for one in times if one.state not in ("cancelled", "rejected")]
    ahead = [one.start for one in standing if one.start > now]
    resource = await places.resource(row.resource, in_use=False)
    handles = row.party in by.acts_for or by.has(row.municipality, Role.STAFF)
    pattern = row.pattern
    return SeriesPage(
        row.id,
        row.title,
        resource.card,
        PartyRef(row.party, row.party_name),
        row.purpose,
        row.rrule,
        rule_text(pattern, "sv", skips_breaks=row.skip_school_breaks),
        rule_text(pattern, "en", skips_breaks=row.skip_school_breaks),
        times,
        min(ahead, default=None),
        sum(one.price_ore for one in standing),
        row.follows,
        row.ended_at,
        ["change", "cancel", "add_date"] if handles and ahead and row.ended_at is None else [],
    )


class _Counted(SeriesRow):
    next: datetime | None
    count: int
    left: int


async def series_of(
    by: Actor, *, party: UUID | None, now: datetime, limit: int, offset: int
) -> tuple[list[SeriesCard], int]:
    """Return series of the parties the actor acts for, those with the nearest time ahead first, and how many."""
    parties = sorted(by.acts_for if party is None else by.acts_for & {party})
    total = await db.value(int, "SELECT count(*) FROM series WHERE party = ANY($1)", parties)
    found = await db.rows(
        _Counted,
        "SELECT t.*, r.next, r.count, r.left FROM (" + _SELECT + " WHERE s.party = ANY($1)) t"
        " CROSS JOIN LATERAL (SELECT min(starts_at) FILTER (WHERE starts_at > $2) AS next, count(*),"
        "  count(*) FILTER (WHERE starts_at > $2) AS left FROM reservation"
        "  WHERE series = t.id AND state IN ('requested', 'confirmed', 'completed')) r"
        " ORDER BY r.next NULLS LAST, t.id DESC LIMIT $3 OFFSET $4",
        parties,
        now,
        limit,
        offset,
    )
    resources = await places.resources_by_id([one.resource for one in found])
    return [_card(one, resources[one.resource].card) for one in found], total or 0


def _card(row: _Counted, resource: ResourceCard) -> SeriesCard:
    pattern = row.pattern
    return SeriesCard(
        row.id,
        row.title,
        resource,
        PartyRef(row.party, row.party_name),
        row.purpose,
        rule_text(pattern, "sv", skips_breaks=row.skip_school_breaks),
        rule_text(pattern, "en", skips_breaks=row.skip_school_breaks),
        row.next,
        row.count,
        row.left,
    )
