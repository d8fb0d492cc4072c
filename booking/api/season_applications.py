"""Season applications on the wire: an association's wishes, saved, sent and withdrawn; the result afterwards."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from booking.api.errors import responses
from booking.api.seasons import Weekday
from booking.api.shapes import Clock, Line, minute_of_day
from booking.people import Actor
from booking.reservations import seasons
from booking.reservations.seasons import Activity, ApplicationPage, NewWish, Window

Party = Annotated[UUID, QueryParameter(name="party_id")]
Age = Annotated[int, Meta(ge=0, le=120)]


class WindowBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A stretch of a weekday that would do, as first or second choice."""

    weekday: Weekday
    from_: Clock = msgspec.field(name="from")
    to: Clock
    primary: bool = True

    @property
    def window(self) -> Window:
        """As the calendar knows it."""
        return Window(self.weekday, minute_of_day(self.from_, 0), minute_of_day(self.to, 0), self.primary)


class WishBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A team's weekly times: how many, how long, when and where, and what decides about its priority class."""

    title: Line
    activity: Activity
    age_from: Age
    age_to: Age
    people: Annotated[int, Meta(ge=1, le=2000)]
    times: Annotated[int, Meta(ge=1, le=7)]
    minutes: Annotated[int, Meta(ge=15, le=720, multiple_of=15)]
    windows: Annotated[list[WindowBody], Meta(min_length=1, max_length=seasons.MOST_WINDOWS)]
    resource_ids: Annotated[list[UUID], Meta(min_length=1, max_length=20)]
    whole_season: bool = True

    @property
    def wish(self) -> NewWish:
        """As the calendar knows it."""
        return NewWish(
            self.title,
            self.activity,
            self.age_from,
            self.age_to,
            self.people,
            self.whole_season,
            self.times,
            self.minutes,
            tuple(one.window for one in self.windows),
            tuple(dict.fromkeys(self.resource_ids)),
        )


class ApplicationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All wishes of a party in a round."""

    party_id: UUID
    wishes: Annotated[list[WishBody], Meta(max_length=seasons.MOST_WISHES)]
    note: Annotated[str, Meta(max_length=2000, pattern=r"^[^\x00]*$")] = ""


class WhoseBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose application."""

    party_id: UUID


class SeasonApplicationController(Controller):
    """Applications in season rounds."""

    path = "/season-rounds/{round_id:uuid}/application"
    tags = ("Season",)

    @get("/", operation_id="GetSeasonApplication", responses=responses(401, 404))
    async def read(
        self, round_id: FromPath[UUID], actor: NamedDependency[Actor], party_id: Party
    ) -> ApplicationPage:
        """Return the party's application; with what it gets once the round is decided."""
        actor.must_be_known()
        return await seasons.application(round_id, party_id, actor)

    @put("/", operation_id="SaveSeasonApplication", responses=responses(401, 403, 404, 409, 422))
    async def save(
        self,
        round_id: FromPath[UUID],
        data: JSONBody[ApplicationBody],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> ApplicationPage:
        """Write the application anew. A new one is a draft; one that was sent stays sent."""
        wishes = [one.wish for one in data.wishes]
        await seasons.save_application(round_id, data.party_id, wishes, data.note, by=actor, now=now)
        return await seasons.application(round_id, data.party_id, actor)

    @post(
        "/send",
        operation_id="SendSeasonApplication",
        status_code=200,
        responses=responses(401, 403, 404, 409, 422),
    )
    async def send(
        self,
        round_id: FromPath[UUID],
        data: JSONBody[WhoseBody],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> ApplicationPage:
        """Send the application; it can be changed until the last day."""
        actor.must_be_known()
        await seasons.send_application(round_id, data.party_id, by=actor, now=now)
        return await seasons.application(round_id, data.party_id, actor)

    @post(
        "/withdraw",
        operation_id="WithdrawSeasonApplication",
        status_code=200,
        responses=responses(401, 403, 404, 409),
    )
    async def withdraw(
        self,
        round_id: FromPath[UUID],
        data: JSONBody[WhoseBody],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> ApplicationPage:
        """Take the application back; staff no longer count with it."""
        actor.must_be_known()
        await seasons.withdraw_application(round_id, data.party_id, by=actor, now=now)
        return await seasons.application(round_id, data.party_id, actor)
