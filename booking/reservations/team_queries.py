"""What an association sees of its groups, and what a group's people see: their own times, and the code if they lead."""

from datetime import datetime
from uuid import UUID

from booking import db, journal, locks, places
from booking.errors import NotFound
from booking.people import Actor
from booking.places import ResourceCard
from booking.reservations.views import FacilityHelp, PartyRef, State, TeamRef


class MemberView(db.Record):
    """Somebody of a team."""

    account_id: UUID
    name: str
    email: str
    leads: bool


class TeamView(db.Record):
    """A team. `members` are shown to the association's people only; `leads` says whether the caller does."""

    id: UUID
    party: PartyRef
    name: str
    may_manage: bool
    leads: bool
    members: list[MemberView]


class TeamTimeView(db.Record):
    """A time that is a team's, as its people see it."""

    reservation_id: UUID
    number: str
    team: TeamRef
    party: PartyRef
    resource: ResourceCard
    start: datetime
    end: datetime
    state: State
    leads: bool


class TeamCode(db.Record):
    """The code of the booking, for those who lead. `pin` is null where it would open other teams' times as well."""

    pin: str | None
    state: locks.State
    opens_at: datetime
    closes_at: datetime
    doors: list[str]


class TeamPage(db.Record):
    """A booking reduced to what is the caller's teams'."""

    times: list[TeamTimeView]
    facility: FacilityHelp
    code: TeamCode | None


class Shared(db.Record):
    """Which stretch of a booking is whose, as the association sees it."""

    team: TeamRef
    start: datetime
    end: datetime


class _Team(db.Record):
    id: UUID
    party: UUID
    party_name: str
    name: str
    leads: bool


class _Member(db.Record):
    team: UUID
    account_id: UUID
    name: str
    email: str
    leads: bool


class _Time(db.Record):
    reservation: UUID
    number: int
    team: UUID
    team_name: str
    party: UUID
    party_name: str
    resource: UUID
    starts_at: datetime
    ends_at: datetime
    state: State
    leads: bool
    is_whole: bool


async def teams_of(by: Actor, *, party: UUID | None) -> list[TeamView]:
    """Return the teams of the associations the actor acts for, and those the account is a member of."""
    found = await db.rows(
        _Team,
        "SELECT t.id, t.party, p.name AS party_name, t.name, coalesce(m.leads, false) AS leads FROM team t"
        " JOIN party p ON p.id = t.party LEFT JOIN team_member m ON m.team = t.id AND m.account = $2"
        " WHERE t.retired_on IS NULL AND (t.party = ANY($1) OR m.id IS NOT NULL) AND ($3::uuid IS NULL OR t.party = $3)"
        " ORDER BY p.name, t.name",
        sorted(by.acts_for),
        by.account,
        party,
    )
    members = await db.rows(
        _Member,
        "SELECT m.team, m.account AS account_id, p.name, a.email, m.leads FROM team_member m"
        " JOIN account a ON a.id = m.account JOIN party p ON p.id = a.party WHERE m.team = ANY($1)"
        " ORDER BY NOT m.leads, p.name, m.id",
        [one.id for one in found if one.party in by.acts_for],
    )
    return [
        TeamView(
            id=one.id,
            party=PartyRef(one.party, one.party_name),
            name=one.name,
            may_manage=one.party in by.acts_for,
            leads=one.leads,
            members=[MemberView(m.account_id, m.name, m.email, m.leads) for m in members if m.team == one.id],
        )
        for one in found
    ]


async def team(team_id: UUID, by: Actor) -> TeamView:
    """Return one of the teams that the actor sees. Raises NotFound."""
    found = next((one for one in await teams_of(by, party=None) if one.id == team_id), None)
    if found is None:
        raise NotFound("there is no such team")
    return found


