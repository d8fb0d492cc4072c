"""What a controller says of itself in a report (lock protocol §6)."""

from typing import Final

import msgspec

from booking.controller.holding import Holding
from booking.controller.store import Store
from booking.controller.timepiece import Reading
from booking.controller.voice import Voice
from booking.lockwire.messages import Clock, DoorReport, Kept, Power, Report

FIRMWARE: Final = "booking-reference-1"
LISTED: Final = 200  # refusals; how many more there are is told


def compose(
    number: int,
    voice: Voice,
    reading: Reading,
    store: Store,
    holding: Holding,
    power: Power,
    doors: dict[str, DoorReport],
) -> Report:
    """Return the report of this number: what is stored, and how the controller is."""
    first, last = store.ends()
    stored = holding.stored
    refused = stored.refused if stored else []
    return Report(
        boot=voice.boot,
        rs=number,
        sid=voice.sid,
        dig=stored.digest if stored else None,
        rej=refused[:LISTED],
        rej_more=len(refused) - LISTED if len(refused) > LISTED else msgspec.UNSET,
        pend=[],
        bad=store.bad(),
        cap=holding.cap,
        clk=Clock(utc_ms=reading.utc_ms, src=reading.src, err_ms=reading.err_ms),
        pw=power,
        doors=doors,
        ev=Kept(first=first, last=last),
        fw=FIRMWARE,
    )
