"""Teams on the wire: an association's groups, their people and their time."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from booking import reservations
from booking.api.access import NO_STORE
from booking.api.auth import IdempotencyKey, once
from booking.api.errors import responses
from booking.api.shapes import NO_CONTROLS, Email, HTTPRequest, LimitQuery, OffsetQuery, PartyQuery
from booking.people import Actor
from booking.reservations import Stretch
from booking.span import Span

Name = Annotated[str, Meta(min_length=1, max_length=80, pattern=NO_CONTROLS)]
Instant = Annotated[datetime, Meta(tz=True)]
TeamQuery = Annotated[UUID | None, QueryParameter(name="team_id", required=False)]


class NewTeam(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A team of an association."""

    party_id: UUID
    name: Name


class TeamName(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a team is called."""

    name: Name


class NewMember(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An account by its address; who leads sees the code."""

    email: Email
    leads: bool = False


class TeamChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose the whole booking is; null: nobody's in particular."""

    team_id: UUID | None


class TeamStretch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of a booking that is a team's."""

    team_id: UUID
    start: Instant
    end: Instant


class TeamStretches(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a booking is divided among teams."""

    times: Annotated[list[TeamStretch], Meta(max_length=50)]


class Teams(msgspec.Struct, frozen=True):
    """The teams that the caller sees."""

    teams: list[reservations.TeamView]
    total: int


class TeamTimes(msgspec.Struct, frozen=True):
    """A page of teams' times."""

    times: list[reservations.TeamTimeView]
    total: int


class SharedTimes(msgspec.Struct, frozen=True):
    """How a booking is divided."""

    times: list[reservations.Shared]


class TeamController(Controller):
    """An association's own groups."""

    path = "/teams"
    tags = ("Teams",)

    @get("/", operation_id="ListTeams", responses=responses(401))
    async def index(self, actor: NamedDependency[Actor], party_id: PartyQuery = None) -> Teams:
        """Return the teams of the caller's associations, and those the caller is a member of."""
        actor.must_be_known()
        found = await reservations.teams_of(actor, party=party_id)
        return Teams(found, len(found))

    @post("/", operation_id="CreateTeam", responses=responses(401, 403, 409))
    async def create(
        self,
        request: HTTPRequest,
        data: JSONBody[NewTeam],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.TeamView]:
        """Make a team in an association that the caller acts for."""
        actor.must_be_known()

        async def act() -> reservations.TeamView:
            made = await reservations.create_team(data.party_id, data.name, by=actor, now=now)
            return await reservations.team(made, actor)

        return await once(request, idempotency_key, now, act)

    @patch("/{team_id:uuid}", operation_id="RenameTeam", responses=responses(404, 409))
    async def rename(
        self,
        team_id: FromPath[UUID],
        data: JSONBody[TeamName],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> reservations.TeamView:
        """Give a team another name."""
        await reservations.rename_team(team_id, data.name, by=actor, now=now)
        return await reservations.team(team_id, actor)

    @delete("/{team_id:uuid}", operation_id="RetireTeam", responses=responses(404))
    async def retire(
        self, team_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> None:
        """End a team; its times to come are the association's again."""
        await reservations.retire_team(team_id, by=actor, now=now)

    @post(
        "/{team_id:uuid}/members",
        operation_id="AddTeamMember",
        status_code=200,
        responses=responses(404, 409),
    )
    async def add(
        self,
        team_id: FromPath[UUID],
        data: JSONBody[NewMember],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> reservations.TeamView:
        """Add somebody with an account, or say whether they lead."""
        await reservations.add_member(team_id, data.email, data.leads, by=actor, now=now)
        return await reservations.team(team_id, actor)

    @delete(
        "/{team_id:uuid}/members/{account_id:uuid}",
        operation_id="RemoveTeamMember",
        status_code=200,
        responses=responses(404),
    )
    async def remove(
        self,
        team_id: FromPath[UUID],
        account_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> reservations.TeamView:
        """Take somebody out of a team."""
        await reservations.remove_member(team_id, account_id, by=actor, now=now)
        return await reservations.team(team_id, actor)


class TeamTimeController(Controller):
    """Which time is whose."""

    tags = ("Teams",)

    @put("/reservations/{reservation_id:uuid}/team", operation_id="GiveToTeam", responses=responses(404))
    async def give(
        self,
        reservation_id: FromPath[UUID],
        data: JSONBody[TeamChoice],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> reservations.ReservationPage:
        """Give a whole booking to a team, or take it back."""
        await reservations.give_to_team(reservation_id, data.team_id, by=actor, now=now)
        return await reservations.page(reservation_id, actor, now)

    @put(
        "/reservations/{reservation_id:uuid}/team-times",
        operation_id="DivideAmongTeams",
        responses=responses(404, 409, 422),
    )
    async def divide(
        self,
        reservation_id: FromPath[UUID],
        data: JSONBody[TeamStretches],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> SharedTimes:
        """Divide a booking among teams; what was divided before is replaced."""
        stretches = [Stretch(one.team_id, Span(one.start, one.end)) for one in data.times]
        await reservations.divide_among_teams(reservation_id, stretches, by=actor, now=now)
        return SharedTimes(await reservations.shared(reservation_id, actor))

    @get(
        "/reservations/{reservation_id:uuid}/team-times",
        operation_id="GetDivision",
        responses=responses(404),
    )
    async def division(self, reservation_id: FromPath[UUID], actor: NamedDependency[Actor]) -> SharedTimes:
        """Return how a booking is divided, to the association's people."""
        return SharedTimes(await reservations.shared(reservation_id, actor))

    @get("/team-times", operation_id="ListTeamTimes", responses=responses(401))
    async def index(
        self,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        team_id: TeamQuery = None,
        limit: LimitQuery = 30,
        offset: OffsetQuery = 0,
    ) -> TeamTimes:
        """Return the times ahead of the caller's teams."""
        actor.must_be_known()
        return TeamTimes(
            *await reservations.team_times(actor, team=team_id, now=now, limit=limit, offset=offset)
        )

    @get("/team-times/{reservation_id:uuid}", operation_id="GetTeamPage", responses=responses(401, 404))
    async def page(
        self, reservation_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> Response[reservations.TeamPage]:
        """Return a booking reduced to what is the caller's team's; with the code for those who lead."""
        actor.must_be_known()
        return Response(await reservations.team_page(reservation_id, actor, now), headers=NO_STORE)
