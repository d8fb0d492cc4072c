"""A creating request that is sent twice acts once and is answered twice (draft-ietf-httpapi-idempotency-key-header)."""

import hashlib
import hmac
from datetime import datetime, timedelta

from piccolo.columns import Bytea, SmallInt, Text, Timestamptz, Varchar
from piccolo.table import Table

from booking import db
from booking.errors import Rejected

KEPT = timedelta(days=2)


class IdempotentRequest(Table, tablename="idempotent_request"):
    """The first answer to a key of one caller."""

    key = Varchar(length=200, primary_key=True, default=None, help_text="caller|key")
    fingerprint = Bytea(default=None, help_text="HMAC-SHA-256 of operation and body.")
    status = SmallInt(null=True, default=None)
    body = Text(null=True, default=None)
    created_at = Timestamptz(default=None, index=True)


class Answer(db.Record):
    """What was answered the first time."""

    status: int
    body: str


class _Row(db.Record):
    fingerprint: bytes
    status: int | None
    body: str | None


def fingerprint(secret_key: bytes, operation: str, body: bytes) -> bytes:
    """Return the keyed hash by which two requests are the same: a body may carry a password."""
    message = b"idempotency|" + operation.encode() + b"\0" + body
    return hmac.new(secret_key, message, hashlib.sha256).digest()


async def begin(caller: str, key: str, print_: bytes, now: datetime) -> Answer | None:
    """Return the first answer if there is one; otherwise the key is ours until this transaction ends.

    A second request with the same key waits for the first to commit. Raises Rejected for another body.
    """
    name = f"{caller}|{key}"
    fresh = await db.run(
        "INSERT INTO idempotent_request (key, fingerprint, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        name,
        print_,
        now,
    )
    if fresh:
        return None
    stored = await db.row(
        _Row, "SELECT fingerprint, status, body FROM idempotent_request WHERE key = $1", name
    )
    if stored is None:
        return None
    if stored.fingerprint != print_:
        raise Rejected("this key was used for another request", code="idempotency_key_reused")
    return Answer(stored.status or 200, stored.body or "null")


async def finish(caller: str, key: str, status: int, body: bytes) -> None:
    """The answer is kept, in the same transaction as what it tells of."""
    await db.run(
        "UPDATE idempotent_request SET status = $2, body = $3 WHERE key = $1",
        f"{caller}|{key}",
        status,
        body.decode(),
    )


async def forget_old(now: datetime) -> int:
    """Answers older than two days are gone."""
    return await db.run("DELETE FROM idempotent_request WHERE created_at < $1", now - KEPT)
