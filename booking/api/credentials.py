"""Standing codes and cards: an association's, staff's, cleaning's. A PIN is told once, when it is made."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from booking import locks
from booking.api.access import NO_STORE
from booking.api.errors import responses
from booking.api.shapes import CodeRequired, Instant, Line, MunicipalityCode
from booking.people import Actor

Card = Annotated[str, Meta(pattern=r"^[0-9A-F]{8,20}$", description="UID, upper-case hex.")]
MonthDay = Annotated[str, Meta(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$", examples=["09-01"])]
Days = Annotated[int, Meta(ge=0, le=90)]
DoorIds = Annotated[list[Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,60}$")]], Meta(max_length=100)]


class NewCredentialWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What code or card for whom. `door_ids` and `weekly` are for staff and cleaning; empty = all, always."""

    municipality: MunicipalityCode
    role: Literal["association", "staff", "clean"]
    label: Line
    valid_from: Instant
    means: Literal["pin", "card", "pin+card"] = "pin"
    party_id: UUID | None = None
    card: Card | None = None
    door_ids: DoorIds = []
    weekly: Annotated[list[locks.Weekly], Meta(max_length=28)] = []
    valid_to: Instant | None = None
    rotates_on: MonthDay | None = None
    overlap_days: Days = 14

    def __repr__(self) -> str:
        return f"NewCredentialWish(role={self.role!r}, means={self.means!r})"


class Rotation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From when the new code works, and how long the old one goes on."""

    start: Instant
    overlap_days: Days = 14


class NewCredential(msgspec.Struct, frozen=True):
    """A code that was made; `pin` is told this once, None for a card alone."""

    credential: locks.CredentialView
    pin: str | None

    def __repr__(self) -> str:
        return f"NewCredential(credential={self.credential.id!r})"


class Credentials(msgspec.Struct, frozen=True):
    """The standing codes of a municipality."""

    credentials: list[locks.CredentialView]


class CredentialController(Controller):
    """Standing codes and cards."""

    path = "/credentials"
    tags = ("Doors",)

    @get("/", operation_id="ListCredentials", responses=responses(404))
    async def index(self, municipality: CodeRequired, actor: NamedDependency[Actor]) -> Credentials:
        """Return the standing codes of a municipality where the caller is staff; never a PIN."""
        return Credentials(await locks.credentials_of(municipality, by=actor))

    @post("/", operation_id="CreateCredential", responses=responses(404, 409, 422))
    async def create(
        self,
        data: JSONBody[NewCredentialWish],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> Response[NewCredential]:
        """Make a standing code. The PIN is told this once. For administrators."""
        wish = locks.Wish(
            municipality=data.municipality,
            role=data.role,
            label=data.label,
            means=data.means,
            party=data.party_id,
            card=data.card,
            doors=list(data.door_ids),
            weekly=list(data.weekly),
            valid_from=data.valid_from,
            valid_to=data.valid_to,
            rotates_on=data.rotates_on,
            overlap_days=data.overlap_days,
        )
        return await _told(await locks.create_credential(wish, by=actor, now=now), actor)

    @post("/{credential_id:uuid}/rotate", operation_id="RotateCredential", responses=responses(404, 409, 422))
    async def rotate(
        self,
        credential_id: FromPath[UUID],
        data: JSONBody[Rotation],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> Response[NewCredential]:
        """Decide an association's next code; both work during the overlap. The PIN is told this once."""
        made = await locks.rotate_credential(
            credential_id, start=data.start, overlap_days=data.overlap_days, by=actor, now=now
        )
        return await _told(made, actor)

    @delete("/{credential_id:uuid}", operation_id="RevokeCredential", responses=responses(404))
    async def revoke(
        self, credential_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> None:
        """Take a standing code back; bookings that had no other get one of their own."""
        await locks.revoke_credential(credential_id, by=actor, now=now)


async def _told(made: locks.Made, actor: Actor) -> Response[NewCredential]:
    view = await locks.credential_of(made.id, by=actor)
    return Response(NewCredential(view, made.pin), status_code=201, headers=NO_STORE)
