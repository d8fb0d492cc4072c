"""When a municipality invoices which month."""

from datetime import date, datetime, timedelta

from booking import db
from booking.billing.invoices import month_bounds
from booking.clock import local_date

DEFAULT_DAY = 5  # of the following month, for a municipality without a calendar of its own


async def due_runs(now: datetime) -> list[tuple[str, str]]:
    """Return (municipality, month) of every run whose day has come and that is not done.

    A run by hand before the month was over does not count. A municipality without a calendar runs last month on
    the fifth.
    """
    today = local_date(now)
    last_month = f"{today.replace(day=1) - timedelta(days=1):%Y-%m}"
    found = await db.rows(
        _Due,
        "SELECT e.id AS entity, coalesce(d.month, $2) AS month FROM legal_entity e"
        " LEFT JOIN invoicing_date d ON d.entity = e.id AND d.run_on <= $1"
        " WHERE (d.id IS NOT NULL OR ($3 AND NOT EXISTS (SELECT FROM invoicing_date o WHERE o.entity = e.id)))"
        " AND NOT EXISTS (SELECT FROM invoice_run r WHERE r.entity = e.id AND r.state = 'done'"
        "  AND r.month = coalesce(d.month, $2) AND r.finished_at >="
        "   ((r.month || '-01')::timestamp + interval '1 month') AT TIME ZONE 'Europe/Stockholm') ORDER BY 1, 2",
        today,
        last_month,
        today.day >= DEFAULT_DAY,
    )
    return [(one.entity, one.month) for one in found if month_bounds(one.month)[1] <= now]


async def next_run_on(municipality: str, now: datetime) -> date:
    """Return the next day of the municipality's invoicing calendar."""
    today = local_date(now)
    planned = await db.value(
        date, "SELECT min(run_on) FROM invoicing_date WHERE entity = $1 AND run_on > $2", municipality, today
    )
    if planned is not None:
        return planned
    this = today.replace(day=DEFAULT_DAY)
    return this if this > today else (today.replace(day=1) + timedelta(days=32)).replace(day=DEFAULT_DAY)


class _Due(db.Record):
    entity: str
    month: str
