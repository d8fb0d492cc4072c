"""Wanted versions: what makes a controller be owed a snapshot (lock protocol §12.1)."""

from datetime import datetime, timedelta

from booking import db

PUBLISH = "locks.publish"  # the debt "controller `key` is owed a snapshot"
HORIZON = timedelta(days=14)


async def owe(controllers: list[str], now: datetime) -> None:
    """Each controller is owed a snapshot, as `outbox.put` says it: in one statement, so that no row is held for long."""
    if not db.in_transaction():
        raise RuntimeError("a debt is recorded together with its cause: open a transaction")
    await db.run(
        "WITH debts AS (INSERT INTO outbox (kind, key, payload, rev, due_at, attempts, created_at)"
        " SELECT $1, key, '{}', 1, $3, 0, $3 FROM unnest($2::varchar[]) key ORDER BY key"
        " ON CONFLICT (kind, key) DO UPDATE SET rev = outbox.rev + 1,"
        " due_at = least(outbox.due_at, excluded.due_at), attempts = 0) SELECT pg_notify('outbox', $1)",
        PUBLISH,
        controllers,
        now,
    )


class _Raised(db.Record):
    id: str
    epoch: int
    want_ver: int


async def raise_versions(controllers: list[str], *, now: datetime) -> dict[str, tuple[int, int]]:
    """Each controller wants one version more and is owed a snapshot, once however often this is called.

    Rows are locked in sorted order, so every grant up to a wanted version is committed when it can be read.
    """
    if not controllers:
        return {}
    if len(controllers) > 1:
        await db.run("SELECT FROM controller WHERE id = ANY($1) ORDER BY id FOR UPDATE", controllers)
    raised = await db.rows(
        _Raised,
        "UPDATE controller SET want_ver = want_ver + 1, retry_s = 5, retry_at = NULL WHERE id = ANY($1)"
        " RETURNING id, epoch, want_ver",
        controllers,
    )
    await owe(controllers, now)
    return {one.id: (one.epoch, one.want_ver) for one in raised}
