"""The invoice's PDF: rendered in a process of its own with a time limit, stored once with its hash."""

import asyncio
import hashlib
import sys
from datetime import datetime
from pathlib import Path
from uuid import UUID

import msgspec
from asyncpg import UniqueViolationError

from booking import db
from booking.billing import invoice_pages
from booking.errors import Unavailable
from booking.people import Actor

LIMIT = 20  # seconds for one document
PROGRAM = Path(__file__).with_name("pdf.py")  # run by path: it needs nothing of ours, and starts at once


class NoDocument(Unavailable):
    """The document could not be made now; the invoice stands."""

    code = "document_not_ready"


async def store(invoice: UUID, now: datetime) -> bytes:
    """Return the invoice's document, rendered and stored the first time. Raises NoDocument."""
    known = await db.value(bytes, "SELECT body FROM invoice_pdf WHERE invoice = $1", invoice)
    if known is not None:
        return known
    facts = await invoice_pages.facts(invoice, by=Actor.system(), now=now)
    body = await render(msgspec.json.encode(facts))
    try:
        await db.run(
            "INSERT INTO invoice_pdf (invoice, sha256, body, rendered_at) VALUES ($1, $2, $3, $4)",
            invoice,
            hashlib.sha256(body).hexdigest(),
            body,
            now,
        )
    except UniqueViolationError:  # somebody rendered it at the same time: theirs is the document
        return await store(invoice, now)
    return body


async def render(facts: bytes, *, command: tuple[str, ...] | None = None, limit: float = LIMIT) -> bytes:
    """Return a tagged PDF (PDF/UA-1). Raises NoDocument when the renderer fails or takes too long."""
    argv = command or (sys.executable, "-I", str(PROGRAM))
    process = await asyncio.create_subprocess_exec(
        *argv, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(limit):
            body, errors = await process.communicate(facts)
    except TimeoutError as error:
        process.kill()
        await process.communicate()
        raise NoDocument(f"the PDF took more than {limit:g} s") from error
    if process.returncode or not body.startswith(b"%PDF-"):
        raise NoDocument(f"the PDF renderer failed: {errors.decode(errors='replace')[-300:]}")
    return body
