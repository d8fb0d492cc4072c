"""What holds for a whole municipality, on the wire: when school is out, what everybody accepts."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, PathParameter
from msgspec import Meta

from booking import places
from booking.api.auth import IdempotencyKey, once
from booking.api.errors import responses
from booking.api.shapes import NO_CONTROLS, HTTPRequest, must_be_a_day
from booking.clock import local_date
from booking.people import Actor

Code = Annotated[str, PathParameter(pattern=r"^[0-9]{4}$")]


TermsText = Annotated[str, Meta(min_length=1, max_length=100_000, pattern=r"^[^\x00]*$")]


Version = Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[0-9A-Za-z._-]+$", examples=["2027-1"])]


class NewBreak(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """School is out on these days, both included."""

    name: Annotated[str, Meta(min_length=1, max_length=80, pattern=NO_CONTROLS)]
    from_day: date
    to_day: date


class NewTerms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A version of the terms; once published it never changes."""

    version: Version
    text_sv: TermsText
    text_en: TermsText


class SchoolBreaks(msgspec.Struct, frozen=True):
    """School breaks from today on."""

    school_breaks: list[places.BreakView]


class TermsVersions(msgspec.Struct, frozen=True):
    """The published versions, the latest first."""

    terms: list[places.TermsRef]


class TownController(Controller):
    """What holds for a whole municipality: when school is out, what everybody accepts."""

    path = "/settings/{level:str}/{code:str}"
    tags = ("Settings",)

    @get("/school-breaks", operation_id="ListSchoolBreaks", responses=responses(404))
    async def index(
        self, level: FromPath[Literal["municipalities"]], code: Code, now: NamedDependency[datetime]
    ) -> SchoolBreaks:
        """Return a municipality's school breaks from today on; anybody may know them."""
        del level
        return SchoolBreaks(await places.breaks(code, since=local_date(now)))

    @post("/school-breaks", operation_id="AddSchoolBreak", responses=responses(403, 404, 422))
    async def add(
        self,
        request: HTTPRequest,
        level: FromPath[Literal["municipalities"]],
        code: Code,
        data: JSONBody[NewBreak],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[SchoolBreaks]:
        """Say when school is out; recurring bookings may leave these days out."""
        del level
        must_be_a_day(data.from_day, data.to_day)

        async def act() -> SchoolBreaks:
            await places.add_break(code, data.name, data.from_day, data.to_day, by=actor, now=now)
            return SchoolBreaks(await places.breaks(code, since=local_date(now)))

        return await once(request, idempotency_key, now, act)

    @delete(
        "/school-breaks/{break_id:uuid}",
        operation_id="DeleteSchoolBreak",
        status_code=200,
        responses=responses(403, 404),
    )
    async def remove(
        self,
        level: FromPath[Literal["municipalities"]],
        code: Code,
        break_id: FromPath[UUID],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> SchoolBreaks:
        """Take a school break back."""
        del level
        await places.delete_break(code, break_id, by=actor, now=now)
        return SchoolBreaks(await places.breaks(code, since=local_date(now)))

    @get("/terms", operation_id="ListTerms", responses=responses(404))
    async def versions(
        self, level: FromPath[Literal["municipalities"]], code: Code, actor: NamedDependency[Actor]
    ) -> TermsVersions:
        """Return the published versions of a municipality's terms."""
        del level
        return TermsVersions(await places.published_terms(code, by=actor))

    @post("/terms", operation_id="PublishTerms", responses=responses(403, 404, 409, 422))
    async def publish(
        self,
        request: HTTPRequest,
        level: FromPath[Literal["municipalities"]],
        code: Code,
        data: JSONBody[NewTerms],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[places.TermsView]:
        """Publish a version of the terms; rules may then ask everybody to accept it."""
        del level

        async def act() -> places.TermsView:
            await places.publish_terms(code, data.version, data.text_sv, data.text_en, by=actor, now=now)
            return await places.terms(code, data.version)

        return await once(request, idempotency_key, now, act)
