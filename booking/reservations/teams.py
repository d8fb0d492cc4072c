"""An association's own groups, their people, and which of its time is whose. One public function = one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import ExclusionViolationError, UniqueViolationError

from booking import db, journal
from booking.clock import local_date
from booking.errors import Conflict, NotFound, Rejected
from booking.ids import new_id
from booking.people import Actor
from booking.reservations.rows import Row, locked, tell
from booking.span import Span

MOST_TEAMS, MOST_MEMBERS, MOST_STRETCHES = 100, 100, 50


class TeamConflict(Conflict):
    """Another team has the name or the time; `code` says which."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a reservation that is a team's."""

    team: UUID
    span: Span


async def create_team(party: UUID, name: str, *, by: Actor, now: datetime) -> UUID:
    """The association has the team. Raises NotAllowed for others than its people, TeamConflict."""
    by.must_be_known()
    by.must_act_for(party)
    team = new_id()
    async with db.transaction():
        if (await db.value(int, "SELECT count(*) FROM team WHERE party = $1", party) or 0) >= MOST_TEAMS:
            raise TeamConflict(f"an association has at most {MOST_TEAMS} teams", code="too_many_teams")
        await _named("INSERT INTO team (id, party, name) VALUES ($1, $2, $3)", team, party, name)
        await journal.record("team.created", about=team, by=by, now=now)
    return team


async def rename_team(team: UUID, name: str, *, by: Actor, now: datetime) -> None:
    """The team has another name. Raises NotFound for a foreign team, TeamConflict."""
    async with db.transaction():
        await own_team(team, by)
        await _named("UPDATE team SET name = $2 WHERE id = $1", team, name)
        await journal.record("team.renamed", about=team, by=by, now=now)


async def retire_team(team: UUID, *, by: Actor, now: datetime) -> None:
    """The team is gone, with what it had of times to come; the past stays as it was. Raises NotFound."""
    async with db.transaction():
        await own_team(team, by)
        day = local_date(now)
        await db.run("UPDATE team SET retired_on = coalesce(retired_on, $2) WHERE id = $1", team, day)
        await db.run("DELETE FROM team_time WHERE team = $1 AND ends_at > $2", team, now)
        await db.run("UPDATE reservation SET team = NULL WHERE team = $1 AND ends_at > $2", team, now)
        await db.run("DELETE FROM team_member WHERE team = $1", team)
        await journal.record("team.retired", about=team, by=by, now=now)


async def add_member(team: UUID, email: str, leads: bool, *, by: Actor, now: datetime) -> None:
    """The account sees the team's time, and its codes if it leads; again: it leads, or no longer does.

    Raises NotFound for a foreign team and for an address without account (`unknown_account`).
    """
    async with db.transaction():
        await own_team(team, by)
        account = await db.value(UUID, "SELECT id FROM account WHERE lower(email) = lower($1)", email)
        if account is None:
            raise NotFound("nobody has an account with this address", code="unknown_account")
        count = await db.value(int, "SELECT count(*) FROM team_member WHERE team = $1", team)
        if (count or 0) >= MOST_MEMBERS:
            raise TeamConflict(f"a team has at most {MOST_MEMBERS} members", code="too_many_members")
        await db.run(
            "INSERT INTO team_member (id, team, account, leads) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT (team, account) DO UPDATE SET leads = excluded.leads",
            new_id(),
            team,
            account,
            leads,
        )
        await journal.record("team.member_added", about=team, by=by, now=now, member=account, leads=leads)


async def remove_member(team: UUID, account: UUID, *, by: Actor, now: datetime) -> None:
    """The account is no longer of the team; removing who is not there is a no-op. Raises NotFound."""
    async with db.transaction():
        await own_team(team, by)
        if await db.run("DELETE FROM team_member WHERE team = $1 AND account = $2", team, account):
            await journal.record("team.member_removed", about=team, by=by, now=now, member=account)


async def give_to_team(reservation: UUID, team: UUID | None, *, by: Actor, now: datetime) -> None:
    """All of the reservation is the team's, or nobody's in particular. Raises NotFound."""
    async with db.transaction():
        row = await _own_reservation(reservation, by)
        if team is not None:
            await _must_be_of(row, {team})
        await db.run("DELETE FROM team_time WHERE reservation = $1", row.id)
        await db.run("UPDATE reservation SET team = $2, version = version + 1 WHERE id = $1", row.id, team)
        await tell(row, "reservation.given_to_team", by, now, team=team)


async def divide_among_teams(
    reservation: UUID, stretches: Sequence[Stretch], *, by: Actor, now: datetime
) -> None:
    """These stretches of the reservation are the teams', and no others. The constraint keeps them apart.

    Raises NotFound, Rejected (`outside_booking`), TeamConflict (`team_times_overlap`).
    """
    async with db.transaction():
        row = await _own_reservation(reservation, by)
        await _must_be_of(row, {one.team for one in stretches})
        if any(one.span.start < row.starts_at or one.span.end > row.ends_at for one in stretches):
            raise Rejected("a team's time lies within the booking", code="outside_booking")
        await db.run("DELETE FROM team_time WHERE reservation = $1", row.id)
        await db.run("UPDATE reservation SET team = NULL, version = version + 1 WHERE id = $1", row.id)
        try:
            await db.run_many(
                "INSERT INTO team_time (id, reservation, team, starts_at, ends_at) VALUES ($1, $2, $3, $4, $5)",
                [(new_id(), row.id, one.team, one.span.start, one.span.end) for one in stretches],
            )
        except ExclusionViolationError as error:
            raise TeamConflict("two teams can't have the same time", code="team_times_overlap") from error
        await tell(row, "reservation.divided", by, now, teams=len(stretches))


async def own_team(team: UUID, by: Actor) -> UUID:
    """Return the party of a team in use that the actor's association has. Raises NotFound."""
    party = await db.value(UUID, "SELECT party FROM team WHERE id = $1 AND retired_on IS NULL", team)
    if party is None or party not in by.acts_for:
        raise NotFound("there is no such team")
    return party


async def _own_reservation(reservation: UUID, by: Actor) -> Row:
    row = await locked(reservation)
    alive = row is not None and row.state in ("requested", "awaiting_payment", "confirmed")
    if row is None or not alive or row.party is None or row.party not in by.acts_for:
        raise NotFound("there is no such reservation")
    return row


async def _must_be_of(row: Row, teams: set[UUID]) -> None:
    found = await db.column(
        UUID,
        "SELECT id FROM team WHERE id = ANY($1) AND party = $2 AND retired_on IS NULL FOR SHARE",
        sorted(teams),
        row.party,
    )
    if set(found) != teams:
        raise NotFound("there is no such team", code="unknown_team")


async def _named(sql: str, *what: object) -> None:
    try:
        await db.run(sql, *what)
    except UniqueViolationError as error:
        raise TeamConflict("another team has this name", code="name_taken") from error
