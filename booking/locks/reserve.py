"""Reserve codes: in the doors before they are needed, so that a dark controller locks nobody out (locks.md §12.1)."""

from datetime import date, datetime, timedelta
from uuid import UUID

from booking import db, journal
from booking.clock import SWEDEN, at_local
from booking.errors import Conflict, NotFound
from booking.ids import new_id
from booking.locks import codes, pin_rules, states
from booking.locks.codes import Kept
from booking.locks.grants import remove
from booking.locks.lines import LINES, Line, is_in_force, may_see, needs_reserve
from booking.locks.versions import HORIZON, raise_versions
from booking.people import Actor
from booking.span import Span


class ReserveNotNeeded(Conflict):
    """The booking's own code is in its doors, or its time is not near."""

    code = "reserve_not_needed"


class NoReserveCode(Conflict):
    """No reserve code is left in this door today; the on-call number helps."""

    code = "no_reserve_code"


class _Stock(db.Record):
    door: str
    controller: str
    driver: str
    report: str | None
    per_day: int
    nb: datetime | None
    held: int


_STOCK = """
SELECT d.id AS door, d.controller, c.driver, c.report, coalesce(p.reserve_per_day, 3) AS per_day, g.nb, count(g.id) AS held
FROM door d JOIN controller c ON c.id = d.controller JOIN facility f ON f.id = c.facility
  LEFT JOIN access_policy p ON p.municipality = f.municipality
  LEFT JOIN grant_window w ON w.door = d.id AND w.na > $1 AND w.access_grant IS NOT NULL
    AND EXISTS (SELECT FROM access_grant r WHERE r.id = w.access_grant AND r.role = 'reserve')
  LEFT JOIN access_grant g ON g.id = w.access_grant AND g.gone_ver IS NULL
WHERE c.retired_at IS NULL AND d.removed_at IS NULL AND NOT c.quarantine AND c.report IS NOT NULL
  AND c.report::jsonb->'cap'->'feat' ? 'reserve'
GROUP BY d.id, d.controller, c.driver, c.report, p.reserve_per_day, g.nb ORDER BY d.controller, d.id
"""


async def stock(now: datetime) -> int:
    """Every door that can hold them has its reserve codes for each day of the horizon; returns how many came new."""
    found = await db.rows(_Stock, _STOCK, now)
    today = now.astimezone(SWEDEN).date()
    days = [today + timedelta(days=ahead) for ahead in range(HORIZON.days)]
    count = 0
    lacking: dict[str, list[tuple[_Stock, date, int]]] = {}
    for door in {one.door: one for one in found}.values():
        held = {one.nb: one.held for one in found if one.door == door.door and one.nb is not None}
        for day in days:
            short = door.per_day - held.get(_day(day).start, 0)
            if short > 0:
                lacking.setdefault(door.controller, []).append((door, day, short))
    for lacks in lacking.values():
        async with db.transaction():
            added = [id for door, day, short in lacks for id in await _add(door, _day(day), short, now)]
            # Last, so that no booking waits while the codes are drawn.
            version = (await raise_versions([lacks[0][0].controller], now=now))[lacks[0][0].controller]
            await db.run(
                "UPDATE access_grant SET first_epoch = $2, first_ver = $3 WHERE id = ANY($1)", added, *version
            )
            count += len(added)
    return count


def _day(day: date) -> Span:
    return Span(at_local(day.year, day.month, day.day, 0), at_local(day.year, day.month, day.day, 1440))


async def _add(door: _Stock, day: Span, how_many: int, now: datetime) -> list[UUID]:
    rule, made = pin_rules.of(door), [new_id() for _ in range(how_many)]
    rows: list[tuple[object, ...]] = [(id, door.controller, day.start, day.end, now) for id in made]
    await db.run_many(
        "INSERT INTO access_grant (id, controller, credential, holder, role, nb, na, created_at)"
        " VALUES ($1, $2, $1, $1, 'reserve', $3, $4, $5)",
        rows,
    )
    for id in made:
        await codes.keep_drawn(id, rule, [Kept(id, door.door, day)])
    return made


