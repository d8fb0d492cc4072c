"""What messages and webhooks say of a booking or an invoice, looked up when they leave."""

from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

import msgspec

from booking import db, locks
from booking.errors import NotFound
from booking.feeds.words import word
from booking.messages import Sources, words
from booking.people import Actor, Language


class _Booking(db.Record):
    number: int
    title: str | None
    starts_at: datetime
    ends_at: datetime
    state: str
    purpose: str
    resource_id: UUID
    party_id: UUID | None
    version: int
    price_ore: int
    fee_ore: int | None
    refund_ore: int | None
    resource: str
    facility: str
    address: str
    access: str
    on_call_phone: str
    municipality: str
    code: str
    party: str | None
    door: bool


class _Bill(db.Record):
    number: str
    amount_ore: int
    due_on: date | None
    ocr: str | None
    municipality: str
    code: str
    party: str
    party_id: UUID
    state: str


_BOOKING = """
SELECT r.number, r.title, r.starts_at, r.ends_at, r.state, r.purpose, r.resource AS resource_id,
  r.party AS party_id, r.version, r.price_ore, r.cancel_fee_ore AS fee_ore, r.refund_ore,
  s.name AS resource, f.name AS facility, f.address, f.access_text AS access,
  coalesce(f.on_call_phone, m.on_call_phone) AS on_call_phone, m.name AS municipality, r.municipality AS code, p.name AS party,
  EXISTS (SELECT FROM access_grant g WHERE g.reservation = r.id) AS door
FROM reservation r JOIN resource s ON s.id = r.resource JOIN facility f ON f.id = s.facility
  JOIN municipality m ON m.code = r.municipality LEFT JOIN party p ON p.id = r.party
WHERE r.id = $1
"""
_BILL = """
SELECT i.number, i.total_ore AS amount_ore, i.due_on, i.ocr, m.name AS municipality, i.entity AS code, p.name AS party,
  i.party AS party_id, i.state
FROM invoice i JOIN municipality m ON m.code = i.entity JOIN party p ON p.id = i.party WHERE i.id = $1
"""
_SAID = ("title", "price_ore", "fee_ore", "refund_ore", "resource", "facility", "address", "access",
         "on_call_phone", "municipality", "party")  # fmt: skip


async def facts_of(about: UUID, language: Language) -> Mapping[str, object]:
    """Return what a text may say of the reservation or invoice; empty if it is neither. Never a PIN."""
    booking = await db.row(_Booking, _BOOKING, about)
    if booking is not None:
        return {
            **{name: getattr(booking, name) for name in _SAID if getattr(booking, name)},
            "number": f"B-{booking.number:06d}",
            "place": f"{booking.facility}, {booking.resource}",
            "when": words.period(booking.starts_at, booking.ends_at, language),
            "door": "yes" if booking.door else None,
            "decision": word(booking.state, language),
            "path": f"/boka/{about}" if booking.state == "held" else f"/b/{about}",
        }
    bill = await db.row(_Bill, _BILL, about)
    if bill is None:
        return {}
    shown = {name: getattr(bill, name) for name in ("number", "amount_ore", "ocr", "municipality", "party")}
    return {**shown, "due": f"{bill.due_on:%Y-%m-%d}", "path": "/mina"}


async def pin_of(about: UUID, now: datetime) -> str | None:
    """Return the reservation's PIN for its holder's own message, or None where no code opens."""
    holder = await db.value(UUID, "SELECT party FROM reservation WHERE id = $1", about)
    if holder is None:
        return None
    try:
        return (await locks.access_of(about, by=Actor(acts_for=frozenset({holder})), now=now)).pin
    except NotFound:
        return None


async def event_data(event: str, about: UUID) -> Mapping[str, object]:
    """Return the data of a webhook: ids, times and amounts of what it is about; no name, no title, no PIN."""
    if event.startswith(("reservation.", "payment.", "access.")):
        booking = await db.row(_Booking, _BOOKING, about)
        if booking is not None:
            return {
                "municipality": booking.code,
                "reservation_id": about,
                "number": f"B-{booking.number:06d}",
                "resource_id": booking.resource_id,
                "party_id": booking.party_id,
                "start": booking.starts_at,
                "end": booking.ends_at,
                "state": booking.state,
                "purpose": booking.purpose,
                "price_ore": booking.price_ore,
                "version": booking.version,
                **(await _door_facts(about) if event == "access.settled" else {}),
            }
    bill = await db.row(_Bill, _BILL, about)
    if bill is None:
        return {"id": about}
    return {
        "municipality": bill.code,
        "invoice_id": about,
        "number": bill.number,
        "party_id": bill.party_id,
        "total_ore": bill.amount_ore,
        "due_on": bill.due_on,
        "state": bill.state,
    }


async def _door_facts(reservation: UUID) -> Mapping[str, object]:
    """What the doors told of it when it was over, each fact by the name it has in the API."""
    found = (await locks.facts_of([reservation])).get(reservation)
    return {} if found is None else {"door_facts": msgspec.structs.asdict(found)}


SOURCES = Sources(facts=facts_of, pin=pin_of, event_data=event_data)
