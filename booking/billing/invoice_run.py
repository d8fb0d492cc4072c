"""The month's run: one invoice per customer and municipality, whoever runs it, however often, killed or not."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from booking import db
from booking.billing.invoices import Line, explain, month_bounds
from booking.billing.issuing import Issued, issue
from booking.billing.tariff_data import VatRule
from booking.billing.views import Progress, RunResult, read_snapshot
from booking.errors import NotFound, Rejected
from booking.ids import new_id
from booking.people import Actor, Role

Told = Callable[[int, int], None]


class _Charge(db.Record):
    id: UUID
    kind: str
    text: str
    net_ore: int
    vat_rule: VatRule
    quote: str
    service_at: datetime


class _Run(db.Record):
    id: UUID


async def run_invoices(
    municipality: str, month: str, *, by: Actor, now: datetime, progress: Told | None = None
) -> RunResult:
    """Every customer's open charges up to the month's end are invoiced, once. Raises NotFound, Rejected.

    One transaction per customer; a second run, at the same time or after a crash, does only what is left. What
    is charged after a customer's invoice of the month goes on a further one (`part`) or with the next month.
    """
    by.must_have(municipality, Role.FINANCE)
    begins, end = month_bounds(month)
    if now < begins:
        raise Rejected(f"{month} has not begun", code="month_not_begun")
    run = await _begin(municipality, month, by, now)
    parties = await db.column(
        UUID,
        "SELECT DISTINCT party FROM charge WHERE entity = $1 AND state = 'open' AND service_at < $2 ORDER BY party",
        municipality,
        end,
    )
    issued = 0
    for done, party in enumerate(parties, 1):
        issued += await _invoice_party(municipality, party, month, end, by, now) is not None
        if progress is not None:
            progress(done, len(parties))
    return await _finish(run, municipality, month, issued, len(parties), now)


async def _begin(municipality: str, month: str, by: Actor, now: datetime) -> UUID:
    if await db.value(str, "SELECT id FROM legal_entity WHERE id = $1", municipality) is None:
        raise NotFound(f"municipality {municipality} has no legal entity to invoice with")
    found = await db.row(
        _Run,
        "INSERT INTO invoice_run (id, entity, month, state, issued, total_ore, started_at, started_by)"
        " VALUES ($1, $2, $3, 'running', 0, 0, $4, $5)"
        " ON CONFLICT (entity, month) DO UPDATE SET month = excluded.month RETURNING id",
        new_id(),
        municipality,
        month,
        now,
        by.account,
    )
    assert found is not None
    return found.id


async def _invoice_party(
    municipality: str, party: UUID, month: str, end: datetime, by: Actor, now: datetime
) -> Issued | None:
    """Invoice one customer, in one transaction: all of it or nothing."""
    async with db.transaction():
        await db.take_locks(
            "invoice", [f"{municipality}:{party}"]
        )  # two runs at once take turns per customer
        charges = await db.rows(
            _Charge,
            f"SELECT {', '.join(_Charge.__struct_fields__)} FROM charge WHERE entity = $1 AND party = $2"
            " AND state = 'open' AND service_at < $3 ORDER BY service_at, id FOR NO KEY UPDATE",
            municipality,
            party,
            end,
        )
        if not charges:
            return None
        issued = await issue(
            entity=municipality, party=party, lines=[_line(c) for c in charges], month=month, now=now, by=by
        )
        await db.run(
            "UPDATE charge SET state = 'invoiced', invoice = $2 WHERE id = ANY($1)",
            [c.id for c in charges],
            issued.id,
        )
        return issued


def _line(one: _Charge) -> Line:
    detail = explain(read_snapshot(one.quote))
    return Line(one.id, one.kind, one.text, detail, one.net_ore, one.vat_rule)


class _Sum(db.Record):
    count: int
    total: int


async def _finish(
    run: UUID, municipality: str, month: str, issued: int, parties: int, now: datetime
) -> RunResult:
    sums = await db.row(
        _Sum,
        "SELECT count(*) AS count, coalesce(sum(total_ore), 0)::bigint AS total FROM invoice"
        " WHERE entity = $1 AND month = $2 AND kind = 'invoice'",
        municipality,
        month,
    )
    count, total = (sums.count, sums.total) if sums else (0, 0)
    await db.run(
        "UPDATE invoice_run SET state = 'done', issued = $2, total_ore = $3, finished_at = $4 WHERE id = $1",
        run,
        count,
        total,
        now,
    )
    return RunResult(run, "done", issued, count - issued, total, Progress(parties, parties))