async def hand_out(reservation: UUID, *, by: Actor, now: datetime) -> None:
    """Each door of the booking that lacks its code when it is due has given one of its reserve codes.

    Bound to the booking, journalled, gone from the door when it has the booking's own; asking again gives no
    second one. Raises NotFound, ReserveNotNeeded, NoReserveCode.
    """
    async with db.transaction():
        # Asked for twice at once: the second one waits, and finds what the first was given.
        await db.run(
            "SELECT FROM access_grant WHERE reservation = $1 AND role = 'leader' ORDER BY id FOR NO KEY UPDATE",
            reservation,
        )
        lines = await db.rows(Line, LINES + " WHERE g.reservation = $1 ORDER BY d.name, g.id", reservation)
        leaders = [line for line in lines if line.role == "leader" and line.gone_ver is None]
        if not leaders or not may_see(leaders[0], by):
            raise NotFound("this booking opens no door", code="no_access")
        lacking = {line.door: line for line in leaders if needs_reserve(line, now)}
        if not lacking:
            raise ReserveNotNeeded("the code is in the door, or its time is not near yet")
        has = [line for line in lines if line.role == "reserve" and is_in_force(line, now)]
        given = [line for line in lacking.values() if await _give(line, has, now)]
        if not given and not {line.door for line in has} & set(lacking):
            raise NoReserveCode("no reserve code is left in this door; call the on-call number")
        if given:
            town = given[0].municipality
            topics = [f"reservation:{reservation}", f"doors:{town}"]
            doors = [line.door for line in given]
            await journal.record(
                "access.reserve_handed_out", about=reservation, by=by, now=now, topics=topics, doors=doors
            )


async def _give(line: Line, has: list[Line], now: datetime) -> bool:
    """Bind reserve codes that the door has proved to have, one for each local day it lacks one; False if none came."""
    given = False
    for at in _days(max(now, line.opens_at), line.closes_at):
        if not any(one.door == line.door and one.opens_at <= at < one.closes_at for one in has):
            given = await _give_at(line, at, now) or given
    return given


def _days(start: datetime, end: datetime) -> list[datetime]:
    """Return the start and every local midnight before the end: when a code of another day is needed."""
    found, day = [start], start.astimezone(SWEDEN).date() + timedelta(days=1)
    while (midnight := at_local(day.year, day.month, day.day, 0)) < end:
        found.append(midnight)
        day += timedelta(days=1)
    return found


async def _give_at(line: Line, at: datetime, now: datetime) -> bool:
    for one in await spare_at(line.door, at, now):
        if await _bind(one, line, now):
            return True
    return False


async def spare_at(door: str, at: datetime, now: datetime) -> list[Line]:
    """Return the reserve codes that the door has proved to have for the day of `at` and nobody has been given."""
    free = await db.rows(
        Line,
        LINES + " WHERE w.door = $1 AND g.role = 'reserve' AND g.reservation IS NULL AND g.gone_ver IS NULL"
        " AND w.nb <= $2 AND w.na > $2 ORDER BY g.id",
        door,
        at,
    )
    return [one for one in free if states.state_of(one.facts, max(now, one.nb)) == "active"]


async def _bind(spare: Line, line: Line, now: datetime) -> bool:
    """The spare code is the booking's; False if somebody else is being given it."""
    bound = await db.run(
        "UPDATE access_grant SET reservation = $2, holder = $3, handed_at = $4 WHERE id = (SELECT id FROM access_grant"
        " WHERE id = $1 AND reservation IS NULL AND gone_ver IS NULL FOR NO KEY UPDATE SKIP LOCKED)",
        spare.grant_id,
        line.reservation,
        line.holder,
        now,
    )
    return bool(bound)


async def take_back(controller: str, now: datetime) -> None:
    """Reserve codes whose booking's own code the controller has proved are taken out (§12.6)."""
    await remove(
        "role = 'reserve' AND gone_ver IS NULL AND reservation IS NOT NULL AND controller = $2 AND EXISTS ("
        "SELECT FROM access_grant own WHERE own.reservation = access_grant.reservation"
        " AND own.controller = access_grant.controller AND own.role = 'leader' AND own.gone_ver IS NULL"
        " AND own.applied_at IS NOT NULL AND own.rejected IS NULL)",
        controller,
        now=now,
    )


async def take_back_ended(now: datetime) -> int:
    """Reserve codes leave with the booking that had them: when it is over, or opens other doors; returns how many."""
    gone = await remove(
        "role = 'reserve' AND gone_ver IS NULL AND reservation IS NOT NULL AND NOT EXISTS ("
        "SELECT FROM access_grant own WHERE own.reservation = access_grant.reservation"
        " AND own.controller = access_grant.controller AND own.role = 'leader' AND own.gone_ver IS NULL"
        " AND own.na > $2)",
        now,
        now=now,
    )
    return len(gone)
