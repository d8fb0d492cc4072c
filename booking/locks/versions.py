"""Wanted versions: what makes a controller be owed a snapshot (lock protocol §12.1)."""

from datetime import datetime, timedelta

from booking import db, outbox

PUBLISH = "locks.publish"  # the debt "controller `key` is owed a snapshot"
HORIZON = timedelta(days=14)


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
    await db.run("SELECT FROM controller WHERE id = ANY($1) ORDER BY id FOR UPDATE", controllers)
    raised = await db.rows(
        _Raised,
        "UPDATE controller SET want_ver = want_ver + 1, retry_s = 5, retry_at = NULL WHERE id = ANY($1)"
        " RETURNING id, epoch, want_ver",
        controllers,
    )
    for name in controllers:
        await outbox.put(PUBLISH, key=name, now=now)
    return {one.id: (one.epoch, one.want_ver) for one in raised}
