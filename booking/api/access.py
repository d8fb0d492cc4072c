"""The code of a booking: shown, shared, replaced by a reserve code. Answers with PINs are never kept anywhere."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from booking import locks, reservations
from booking.api.errors import responses
from booking.api.shapes import Line
from booking.people import Actor

NO_STORE = {"Cache-Control": "no-store"}


class ShareWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom the code is, in the booker's own words."""

    label: Line


class Replacement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose code: this booking's, or its series'."""

    scope: locks.Scope = "booking"


class SharedCode(msgspec.Struct, frozen=True):
    """A participant's new code; `pin` is told this once."""

    share: locks.Share
    pin: str

    def __repr__(self) -> str:
        return f"SharedCode(share={self.share.id!r})"


class AccessController(Controller):
    """The code of a booking."""

    path = "/reservations/{reservation_id:uuid}/access"
    tags = ("Doors",)

    @get("/", operation_id="GetAccess", responses=responses(404))
    async def read(
        self, reservation_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> Response[locks.AccessView]:
        """Return the code with where it stands: sent, confirmed in the door, taken back. Never cached."""
        await reservations.must_see(reservation_id, actor)
        view = await locks.access_of(reservation_id, by=actor, now=now)
        return Response(view, headers=NO_STORE)

    @post("/reserve", operation_id="HandOutReserve", status_code=200, responses=responses(401, 404, 409))
    async def reserve(
        self, reservation_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> Response[locks.AccessView]:
        """Hand out a reserve code for each door that lacks the booking's own; asking again gives the same."""
        actor.must_be_known()
        await reservations.must_see(reservation_id, actor)
        await locks.hand_out(reservation_id, by=actor, now=now)
        view = await locks.access_of(reservation_id, by=actor, now=now)
        return Response(view, headers=NO_STORE)

    @post("/new-code", operation_id="ReplaceCode", status_code=200, responses=responses(401, 404, 409, 422))
    async def replace(
        self,
        reservation_id: FromPath[UUID],
        data: JSONBody[Replacement],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> Response[locks.AccessView]:
        """Give the booking, or its whole series, another code at all its doors; its holder is told. For staff."""
        actor.must_be_known()
        await reservations.must_see(reservation_id, actor)
        await locks.replace_code(reservation_id, scope=data.scope, by=actor, now=now)
        view = await locks.access_of(reservation_id, by=actor, now=now)
        return Response(view, headers=NO_STORE)

    @post("/shares", operation_id="ShareAccess", responses=responses(401, 404, 409, 422))
    async def share(
        self,
        reservation_id: FromPath[UUID],
        data: JSONBody[ShareWish],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> Response[SharedCode]:
        """Make a participant's code: it opens after the booker's own has. The PIN is told this once."""
        actor.must_be_known()
        await reservations.must_see(reservation_id, actor)
        made = await locks.share(reservation_id, data.label, by=actor, now=now)
        view = await locks.access_of(reservation_id, by=actor, now=now)
        share = next(one for one in view.shares if one.id == made.id)
        return Response(SharedCode(share, made.pin), headers=NO_STORE)

    @post(
        "/shares/{share_id:uuid}/new-code",
        operation_id="ReplaceSharedCode",
        status_code=200,
        responses=responses(401, 404, 409),
    )
    async def replace_share(
        self,
        reservation_id: FromPath[UUID],
        share_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> Response[SharedCode]:
        """Give a participant another code; the one he had leaves the doors. The PIN is told this once."""
        actor.must_be_known()
        await reservations.must_see(reservation_id, actor)
        made = await locks.replace_share(reservation_id, share_id, by=actor, now=now)
        view = await locks.access_of(reservation_id, by=actor, now=now)
        share = next(one for one in view.shares if one.id == made.id)
        return Response(SharedCode(share, made.pin), headers=NO_STORE)

    @delete("/shares/{share_id:uuid}", operation_id="UnshareAccess", responses=responses(401, 404))
    async def unshare(
        self,
        reservation_id: FromPath[UUID],
        share_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> None:
        """Take a participant's code back."""
        actor.must_be_known()
        await reservations.must_see(reservation_id, actor)
        await locks.unshare(reservation_id, share_id, by=actor, now=now)
