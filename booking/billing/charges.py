"""Charging, and what a cancellation does to the money."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from booking import db
from booking.billing import credit_notes, ledger, payments
from booking.billing.pricing import Quote
from booking.billing.tariff_data import VatRule
from booking.billing.views import CancelOutcome, snapshot
from booking.ids import new_id

ChargeKind = Literal["usage", "cancel_fee", "no_show", "penalty", "trip"]


class Charged(db.Record):
    """A charge as those who take it back need it."""

    id: UUID
    entity: str
    party: UUID
    kind: str
    text: str
    net_ore: int
    vat_ore: int
    total_ore: int
    vat_rule: VatRule
    state: str
    payment: UUID | None
    service_at: datetime


async def charge(
    *,
    source: UUID,
    party: UUID,
    municipality: str,
    kind: ChargeKind,
    quote: Quote,
    service_at: datetime,
    text: str,
    paid_by: UUID | None = None,
    seq: int = 1,
    now: datetime,
) -> UUID | None:
    """The party owes this, or has paid it by the payment; in the caller's transaction. None if charged before.

    A charge happens once per source, kind and seq; a price of several VAT rules is one charge for each, numbered
    from seq on. One of nothing (zero tariff) is kept as `free`.
    """
    first = None
    for number, part in enumerate(quote.parts or (quote,), start=seq):
        charged = await _charge(
            source, party, municipality, kind, part, service_at, text, paid_by, number, now
        )
        first = first or charged
    return first


async def _charge(
    source: UUID,
    party: UUID,
    municipality: str,
    kind: ChargeKind,
    quote: Quote,
    service_at: datetime,
    text: str,
    paid_by: UUID | None,
    seq: int,
    now: datetime,
) -> UUID | None:
    state = "free" if quote.total_ore == 0 else "open" if paid_by is None else "paid_direct"
    charge_id = new_id()
    fresh = await db.run(
        "INSERT INTO charge (id, entity, party, source, kind, cause_key, text, net_ore, vat_ore, total_ore, vat_rule,"
        " quote, service_at, state, payment, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)"
        " ON CONFLICT (cause_key) DO NOTHING",
        charge_id,
        municipality,
        party,
        source,
        kind,
        f"{source}:{kind}:{seq}",
        text[:200],
        quote.net_ore,
        quote.vat_ore,
        quote.total_ore,
        quote.vat_rule,
        snapshot(quote),
        service_at,
        state,
        paid_by,
        now,
    )
    if not fresh:
        return None
    if state == "paid_direct":
        sides = ledger.earned(kind, quote.net_ore, quote.vat_ore, quote.vat_rule)
        paid = [(ledger.CUSTOMER, quote.total_ore), *sides]
        await ledger.post(municipality, f"charge:{charge_id}", "Direktbetald avgift", paid, now)
    return charge_id


@dataclass(frozen=True, slots=True)
class NewCharge:
    """One of several charges for use that are made at once."""

    source: UUID
    quote: Quote
    service_at: datetime
    text: str


async def charge_many(charges: Sequence[NewCharge], *, party: UUID, municipality: str, now: datetime) -> int:
    """The party owes all of it on invoice; in the caller's transaction, one statement. Returns how many were new.

    As with `charge`, one per source, and one of nothing is kept as `free`.
    """
    parts = [
        (one, n, part) for one in charges for n, part in enumerate(one.quote.parts or (one.quote,), start=1)
    ]
    return await db.run(
        "INSERT INTO charge (id, entity, party, source, kind, cause_key, text, net_ore, vat_ore, total_ore, vat_rule,"
        " quote, service_at, state, created_at)"
        " SELECT c.id, $1, $2, c.source, 'usage', c.source || ':usage:' || c.seq, c.text, c.net, c.vat, c.total, c.rule,"
        " c.quote, c.service_at, CASE WHEN c.total = 0 THEN 'free' ELSE 'open' END, $3"
        " FROM unnest($4::uuid[], $5::uuid[], $6::int[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[],"
        " $11::text[], $12::text[], $13::timestamptz[])"
        " AS c(id, source, seq, text, net, vat, total, rule, quote, service_at) ON CONFLICT (cause_key) DO NOTHING",
        municipality,
        party,
        now,
        [new_id() for _ in parts],
        [one.source for one, _, _ in parts],
        [seq for _, seq, _ in parts],
        [one.text[:200] for one, _, _ in parts],
        [part.net_ore for _, _, part in parts],
        [part.vat_ore for _, _, part in parts],
        [part.total_ore for _, _, part in parts],
        [part.vat_rule for _, _, part in parts],
        [snapshot(part) for _, _, part in parts],
        [one.service_at for one, _, _ in parts],
    )


async def cancel(source: UUID, *, fee: Quote | None, by_municipality: bool, now: datetime) -> CancelOutcome:
    """What was charged for the use is taken back and the fee, if any, charged instead; in the caller's transaction.

    Open → waived; paid → refunded; invoiced → credit note. A fee is never taken when the municipality cancels.
    Cancelling twice is a no-op.
    """
    found = await usage_of(source)
    if not found:
        return CancelOutcome(0, 0)
    for one in found:
        await take_back(one, "Avbokad, betald avgift återförs", now)
    paid = sum(one.total_ore for one in found if one.state == "paid_direct")
    owed = fee.total_ore if fee is not None and not by_municipality else 0
    if fee is not None and owed:
        first = found[0]
        await charge(
            source=source,
            party=first.party,
            municipality=first.entity,
            kind="cancel_fee",
            quote=fee,
            service_at=first.service_at,
            text=f"Avbokning: {first.text}",
            paid_by=first.payment if owed <= paid else None,
            seq=await next_seq(source, "cancel_fee"),  # a late move may have cost one before
            now=now,
        )
    refunded = await payments.refund(source, reason="cancelled", now=now) if paid else 0
    return CancelOutcome(owed, refunded)


async def usage_of(source: UUID, kind: ChargeKind = "usage") -> list[Charged]:
    """Return the source's charges of a kind that stand, locked."""
    return await db.rows(
        Charged,
        f"SELECT {', '.join(Charged.__struct_fields__)} FROM charge WHERE source = $1 AND kind = $2"
        " AND state IN ('open', 'free', 'invoiced', 'paid_direct') ORDER BY id FOR NO KEY UPDATE",
        source,
        kind,
    )


async def take_back(one: Charged, why: str, now: datetime) -> None:
    """The charge no longer stands: open → waived, paid → credited in the ledger, invoiced → credit note."""
    if one.state == "invoiced":
        await credit_notes.credit(one.id, now=now)
        return
    paid = one.state == "paid_direct"
    await db.run("UPDATE charge SET state = $2 WHERE id = $1", one.id, "credited" if paid else "waived")
    if paid:
        sides = ledger.mirrored(ledger.earned(one.kind, one.net_ore, one.vat_ore, one.vat_rule))
        back = [(ledger.CUSTOMER, -one.total_ore), *sides]
        await ledger.post(one.entity, f"charge:{one.id}:back", why, back, now)


async def next_seq(source: UUID, kind: ChargeKind) -> int:
    """Return the next free number of a source's charges of a kind. The source's row is locked by the caller."""
    count = await db.value(int, "SELECT count(*) FROM charge WHERE source = $1 AND kind = $2", source, kind)
    return (count or 0) + 1
