"""The ledger: vouchers that balance. What balances is worked out here; the database refuses what does not."""

from collections.abc import Iterable
from datetime import datetime

from booking import db
from booking.billing.tariff_data import VatRule
from booking.ids import new_id

RECEIVABLE, STRIPE, CUSTOMER, FEES, USAGE, ROUNDING = 1510, 1580, 2420, 3990, 3010, 3740
VAT: dict[VatRule, int] = {"vat_25": 2611, "vat_12": 2621, "vat_6": 2631}
NAMES = {
    RECEIVABLE: "Kundfordringar",
    STRIPE: "Fordran på Stripe",
    CUSTOMER: "Kunders förskott och tillgodohavanden",
    2611: "Utgående moms 25 %",
    2621: "Utgående moms 12 %",
    2631: "Utgående moms 6 %",
    USAGE: "Hyresintäkter lokaler, anläggningar och fordon",
    ROUNDING: "Öresavrundning",
    FEES: "Avgifter vid avbokning och utebliven användning",
}

Side = tuple[int, int]  # account, amount in öre: debit above zero, credit below


def earned(kind: str, net_ore: int, vat_ore: int, vat_rule: VatRule) -> list[Side]:
    """Return the credit side of a charge: revenue and, where there is any, VAT."""
    revenue = (USAGE if kind in ("usage", "trip") else FEES, -net_ore)
    return [revenue, (VAT[vat_rule], -vat_ore)] if vat_ore else [revenue]


def mirrored(sides: Iterable[Side]) -> list[Side]:
    """Return the sides that undo these."""
    return [(account, -amount) for account, amount in sides]


def gathered(sides: Iterable[Side]) -> list[Side]:
    """Return one side per account, without those that come to nothing."""
    sums: dict[int, int] = {}
    for account, amount in sides:
        sums[account] = sums.get(account, 0) + amount
    return [(account, amount) for account, amount in sorted(sums.items()) if amount]


async def post(entity: str, cause: str, text: str, sides: Iterable[Side], now: datetime) -> bool:
    """The voucher is booked, once per cause; False if it was booked before or comes to nothing."""
    booked = gathered(sides)
    if not booked:
        return False
    entry = new_id()
    fresh = await db.run(
        "INSERT INTO ledger_entry (id, entity, cause_key, text, at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (entity, cause_key) DO NOTHING",
        entry,
        entity,
        cause,
        text,
        now,
    )
    if not fresh:
        return False
    await db.run_many(
        "INSERT INTO posting (entry, entity, account, amount_ore) VALUES ($1, $2, $3, $4)",
        [(entry, entity, account, amount) for account, amount in booked],
    )
    return True
