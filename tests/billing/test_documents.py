"""The PDF says what the ledger says, is tagged, and a renderer that fails harms nobody."""

import asyncio
import io
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from pypdf import PdfReader

from booking import billing, db
from booking.billing.documents import NoDocument, render
from booking.money import kronor
from booking.people import Actor
from tests.billing_help import UMEA, Town, charged, clock, drained

SYSTEM = Actor.system()
NOVEMBER = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
DECEMBER_5 = datetime(2026, 12, 5, 6, 0, tzinfo=UTC)


async def test_the_document__shows_what_was_booked(town: Town, now: datetime) -> None:
    for days in range(30):
        await charged(town.association, NOVEMBER - timedelta(days=days % 20, minutes=days), now, minutes=61)
    await charged(town.association, NOVEMBER, now, minutes=270, resource="minibus")
    await billing.run_invoices(UMEA, "2026-11", by=SYSTEM, now=DECEMBER_5)
    (card,), _ = await billing.invoices(
        by=SYSTEM, party=None, municipality=UMEA, state=None, now=DECEMBER_5, limit=9, offset=0
    )
    page = await billing.invoice(card.id, by=SYSTEM, now=DECEMBER_5)

    name, body = await billing.invoice_pdf(card.id, by=SYSTEM, now=DECEMBER_5)

    reader = PdfReader(io.BytesIO(body))
    text = "\n".join(one.extract_text() for one in reader.pages).replace("\xa0", " ")
    booked = await db.value(int, "SELECT sum(amount_ore)::bigint FROM posting WHERE account = 1510")
    assert name == "invoice-202600001"
    assert booked == page.total_ore
    for shown in (
        "Faktura 202600001", "IFK Umeå", "Umeå kommun (demo)", "5050-1055", page.ocr, "25 % moms",
        "10 kap. 36 § ML", kronor(page.total_ore).replace("\xa0", " "), kronor(page.rounding_ore),
    ):  # fmt: skip
        assert shown in text
    assert page.rounding_ore != 0
    catalogue = reader.trailer["/Root"]
    assert catalogue["/Lang"] == "sv-SE"
    assert catalogue["/MarkInfo"]["/Marked"]
    assert b"pdfuaid" in body
    assert len(reader.pages) > 1
    assert (await billing.invoice_pdf(card.id, by=SYSTEM, now=DECEMBER_5))[1] == body


async def test_the_worker__renders_it_ahead(town: Town, now: datetime) -> None:
    await charged(town.association, NOVEMBER, now)
    await billing.run_invoices(UMEA, "2026-11", by=SYSTEM, now=clock())

    assert await drained(seconds_ahead=1) == []

    assert await db.value(int, "SELECT count(*) FROM invoice_pdf") == 1


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import time; time.sleep(60)", "more than"),
        ("import os; os.kill(os.getpid(), 9)", "failed"),
        ("print('not a pdf')", "failed"),
    ],
)
async def test_a_renderer_hangs_or_dies__no_document_in_time(program: str, said: str) -> None:
    begun = time.monotonic()

    with pytest.raises(NoDocument, match=said):
        await render(b"{}", command=(sys.executable, "-c", program), limit=1)
    assert time.monotonic() - begun < 5


async def test_two_ask_for_the_document_at_once__the_same_bytes(town: Town, now: datetime) -> None:
    await charged(town.association, NOVEMBER, now)
    await billing.run_invoices(UMEA, "2026-11", by=SYSTEM, now=now)
    (card,), _ = await billing.invoices(
        by=SYSTEM, party=None, municipality=UMEA, state=None, now=now, limit=9, offset=0
    )

    found = await asyncio.gather(*(billing.invoice_pdf(card.id, by=SYSTEM, now=now) for _ in range(3)))

    assert len({body for _, body in found}) == 1
