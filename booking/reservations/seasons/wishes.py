"""The wishes of a round's sent applications, and what they have: as rows, and as the allocation knows them."""

from datetime import date
from uuid import UUID

import msgspec

from booking import db
from booking.reservations.seasons.ground import Fixed, Slot, Window, Wish
from booking.reservations.seasons.rounds import RoundRow
from booking.reservations.seasons.rules import Activity, rank_of


class WishRow(db.Record):
    """A wish with what decides about its class."""

    id: UUID
    application: UUID
    party: UUID
    party_name: str
    kind: str
    granted: bool
    title: str
    activity: Activity
    age_from: int
    age_to: int
    people: int
    whole_season: bool
    times: int
    minutes: int
    windows: str
    outcome: str | None
    resources: list[UUID]

    @property
    def painted(self) -> tuple[Window, ...]:
        """The windows as values."""
        return msgspec.json.decode(self.windows, type=tuple[Window, ...])

    def rank(self, row: RoundRow) -> int:
        """Return its priority class in the round."""
        return rank_of(
            row.terms.classes,
            kind=self.kind,
            activity=self.activity,
            age_to=self.age_to,
            whole_season=self.whole_season,
            granted=self.granted,
        )


class AllocationRow(db.Record):
    """An allocation as it is stored."""

    id: UUID
    round: UUID
    wish: UUID
    resource: UUID
    weekday: int
    opens: int
    closes: int
    state: str
    by_hand: bool
    reason: str
    series: UUID | None
    skipped: str
    problem: str | None

    @property
    def slot(self) -> Slot:
        """The weekly time."""
        return Slot(self.resource, self.weekday, self.opens, self.closes)

    @property
    def fixed(self) -> Fixed:
        """As the allocation knows what is given."""
        return Fixed(self.wish, self.slot)


_WISHES = """
SELECT w.id, w.application, a.party, p.name AS party_name, p.kind,
  EXISTS (SELECT FROM customer_evidence e WHERE e.party = p.id AND e.municipality = $2
    AND e.category = 'activity_grant' AND e.valid_from <= $3 AND (e.valid_to IS NULL OR e.valid_to >= $3)) AS granted,
  w.title, w.activity, w.age_from, w.age_to, w.people, w.whole_season, w.times, w.minutes, w.windows, w.outcome,
  ARRAY(SELECT r.resource FROM season_wish_resource r WHERE r.wish = w.id ORDER BY r.position) AS resources
FROM season_wish w JOIN season_application a ON a.id = w.application JOIN party p ON p.id = a.party
"""
ALLOCATIONS = """
SELECT id, round, wish, resource, weekday, opens, closes, state, by_hand, reason, series, skipped, problem
FROM season_allocation
"""


async def wishes_of(row: RoundRow, *, on: date | None = None) -> list[WishRow]:
    """Return the sent wishes of a round, by association and position. Support counts as decided on the first day."""
    return await db.rows(
        WishRow,
        _WISHES + " WHERE a.round = $1 AND a.state = 'sent' ORDER BY p.name, w.position, w.id",
        row.id,
        row.municipality,
        on or row.starts_on,
    )


async def application_wishes(row: RoundRow, party: UUID) -> list[WishRow]:
    """Return the wishes of one party, sent or not."""
    return await db.rows(
        WishRow,
        _WISHES + " WHERE a.round = $1 AND a.party = $4 ORDER BY w.position, w.id",
        row.id,
        row.municipality,
        row.starts_on,
        party,
    )


async def allocations_of(round_id: UUID) -> list[AllocationRow]:
    """Return what is given in a round, by weekday and start."""
    return await db.rows(
        AllocationRow, ALLOCATIONS + " WHERE round = $1 ORDER BY weekday, opens, resource, id", round_id
    )


def as_wishes(rows: list[WishRow], row: RoundRow) -> list[Wish]:
    """Return the wishes as the allocation knows them."""
    youth_age = row.terms.youth_age
    return [
        Wish(
            one.id,
            one.party,
            one.rank(row),
            one.times,
            one.minutes,
            one.painted,
            tuple(one.resources),
            one.age_to <= youth_age,
        )
        for one in rows
    ]
