"""Append-only: who did what to which thing. Its rows are also what open pages are told (api/events.py)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from piccolo.columns import UUID as UuidColumn
from piccolo.columns import Array, BigSerial, Text, Timestamptz, Varchar
from piccolo.table import Table

from booking import db
from booking.people import Actor


class Journal(Table, tablename="journal"):
    """One thing that happened. A trigger refuses UPDATE and DELETE."""

    id = BigSerial(primary_key=True)
    at = Timestamptz(default=None)
    action = Varchar(length=60, default=None)
    about = UuidColumn(null=True, default=None, index=True)
    account = UuidColumn(null=True, default=None)
    topics = Array(base_column=Varchar(length=60), default=list)
    data = Text(default="{}", help_text="JSON facts; never a PIN.")


class Entry(msgspec.Struct, frozen=True):
    """A row as open pages need it."""

    id: int
    action: str
    about: UUID | None
    topics: list[str]


async def record(
    action: str,
    *,
    about: UUID | None,
    by: Actor,
    now: datetime,
    topics: list[str] | None = None,
    **facts: object,
) -> None:
    """The journal has the row, and pages that follow one of the topics learn of it when this commits.

    Topics look like `reservation:UUID`, `timeline:2401`, `doors:2401`, `invoices:2401`.
    """
    await db.run(
        "WITH j AS (INSERT INTO journal (at, action, about, account, topics, data)"
        " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id) SELECT pg_notify('journal', id::text) FROM j",
        now,
        action,
        about,
        by.account,
        topics or [],
        msgspec.json.encode(facts).decode(),
    )


class Note(msgspec.Struct, frozen=True):
    """One of several things that happened at once, for `record_many`."""

    action: str
    about: UUID | None
    topics: list[str] = []
    facts: dict[str, object] = {}


async def record_many(notes: Sequence[Note], *, by: Actor, now: datetime) -> None:
    """The journal has all the rows, in this order, and open pages learn of each: one statement."""
    # varchar[][] can't hold topic lists of different lengths: each list travels as one JSON text.
    await db.run(
        "WITH j AS (INSERT INTO journal (at, action, about, account, topics, data)"
        " SELECT $1, t.action, t.about, $2, ARRAY(SELECT json_array_elements_text(t.topics::json)), t.data"
        " FROM unnest($3::text[], $4::uuid[], $5::text[], $6::text[]) WITH ORDINALITY"
        "  AS t(action, about, topics, data, n) ORDER BY t.n RETURNING id)"
        " SELECT count(pg_notify('journal', id::text)) FROM j",
        now,
        by.account,
        [one.action for one in notes],
        [one.about for one in notes],
        [msgspec.json.encode(one.topics).decode() for one in notes],
        [msgspec.json.encode(one.facts).decode() for one in notes],
    )


async def entries(ids: list[int]) -> list[Entry]:
    """Return these rows, oldest first."""
    return await db.rows(
        Entry, "SELECT id, action, about, topics FROM journal WHERE id = ANY($1) ORDER BY id", ids
    )


async def entries_after(last: int, since: datetime, topics: list[str]) -> list[Entry]:
    """Return rows of these topics later than `last` or younger than `since`.

    Numbers are drawn before commit, so a lower one may appear late: the overlap in time catches it.
    """
    return await db.rows(
        Entry,
        "SELECT id, action, about, topics FROM journal WHERE (id > $1 OR at > $2) AND topics && $3::varchar[]"
        " AND id > $1 - 1000 ORDER BY id LIMIT 500",
        last,
        since,
        topics,
    )
