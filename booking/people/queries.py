"""Reads of people."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking import db
from booking.clock import local_date
from booking.people.actor import Actor, Role
from booking.people.passwords import token_hash

PartyKind = Literal["person", "association", "municipal_unit", "company"]
Language = Literal["sv", "en"]


class Identity(msgspec.Struct, frozen=True):
    """A party that the account may act as."""

    party_id: UUID
    kind: PartyKind
    name: str
    home_municipality: str | None


class Neighbourhood(msgspec.Struct, frozen=True):
    """A municipality with the codes of those whose resources it shows beside its own."""

    code: str
    name: str
    neighbours: list[str]


class AccountRow(msgspec.Struct, frozen=True):
    """What a page may know of its own account."""

    id: UUID
    name: str
    email: str
    language: Language
    born: date | None  # stated once; None: not yet


class Me(msgspec.Struct, frozen=True):
    """The account with the identities it may act as (the person first) and its roles."""

    account: AccountRow | None
    identities: list[Identity]
    roles: list[tuple[str, Role]]


class _SessionRow(msgspec.Struct, frozen=True):
    session: UUID | None
    account: UUID | None
    party: UUID | None
    home: str | None
    acts_for: list[UUID]
    roles: list[str]


_RIGHTS = """
  a.id AS account, a.party, p.home_municipality AS home,
  ARRAY(SELECT m.party FROM membership m WHERE m.account = a.id AND m.valid_from <= $2
        AND (m.valid_to IS NULL OR m.valid_to >= $2)) AS acts_for,
  ARRAY(SELECT r.municipality || ':' || r.role FROM role r WHERE r.account = a.id) AS roles
"""
_ACTOR = f"""
SELECT s.id AS session, {_RIGHTS} FROM session s LEFT JOIN account a ON a.id = s.account LEFT JOIN party p ON p.id = a.party
WHERE s.token_hash = $1 AND s.expires_at > $3
"""


async def actor_of_session(token: str, now: datetime) -> Actor | None:
    """Return who holds the session token, or None if there is no live session."""
    found = await db.row(_SessionRow, _ACTOR, token_hash(token), local_date(now), now)
    return None if found is None else _actor(found)


async def actor_of_account(account: UUID, now: datetime) -> Actor | None:
    """Return what the account may do today, for what it set up to run without it; None if there is none."""
    found = await db.row(
        _SessionRow,
        f"SELECT NULL::uuid AS session, {_RIGHTS} FROM account a JOIN party p ON p.id = a.party WHERE a.id = $1",
        account,
        local_date(now),
    )
    return None if found is None else _actor(found)


def _actor(found: _SessionRow) -> Actor:
    own = {found.party} if found.party else set()
    return Actor(
        account=found.account,
        session=found.session,
        party=found.party,
        acts_for=frozenset(own | set(found.acts_for)),
        roles=frozenset((code, Role(role)) for code, role in (text.split(":") for text in found.roles)),
        home=found.home,
    )


async def me(by: Actor) -> Me:
    """Return the actor's own account, identities and roles; all empty for a visitor."""
    if by.account is None:
        return Me(None, [], [])
    account = await db.row(
        AccountRow,
        "SELECT a.id, p.name, a.email, a.language, p.born FROM account a JOIN party p ON p.id = a.party WHERE a.id = $1",
        by.account,
    )
    identities = await db.rows(
        Identity,
        "SELECT id AS party_id, kind, name, home_municipality FROM party WHERE id = ANY($1)"
        " ORDER BY id <> $2, name",
        list(by.acts_for),
        by.party,
    )
    return Me(account, identities, sorted(by.roles))


async def municipalities() -> list[Neighbourhood]:
    """Return every municipality with its neighbours (public)."""
    return await db.rows(
        Neighbourhood,
        'SELECT m.code, m.name, ARRAY(SELECT n."to" FROM neighbour n WHERE n."of" = m.code ORDER BY 1)'
        " AS neighbours FROM municipality m ORDER BY m.name",
    )


async def associations_of(municipality: str, by: Actor) -> list[Identity]:
    """Return the associations whose home it is, by name, to its staff. Raises NotFound to anybody else."""
    by.must_have(municipality, Role.STAFF)
    return await db.rows(
        Identity,
        "SELECT id AS party_id, kind, name, home_municipality FROM party"
        " WHERE kind = 'association' AND home_municipality = $1 ORDER BY name, id",
        municipality,
    )


async def party_names(parties: list[UUID], by: Actor) -> dict[UUID, str]:
    """Return the names of parties whose rows the caller has already been allowed to see."""
    del by  # names travel with rows that another query has filtered
    found = await db.rows(
        Identity,
        "SELECT id AS party_id, kind, name, home_municipality FROM party WHERE id = ANY($1)",
        parties,
    )
    return {one.party_id: one.name for one in found}
