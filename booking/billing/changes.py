"""A booking that has been charged changes: what it cost before is taken back, what it costs now is charged."""

from datetime import datetime
from uuid import UUID

from booking import db
from booking.billing import payments
from booking.billing.charges import ChargeKind, charge, next_seq, take_back, usage_of
from booking.billing.pricing import Quote
from booking.billing.views import ChangeOutcome
from booking.errors import Rejected


class Dearer(Rejected):
    """The new price is higher, it was paid by card, and this customer can't owe the difference."""

    code = "dearer"


async def change(
    source: UUID,
    *,
    party: UUID,
    municipality: str,
    quote: Quote,
    fee: Quote | None,
    may_owe: bool,
    service_at: datetime,
    text: str,
    now: datetime,
) -> ChangeOutcome:
    """The use costs what `quote` says, and the change costs the fee; in the caller's transaction.

    Open → waived and charged anew; invoiced at another price → credit note and a new charge; paid by card → kept of
    the payment, the rest refunded, or, when it is dearer, all refunded and owed (`may_owe`). Raises Dearer.
    """
    found = await usage_of(source)
    before = sum(one.total_ore for one in found)
    settled = bool(found) and all(one.state in ("invoiced", "paid_direct") for one in found)
    refunded = 0
    if not (settled and before == quote.total_ore):  # an issued line of the same price stands
        paid_by = next((one.payment for one in found if one.state == "paid_direct"), None)
        dearer = paid_by is not None and quote.total_ore > before
        if dearer and not may_owe:
            raise Dearer("the new time costs more than was paid")
        for one in found:
            await take_back(one, "Ändrad, betald avgift återförs", now)
        await charge(
            source=source,
            party=party,
            municipality=municipality,
            kind="usage",
            quote=quote,
            service_at=service_at,
            text=text,
            paid_by=None if dearer else paid_by,
            seq=await next_seq(source, "usage"),
            now=now,
        )
        if paid_by is not None:
            refunded = await payments.refund(source, reason="moved", now=now)
    if fee is not None and fee.total_ore:
        await charge_fee(source, party, municipality, "cancel_fee", fee, service_at, f"Ändring: {text}", now)
    return ChangeOutcome(quote.total_ore - before, fee.total_ore if fee else 0, refunded)


async def charge_fee(
    source: UUID,
    party: UUID,
    municipality: str,
    kind: ChargeKind,
    fee: Quote,
    service_at: datetime,
    text: str,
    now: datetime,
) -> None:
    """The party owes one fee more of this kind; in the caller's transaction. A fee of nothing is no fee."""
    if fee.total_ore:
        await charge(
            source=source,
            party=party,
            municipality=municipality,
            kind=kind,
            quote=fee,
            service_at=service_at,
            text=text,
            seq=await next_seq(source, kind),
            now=now,
        )


async def drop_fee(source: UUID, kind: ChargeKind, *, now: datetime) -> None:
    """Fees of this kind are taken back: open → waived, invoiced → credit note. In the caller's transaction."""
    for one in await usage_of(source, kind):
        await take_back(one, "Avgift återtagen", now)


async def owes_fee(source: UUID, kind: ChargeKind) -> bool:
    """Return True if a fee of this kind stands."""
    standing = "state IN ('open', 'invoiced', 'paid_direct')"
    asked = f"SELECT EXISTS (SELECT FROM charge WHERE source = $1 AND kind = $2 AND {standing})"
    return bool(await db.value(bool, asked, source, kind))
