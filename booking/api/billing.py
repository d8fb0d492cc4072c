"""Invoices and invoice runs on the wire."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from booking import billing
from booking.api.auth import IdempotencyKey
from booking.api.errors import responses
from booking.api.shapes import (
    CodeQuery,
    CodeRequired,
    HTTPRequest,
    LimitQuery,
    Month,
    MunicipalityCode,
    OffsetQuery,
    PartyQuery,
)
from booking.people import Actor, Role


class InvoiceList(msgspec.Struct, frozen=True):
    """A page of invoices."""

    invoices: list[billing.InvoiceCard]
    total: int


class NewRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which month of which municipality to invoice."""

    municipality: MunicipalityCode
    month: Month


class InvoiceController(Controller):
    """Invoices, for those who pay them and those who send them."""

    path = "/invoices"
    tags = ("Billing",)

    @get("/", operation_id="ListInvoices", responses=responses(401, 404))
    async def index(
        self,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        party_id: PartyQuery = None,
        municipality: CodeQuery = None,
        wanted: Annotated[
            billing.InvoiceState | None,
            QueryParameter(name="state", required=False),
        ] = None,
        limit: LimitQuery = 30,
        offset: OffsetQuery = 0,
    ) -> InvoiceList:
        """Return invoices of the parties the caller acts for, or of a municipality where they handle finance."""
        actor.must_be_known()
        found, total = await billing.invoices(
            by=actor,
            party=party_id,
            municipality=municipality,
            state=wanted,
            now=now,
            limit=limit,
            offset=offset,
        )
        return InvoiceList(found, total)

    @get("/{invoice_id:uuid}", operation_id="GetInvoice", responses=responses(404))
    async def read(
        self, invoice_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> billing.InvoicePage:
        """Return one invoice line by line."""
        return await billing.invoice(invoice_id, by=actor, now=now)

    @get(
        "/{invoice_id:uuid}/pdf",
        operation_id="GetInvoicePdf",
        responses=responses(404, 503),
        media_type="application/pdf",
    )
    async def pdf(
        self, invoice_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> Response[bytes]:
        """Return the invoice as a tagged PDF; the same bytes every time."""
        name, document = await billing.invoice_pdf(invoice_id, by=actor, now=now)
        headers = {
            "Content-Disposition": f'inline; filename="{name}.pdf"',
            "Cache-Control": "private, no-store",
        }
        return Response(document, media_type="application/pdf", headers=headers)


class RunController(Controller):
    """Invoice runs."""

    tags = ("Billing",)

    @get("/invoice-runs", operation_id="ListInvoiceRuns", responses=responses(404))
    async def index(
        self, municipality: CodeRequired, actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> billing.Runs:
        """Return past runs and the next date of the invoicing calendar."""
        actor.must_have(municipality, Role.FINANCE)
        return await billing.runs(municipality, by=actor, now=now)

    @post("/invoice-runs", operation_id="RunInvoices", responses=responses(403, 404, 422))
    async def run(
        self,
        request: HTTPRequest,
        data: JSONBody[NewRun],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> billing.RunResult:
        """Invoice a month that is over. Running it again issues nothing twice: the run itself is idempotent."""
        actor.must_have(data.municipality, Role.FINANCE)
        return await billing.run_invoices(data.municipality, data.month, by=actor, now=now)

    @get("/uninvoiced", operation_id="ListUninvoiced", responses=responses(404))
    async def uninvoiced(
        self,
        municipality: CodeRequired,
        month: Annotated[str, QueryParameter(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")],
        actor: NamedDependency[Actor],
    ) -> billing.Uninvoiced:
        """Return what the month's run would invoice, per customer."""
        actor.must_have(municipality, Role.FINANCE)
        return await billing.uninvoiced(municipality, month, by=actor)
