"""Wanted versions: what makes a controller be owed a snapshot (lock protocol §12.1)."""

from datetime import datetime, timedelta

from booking import db

PUBLISH = "locks.publish"  # the debt "controller `key` is owed a snapshot"
HORIZON = timedelta(days=14)


_DEBTS = """
INSERT INTO outbox (kind, key, payload, rev, due_at, attempts, created_at)
SELECT $1, key, '{{}}', 1, $3, 0, $3 FROM {controllers} ORDER BY key
ON CONFLICT (kind, key) DO UPDATE SET rev = outbox.rev + 1, due_at = least(outbox.due_at, excluded.due_at), attempts = 0
"""
_OWE = (
    f"WITH debts AS ({_DEBTS.format(controllers='unnest($2::varchar[]) key')}) SELECT pg_notify('outbox', $1)"
)
_RAISE = f"""
WITH raised AS (
  UPDATE controller SET want_ver = want_ver + 1, retry_s = 5, retry_at = NULL WHERE id = ANY($2)
  RETURNING id AS key, epoch, want_ver
), debts AS ({_DEBTS.format(controllers="raised")}), told AS (SELECT pg_notify('outbox', $1))
SELECT key AS id, epoch, want_ver FROM raised, told
"""


async def owe(controllers: list[str], now: datetime) -> None:
    """Each controller is owed a snapshot, as `outbox.put` says it: in one statement, so that no row is held for long."""
    if not db.in_transaction():
        raise RuntimeError("a debt is recorded together with its cause: open a transaction")
    await db.run(_OWE, PUBLISH, controllers, now)


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
    if not db.in_transaction():
        raise RuntimeError("a version is wanted together with its cause: open a transaction")
    if len(controllers) > 1:
        await db.run("SELECT FROM controller WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE", controllers)
    raised = await db.rows(_Raised, _RAISE, PUBLISH, controllers, now)
    return {one.id: (one.epoch, one.want_ver) for one in raised}
