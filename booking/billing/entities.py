"""Setting up who sells and invoices, and when."""

from datetime import date

from stdnum import luhn
from stdnum.se import orgnr

from booking import db
from booking.billing import ledger
from booking.errors import Rejected


async def found_entity(
    municipality: str,
    *,
    name: str,
    org_number: str,
    bankgiro: str,
    address: str,
    email: str,
    payment_days: int = 30,
) -> None:
    """The municipality can sell and invoice: it has an identity and a chart of accounts. Doing it twice is a no-op.

    Raises Rejected when a check digit is wrong.
    """
    if not orgnr.is_valid(org_number):
        raise Rejected(f"organisation number {org_number} has a wrong check digit", code="bad_org_number")
    if not luhn.is_valid(bankgiro.replace("-", "")):
        raise Rejected(f"Bankgiro number {bankgiro} has a wrong check digit", code="bad_bankgiro")
    digits = orgnr.compact(org_number)
    async with db.transaction():
        await db.run(
            "INSERT INTO legal_entity (id, name, org_number, vat_number, bankgiro, address, email, payment_days)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
            municipality,
            name,
            f"{digits[:6]}-{digits[6:]}",
            f"SE{digits}01",
            bankgiro,
            address,
            email,
            payment_days,
        )
        await db.run(
            "INSERT INTO ledger_account (entity, number, name) SELECT $1, n, t FROM unnest($2::int[], $3::text[])"
            " AS a(n, t) ON CONFLICT DO NOTHING",
            municipality,
            list(ledger.NAMES),
            list(ledger.NAMES.values()),
        )


async def set_invoicing_date(municipality: str, month: str, run_on: date) -> None:
    """The month ("2026-11") will be invoiced on the day; a later call moves it."""
    await db.run(
        "INSERT INTO invoicing_date (entity, month, run_on) VALUES ($1, $2, $3)"
        " ON CONFLICT (entity, month) DO UPDATE SET run_on = excluded.run_on",
        municipality,
        month,
        run_on,
    )
