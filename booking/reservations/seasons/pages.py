"""Reads of season rounds. Each takes the actor; other municipalities' drafts and other parties' applications look absent."""

from collections import defaultdict
from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking import db, places
from booking.errors import NotFound
from booking.people import Actor, Role
from booking.places import MunicipalityRef
from booking.reservations.seasons.candidates import covers
from booking.reservations.seasons.explaining import Missing, figures_of
from booking.reservations.seasons.proposing import ProposalFacts
from booking.reservations.seasons.publishing import SkippedDate, progress_of
from booking.reservations.seasons.rounds import ROUND, RoundRow, round_row, staff_round
from booking.reservations.seasons.views import (
    AllocationView,
    ApplicationPage,
    ApplicationState,
    BlockerView,
    ClassShare,
    MissingView,
    MyApplication,
    PartyShare,
    PlaceMeeting,
    PlanPage,
    RoundCard,
    RoundPage,
    RoundState,
    WindowView,
    WishView,
)
from booking.reservations.seasons.weeks import bare_ground
from booking.reservations.seasons.wishes import (
    AllocationRow,
    WishRow,
    allocations_of,
    application_wishes,
    as_wishes,
    wishes_of,
)
from booking.reservations.views import PartyRef


async def rounds(by: Actor, now: datetime, *, municipality: str | None = None) -> list[RoundCard]:
    """Return the rounds the actor may see, the newest season first; drafts are for the owner's staff."""
    own = by.where(Role.STAFF)
    rows = await db.rows(
        RoundRow,
        ROUND
        + " WHERE ($1::text IS NULL OR s.municipality = $1) AND (s.state <> 'draft' OR s.municipality = ANY($2))"
        " ORDER BY s.starts_on DESC, s.name, s.id LIMIT 100",
        municipality,
        own,
    )
    return [await _card(row, by, now) for row in rows]


async def round_page(round_id: UUID, by: Actor, now: datetime) -> RoundPage:
    """Return one round. Raises NotFound."""
    row = await round_row(round_id, by)
    found = await places.resources_by_id(row.resources)
    card = await _card(row, by, now)
    facts = {name: getattr(card, name) for name in RoundCard.__struct_fields__}
    known = [found[one] for one in row.resources if one in found]
    meetings = [
        PlaceMeeting(
            one.id,
            [each.id for each in known if each is not one and not set(each.leaves).isdisjoint(one.leaves)],
        )
        for one in known
    ]
    return RoundPage(**facts, rules=row.terms, resources=[one.card for one in known], meetings=meetings)


class _Mine(db.Record):
    id: UUID
    name: str
    state: ApplicationState


async def _card(row: RoundRow, by: Actor, now: datetime) -> RoundCard:
    mine = await db.rows(
        _Mine,
        "SELECT p.id, p.name, a.state FROM season_application a JOIN party p ON p.id = a.party"
        " WHERE a.round = $1 AND a.party = ANY($2) ORDER BY p.name",
        row.id,
        sorted(by.acts_for),
    )
    town = await db.value(str, "SELECT name FROM municipality WHERE code = $1", row.municipality)
    staff = by.has(row.municipality, Role.STAFF)
    sent = "SELECT count(*) FROM season_application WHERE round = $1 AND state = 'sent'"
    return RoundCard(
        row.id,
        MunicipalityRef(row.municipality, town or ""),
        row.name,
        row.starts_on,
        row.ends_on,
        row.applies_from,
        row.applies_to,
        row.drop_in_from,
        msgspec.convert(row.state, RoundState),
        row.accepts(now),
        [MyApplication(PartyRef(one.id, one.name), one.state) for one in mine],
        staff,
        await db.value(int, sent, row.id) if staff else None,
    )


class _Application(db.Record):
    state: ApplicationState
    note: str
    sent_at: datetime | None
    name: str


