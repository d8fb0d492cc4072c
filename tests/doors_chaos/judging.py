"""When all is quiet again: everybody is up, agrees, knows the time, and opens what is promised and nothing else."""

import asyncio
import time
from uuid import UUID

import msgspec

from booking import db, locks
from booking.clock import utc_now
from booking.controller.keypad import press
from booking.locks import codes
from booking.people import Actor
from tests.doors_chaos.world import World

CONVERGE_S = 180.0
CLOCK_S = 31  # a host's clock is believed within 30 s of the server's (§9.4); grace covers that


class _Version(db.Record):
    id: str
    rep_epoch: int
    rep_ver: int


async def linked(chaos: World) -> None:
    """A worker holds the link: it is connected to the broker as it runs now."""
    deadline = time.monotonic() + CONVERGE_S
    while not any(
        one.said.count("connected to the broker") > one.said.count("broker connection lost")
        and one.child is not None
        and one.child.poll() is None
        for one in chaos.workers
    ):
        assert time.monotonic() < deadline, chaos.workers[0].said[-2_000:] + chaos.workers[1].said[-2_000:]
        await asyncio.sleep(0.1)


def all_up(chaos: World) -> None:
    for one in [chaos.mqtt.process, *chaos.workers, *(each.process for each in chaos.alone.values())]:
        assert one.child is not None
        assert one.child.poll() is None, one.said[-2_000:]
    for fleet in chaos.fleets:
        assert fleet.child is not None
        assert fleet.child.poll() is None, (fleet.folder / "log").read_text()[-2_000:]


async def converge(chaos: World) -> float:
    begin = time.monotonic()
    behind: list[str] = []
    while time.monotonic() - begin < CONVERGE_S:
        behind = await _behind(chaos)
        if not behind:
            return time.monotonic() - begin
        await asyncio.sleep(0.2)
    for name in behind:
        row = await db.column(
            str,
            "SELECT concat_ws(' ', id, 'wants', epoch, want_ver, 'logged', logged_epoch, logged_ver, 'broker',"
            " broker_epoch, broker_ver, 'reported', rep_epoch, rep_ver, 'boot', rep_boot, rep_rs, 'quarantine',"
            " quarantine, 'seen', last_seen, 'off', offline_at, 'retry', retry_s, retry_at, 'bad',"
            " report::jsonb->>'bad') FROM controller WHERE id = $1",
            name,
        )
        held, _, _ = chaos.ledger.held(chaos.ledger.halls[name])
        chaos.ledger.note("unconverged", f"{row} holds {held}")
    return CONVERGE_S


async def _behind(chaos: World) -> list[str]:
    """Return who does not hold, or has not proved, what is wanted; the operator confirms quarantines."""
    for name in await db.column(str, "SELECT id FROM controller WHERE quarantine ORDER BY id"):
        await locks.end_quarantine(name, by=Actor.system(), now=utc_now())
        chaos.faults["quarantine confirmed"] += 1
    reported = {
        row.id: (row.rep_epoch, row.rep_ver)
        for row in await db.rows(_Version, "SELECT id, rep_epoch, rep_ver FROM controller")
    }
    unheard = [
        name for name, hall in chaos.ledger.halls.items() if chaos.ledger.held(hall)[0] != reported[name]
    ]
    return unheard + await db.column(
        str,
        "SELECT id FROM controller c WHERE quarantine OR (rep_epoch, rep_ver) <> (epoch, want_ver)"
        " OR rep_boot = 0 OR EXISTS (SELECT FROM outbox WHERE kind = 'locks.publish' AND key = c.id)"
        " OR EXISTS (SELECT FROM access_grant g WHERE g.controller = c.id AND g.gone_ver IS NOT NULL"
        "   AND g.gone_at IS NULL) ORDER BY id",
    )


async def clocks(chaos: World) -> None:
    """Whoever believes a clock believes one that is right, whatever his host says."""
    deadline = time.monotonic() + 60
    while True:
        off: dict[str, int | None] = {}
        for fleet in chaos.fleets:
            off |= msgspec.convert(await asyncio.to_thread(fleet.ask, "clocks"), dict[str, int | None])
        wrong = {name: by for name, by in off.items() if by is not None and abs(by) > CLOCK_S}
        if not wrong or time.monotonic() > deadline:
            break
        await asyncio.sleep(0.5)  # an answer that came too late does not count; it is asked for again
    for name, by in wrong.items():
        chaos.ledger.note("out_of_window", f"{name} believes a clock that is {by} s off")


async def keypads(chaos: World) -> None:
    """Type at the real controllers' keypads: in the middle of a window, just before it, and an old code."""
    for name, one in chaos.alone.items():
        hall = chaos.ledger.halls[name]
        rows = await chaos.ledger.read()
        _, snap, refused = chaos.ledger.held(hall)
        inside = {grant.id for grant in snap.grants if grant.id not in refused} if snap else set()
        for row in [row for row in rows if row.id.hex in inside and row.pin is not None][:2]:
            pin, span = (
                codes.read_pin(row.id, row.pin or b""),
                hall.live.get(row.reservation or UUID(int=0)),
            )
            if span is None:
                continue  # already noted by `settled`
            nb, na = hall.windows(span)[0][1:]
            for at, opens in ((nb, True), (nb - 1, False), (na - 1, True), (na, False), (na - 1, True)):
                outcome = await asyncio.to_thread(press, one.folder, "d1", pin, at)
                promised = any(
                    start <= at < end
                    for id, other in hall.live.items()
                    for door, start, end in hall.windows(other)
                    if door == "d1" and pin in _pins_of(chaos, rows, id)
                )
                if outcome.granted and not (opens or promised):
                    chaos.ledger.note("out_of_window", f"{name} opened at {at}, outside {nb}–{na}")
                if opens and not outcome.granted and outcome.why != "locked_out":
                    chaos.ledger.note("unconverged", f"{name} refused at {at} ({outcome.why}) in {nb}–{na}")


def _pins_of(chaos: World, rows: list, reservation: UUID) -> set[str]:  # type: ignore[type-arg]
    return {pin for row in rows if row.reservation == reservation for pin in chaos.ledger.pins[row.id.hex]}