# A whole booking that is a team's, and stretches of bookings that are.
_TIMES = """
WITH mine AS (SELECT t.id, coalesce(m.leads, false) AS leads FROM team t
  LEFT JOIN team_member m ON m.team = t.id AND m.account = $2
  WHERE t.retired_on IS NULL AND (m.id IS NOT NULL OR t.party = ANY($1)) AND ($3::uuid IS NULL OR t.id = $3)),
time AS (
  SELECT r.id AS reservation, r.team, r.starts_at, r.ends_at, true AS is_whole FROM reservation r
  WHERE r.team IN (SELECT id FROM mine)
  UNION ALL
  SELECT s.reservation, s.team, s.starts_at, s.ends_at, false FROM team_time s WHERE s.team IN (SELECT id FROM mine))
SELECT x.reservation, r.number, x.team, t.name AS team_name, r.party, p.name AS party_name, r.resource, x.starts_at,
  x.ends_at, r.state, m.leads, x.is_whole
FROM time x JOIN reservation r ON r.id = x.reservation JOIN team t ON t.id = x.team JOIN mine m ON m.id = x.team
  JOIN party p ON p.id = r.party
WHERE r.state IN ('requested', 'awaiting_payment', 'confirmed', 'completed')
"""


async def team_times(
    by: Actor, *, team: UUID | None, now: datetime, limit: int, offset: int
) -> tuple[list[TeamTimeView], int]:
    """Return the times ahead of one's teams, soonest first: those one is a member of, or one's association has."""
    ahead = _TIMES + " AND x.ends_at > $4"
    asked = (sorted(by.acts_for), by.account, team, now)
    total = await db.value(int, f"SELECT count(*) FROM ({ahead}) found", *asked)
    found = await db.rows(
        _Time, ahead + " ORDER BY x.starts_at, x.reservation LIMIT $5 OFFSET $6", *asked, limit, offset
    )
    return await _shown(found), total or 0


async def team_page(reservation_id: UUID, by: Actor, now: datetime) -> TeamPage:
    """Return what is one's teams' of a booking: times, place, help, and the code if one leads. Raises NotFound."""
    found = await db.rows(
        _Time,
        _TIMES + " AND r.id = $4 ORDER BY x.starts_at",
        sorted(by.acts_for),
        by.account,
        None,
        reservation_id,
    )
    if not found:
        raise NotFound("there is no such reservation")
    shown = await _shown(found)
    facility = await places.facility_page(shown[0].resource.facility.id)
    code = None
    if any(one.leads for one in found) and found[0].state in ("confirmed", "completed"):
        code = await _code(found, by, now)
    return TeamPage(shown, FacilityHelp(facility.on_call_phone, facility.access_text), code)


async def shared(reservation_id: UUID, by: Actor) -> list[Shared]:
    """Return which stretch is whose, to those who act for the booking's party. Raises NotFound."""
    party = await db.value(UUID, "SELECT party FROM reservation WHERE id = $1", reservation_id)
    if party is None or party not in by.acts_for:
        raise NotFound("there is no such reservation")
    found = await db.rows(
        _Stretch,
        "SELECT s.team, t.name, s.starts_at, s.ends_at FROM team_time s JOIN team t ON t.id = s.team"
        " WHERE s.reservation = $1 ORDER BY s.starts_at",
        reservation_id,
    )
    return [Shared(TeamRef(one.team, one.name), one.starts_at, one.ends_at) for one in found]


class _Stretch(db.Record):
    team: UUID
    name: str
    starts_at: datetime
    ends_at: datetime


async def _code(found: list[_Time], by: Actor, now: datetime) -> TeamCode | None:
    """The leader acts for the association here, and the journal says that they looked."""
    holder = Actor(account=by.account, acts_for=frozenset({found[0].party}))
    try:
        access = await locks.access_of(found[0].reservation, by=holder, now=now)
    except NotFound:  # no door
        return None
    theirs = access.code_of == "booking" or any(one.leads and one.is_whole for one in found)
    if theirs and access.pin is not None:
        await journal.record("access.shown_to_team", about=found[0].reservation, by=by, now=now)
    return TeamCode(
        access.pin if theirs else None,
        access.state,
        access.opens_at,
        access.closes_at,
        [door.name for door in access.doors],
    )


async def _shown(found: list[_Time]) -> list[TeamTimeView]:
    resources = await places.resources_by_id([one.resource for one in found])
    return [
        TeamTimeView(
            reservation_id=one.reservation,
            number=f"B-{one.number:06d}",
            team=TeamRef(one.team, one.team_name),
            party=PartyRef(one.party, one.party_name),
            resource=resources[one.resource].card,
            start=one.starts_at,
            end=one.ends_at,
            state=one.state,
            leads=one.leads,
        )
        for one in found
    ]