async def application(round_id: UUID, party: UUID, by: Actor) -> ApplicationPage:
    """Return the party's application to those who act for it; what it gets once the round is decided. Raises NotFound."""
    row = await round_row(round_id, by)
    found = await db.row(
        _Application,
        "SELECT a.state, a.note, a.sent_at, p.name FROM season_application a JOIN party p ON p.id = a.party"
        " WHERE a.round = $1 AND a.party = $2",
        round_id,
        party,
    )
    if found is None or not (by.is_system or party in by.acts_for):
        raise NotFound("there is no such application")
    decided = row.state == "final"
    given = await allocations_of(round_id) if decided else []
    wishes = await _views(row, await application_wishes(row, party), given, outcomes=decided)
    return ApplicationPage(
        round_id, PartyRef(party, found.name), found.state, found.note, found.sent_at, decided, wishes
    )


async def plan(round_id: UUID, by: Actor) -> PlanPage:
    """Return what staff decide about. Raises NotFound."""
    row = await staff_round(round_id, by)
    rows, given = await wishes_of(row), await allocations_of(round_id)
    names = {one.party: one.party_name for one in rows}
    figures = figures_of(as_wishes(rows, row), [one.fixed for one in given], bare_ground(row.terms))
    return PlanPage(
        round_id,
        await _views(row, rows, given, outcomes=row.proposal is not None),
        [
            PartyShare(PartyRef(party, names[party]), one.wished, one.granted)
            for party, one in sorted(figures.parties.items(), key=lambda item: names[item[0]])
        ],
        [ClassShare(rank, one.wished, one.granted) for rank, one in figures.classes.items()],
        figures.prime_minutes,
        figures.prime_youth_minutes,
        None if row.proposal is None else msgspec.json.decode(row.proposal, type=ProposalFacts),
        await progress_of(round_id),
    )


async def _views(
    row: RoundRow, rows: list[WishRow], given: list[AllocationRow], *, outcomes: bool
) -> list[WishView]:
    by_wish: dict[UUID, list[AllocationRow]] = defaultdict(list)
    for one in given:
        by_wish[one.wish].append(one)
    missing = {
        one.id: msgspec.json.decode(one.outcome, type=Missing)
        for one in rows
        if outcomes and one.outcome is not None
    }
    parties = {blocker.party for one in missing.values() for blocker in one.by}
    names = await _names(parties)
    return [_view(row, one, by_wish[one.id], missing.get(one.id), names) for one in rows]


async def _names(parties: set[UUID]) -> dict[UUID, PartyRef]:
    found = await db.rows(PartyRef, "SELECT id, name FROM party WHERE id = ANY($1)", sorted(parties))
    return {one.id: one for one in found}


def _view(
    row: RoundRow,
    wish: WishRow,
    given: list[AllocationRow],
    missing: Missing | None,
    names: dict[UUID, PartyRef],
) -> WishView:
    best = [one for one in wish.painted if one.primary]
    return WishView(
        wish.id,
        PartyRef(wish.party, wish.party_name),
        wish.title,
        wish.activity,
        wish.age_from,
        wish.age_to,
        wish.people,
        wish.whole_season,
        wish.times,
        wish.minutes,
        [WindowView(one.weekday, clock(one.opens), clock(one.closes), one.primary) for one in wish.painted],
        wish.resources,
        wish.rank(row),
        [_allocation(one, primary=covers(best, one.slot)) for one in given],
        None
        if missing is None
        else MissingView(
            missing.times,
            missing.reason,
            [BlockerView(names[one.party], one.rank, one.times) for one in missing.by if one.party in names],
        ),
    )


def _allocation(one: AllocationRow, *, primary: bool) -> AllocationView:
    return AllocationView(
        one.id,
        one.wish,
        one.resource,
        one.weekday,
        clock(one.opens),
        clock(one.closes),
        msgspec.convert(one.state, Literal["proposed", "locked", "final"]),
        primary,
        one.by_hand,
        one.reason,
        one.series,
        msgspec.json.decode(one.skipped, type=list[SkippedDate]),
        one.problem,
    )


def clock(minute: int) -> str:
    """Return a minute of the day as HH:MM; the end of the day is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"
