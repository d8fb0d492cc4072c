"""Who am I: /api/me, log-in, registration."""

from datetime import date, datetime
from typing import Annotated, cast
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta

from booking import people, reservations
from booking.api.auth import (
    IdempotencyKey,
    address_of,
    fresh_token,
    once,
    session_cookie,
)
from booking.api.errors import responses
from booking.api.gate import SESSION_COOKIE
from booking.api.shapes import CodeRequired, Email, HTTPRequest, Line, MunicipalityCode, Password
from booking.errors import NotFound
from booking.people import Actor, Role, actions, actor_of_session
from booking.people.passwords import csrf_token
from booking.settings import Settings


class RoleView(msgspec.Struct, frozen=True):
    """A role in a municipality."""

    municipality: str
    role: Role


class MeView(msgspec.Struct, frozen=True):
    """The account, the identities it may act as (the person first), its roles, and the CSRF token."""

    account: people.AccountRow | None
    csrf: str
    identities: list[people.Identity]
    roles: list[RoleView]
    demo: bool


class LogIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Address and password."""

    email: Email
    password: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


class NewAccount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A new person."""

    name: Line
    email: Email
    password: Password
    home_municipality: MunicipalityCode


class AccountChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person may change about their account."""

    language: people.Language | None = None
    born: date | None = None  # once


class DemoLogin(msgspec.Struct, frozen=True):
    """A log-in of the demonstration."""

    email: str
    password: str
    name: str
    what: str


class DemoLogins(msgspec.Struct, frozen=True):
    """The log-ins of the demonstration."""

    logins: list[DemoLogin]


class Associations(msgspec.Struct, frozen=True):
    """The associations of a municipality."""

    associations: list[people.Identity]


class _Made(msgspec.Struct, frozen=True):
    account: UUID


class PeopleController(Controller):
    """Accounts and sessions."""

    tags = ("People",)

    @get("/me", operation_id="GetMe")
    async def me(
        self,
        request: HTTPRequest,
        actor: NamedDependency[Actor],
        settings: NamedDependency[Settings],
    ) -> Response[MeView]:
        """Return who is logged in, as whom they may act, and the token that unsafe requests must carry."""
        token = request.cookies.get(SESSION_COOKIE)
        if not token or len(token) > 100 or (actor.session is None and await actions.is_spent(token)):
            token = fresh_token()
        return await _me(actor, token, settings, set_cookie=token != request.cookies.get(SESSION_COOKIE))

    @patch("/me", operation_id="ChangeMe", responses=responses(401, 403, 409, 422))
    async def change_me(
        self,
        request: HTTPRequest,
        data: JSONBody[AccountChange],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        settings: NamedDependency[Settings],
    ) -> Response[MeView]:
        """Change the language of the account, or state the person's date of birth."""
        actor.must_be_known()
        if data.born is not None:
            await actions.state_birth(data.born, actor, now)
        if data.language is not None:
            await actions.set_language(data.language, actor)
        return await _me(actor, request.cookies[SESSION_COOKIE], settings)

    @post("/session", operation_id="LogIn", status_code=200, responses=responses(401, 403, 429))
    async def log_in(
        self,
        request: HTTPRequest,
        data: JSONBody[LogIn],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        settings: NamedDependency[Settings],
    ) -> Response[MeView]:
        """Log in. The session is a new one and the old one is over; a visitor's holds come along."""
        token, _, _ = await actions.log_in(
            email=data.email, password=data.password, address=address_of(request, settings), now=now
        )
        await actions.log_out(request.cookies[SESSION_COOKIE])
        return await _enter(token, actor, now, settings)

    @delete("/session", operation_id="LogOut", responses=responses(403))
    async def log_out(self, request: HTTPRequest, settings: NamedDependency[Settings]) -> Response[None]:
        """Log out: the session is over everywhere it was used."""
        await actions.log_out(request.cookies[SESSION_COOKIE])
        return Response(None, status_code=204, cookies=[session_cookie(fresh_token(), settings)])

    @post("/accounts", operation_id="CreateAccount", responses=responses(403, 409, 422))
    async def create(
        self,
        request: HTTPRequest,
        data: JSONBody[NewAccount],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        settings: NamedDependency[Settings],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[MeView]:
        """Register a person and log them in."""

        await actions.admit_newcomer(address_of(request, settings), now)

        async def act() -> _Made:
            return _Made(
                await actions.register(
                    name=data.name,
                    email=data.email,
                    password=data.password,
                    home=data.home_municipality,
                    now=now,
                )
            )

        answer = await once(request, idempotency_key, now, act)
        made = msgspec.json.decode(cast(bytes, answer.content), type=_Made)
        token, _ = await actions.start_session(made.account, now)
        return await _enter(token, actor, now, settings, status=201)

    @get("/associations", operation_id="ListAssociations", responses=responses(404))
    async def associations(self, municipality: CodeRequired, actor: NamedDependency[Actor]) -> Associations:
        """Return the associations whose home the municipality is, to its staff."""
        return Associations(await people.associations_of(municipality, actor))

    @get("/demo/logins", operation_id="ListDemoLogins", responses=responses(404))
    async def demo_logins(self, settings: NamedDependency[Settings]) -> DemoLogins:
        """Return the demonstration's log-ins; absent in production."""
        if not settings.demo:
            raise NotFound("this is no demonstration")
        from booking.simulated.people import LOGINS

        return DemoLogins([DemoLogin(one.email, one.password, one.name, one.what) for one in LOGINS])


async def _enter(
    token: str, visitor: Actor, now: datetime, settings: Settings, status: int = 200
) -> Response[MeView]:
    actor = await actor_of_session(token, now) or Actor()
    if visitor.session is not None and visitor.account is None:
        await reservations.adopt_holds(visitor.session, by=actor)
    return await _me(actor, token, settings, set_cookie=True, status=status)


async def _me(
    actor: Actor,
    token: str,
    settings: Settings,
    *,
    set_cookie: bool = False,
    status: int = 200,
) -> Response[MeView]:
    found = await people.me(actor)
    view = MeView(
        account=found.account,
        csrf=csrf_token(settings.secret_key, token),
        identities=found.identities,
        roles=[RoleView(code, role) for code, role in found.roles],
        demo=settings.demo,
    )
    cookies = [session_cookie(token, settings)] if set_cookie else []
    return Response(view, status_code=status, cookies=cookies, headers={"Cache-Control": "no-store"})
