"""One decision of staff about every time of a series that is still asked for."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal
from uuid import UUID

from booking import billing, db, journal, locks, messages, places
from booking.errors import NotFound
from booking.people import Actor, Role
from booking.reservations.answering import GIVEN_AWAY, lock_open, rivals_of, tell_refused, turn_down
from booking.reservations.confirming import use_of
from booking.reservations.errors import AlreadyDecided, SlotTaken
from booking.reservations.ordering import Need, choose, leaves_of, needs_of, order_of, parts_of, relocate
from booking.reservations.rows import COLUMNS, Row, code_of
from booking.reservations.series_queries import SeriesRow, series_row
from booking.reservations.writing import Part, Place, in_the_way, lock_leaves, occupy, own_overlaps

Choice = Literal["keep", "reject"]


class MissedTime(db.Record):
    """A time of the series that could not be granted: somebody else has it."""

    reservation_id: UUID
    resource_id: UUID
    start: datetime
    end: datetime


class SeriesDecision(db.Record):
    """How many times were granted, refused and still wait; `missed` names those that somebody else has."""

    series_id: UUID
    approved: int
    rejected: int
    waiting: int
    missed: list[MissedTime]


async def approve_series(
    series: UUID,
    *,
    by: Actor,
    now: datetime,
    reason: str | None = None,
    taken: Choice = "keep",
    others: Choice = "keep",
) -> SeriesDecision:
    """Every time that is still asked for and can be had is confirmed, owed and opened by the series' one code.

    A time that somebody else has stays a request, or with `taken` rejected is given away. With `others` rejected,
    everybody else who asked for a granted time is answered. Raises NotFound for others than the owner's staff,
    AlreadyDecided, SlotTaken naming `occurrence` where none can be had.
    """

    async def act() -> SeriesDecision:
        async with db.transaction():
            asked = await _asked_for(series, by)
            rows, parts, pools = await _locked_times(series, now)
            granted = await _take(rows, parts, pools, now)
            missed = [one for one in rows if one.id not in granted]
            if not granted:
                raise _none_to_be_had(missed)
            await _confirm(asked, [one for one in rows if one.id in granted], granted, reason, by, now)
            if taken == "reject":
                await turn_down(missed, GIVEN_AWAY, by, now)
            if others == "reject":
                rivals = await lock_open(await rivals_of(list(granted)), now)
                await turn_down(rivals, GIVEN_AWAY, by, now)
                await tell_refused(rivals, GIVEN_AWAY, now)
            await _tell(asked, rows[0].account, granted, missed, taken, reason, by, now)
            refused = len(missed) if taken == "reject" else 0
            return SeriesDecision(
                series, len(granted), refused, len(missed) - refused, [_named(one) for one in missed]
            )

    return await db.retried(act)


@db.retrying
async def reject_series(series: UUID, *, by: Actor, now: datetime, reason: str) -> SeriesDecision:
    """Every time that is still asked for is refused, for this reason, and keeps no time.

    Raises NotFound for others than the owner's staff, AlreadyDecided.
    """
    async with db.transaction():
        asked = await _asked_for(series, by)
        rows = await lock_open([one.id for one in await _waiting(series, now)], now)
        if not rows:
            raise AlreadyDecided("this series has been answered, or its times have passed")
        await turn_down(rows, reason, by, now)
        await tell_refused(rows, reason, now)
        await _note("series.rejected", asked, by, now, times=len(rows), reason=reason)
        await db.run(  # a series of nothing takes no more dates
            "UPDATE series SET ended_at = $2 WHERE id = $1 AND NOT EXISTS (SELECT FROM reservation"
            " WHERE series = $1 AND state IN ('requested', 'awaiting_payment', 'confirmed', 'completed'))",
            series,
            now,
        )
        return SeriesDecision(series, 0, len(rows), 0, [])


async def _asked_for(series: UUID, by: Actor) -> SeriesRow:
    """Return the series, kept from changing until the transaction ends."""
    row = await series_row(series, by, lock=True)
    if not by.has(row.municipality, Role.STAFF):
        raise NotFound("there is no such series")
    return row


async def _waiting(series: UUID, now: datetime) -> list[Row]:
    return await db.rows(
        Row,
        f"SELECT {COLUMNS} FROM reservation WHERE series = $1 AND state = 'requested' AND starts_at > $2",
        series,
        now,
    )


async def _locked_times(
    series: UUID, now: datetime
) -> tuple[list[Row], Mapping[UUID, tuple[Part, ...]], Mapping[UUID, list[Need]]]:
    """Return the open times, what each takes, and the units of their pools; leaves are locked, then rows."""
    seen = await _waiting(series, now)
    parts = await parts_of(seen)
    pools: dict[UUID, list[Need]] = {}
    for one in seen:
        if one.wished is not None and one.wished not in pools and len(parts[one.id]) == 1:
            pools[one.wished] = await needs_of(await order_of(one), now=now)
    leaves = {leaf for each in parts.values() for part in each for leaf in part.leaves}
    await lock_leaves(leaves.union(*(leaves_of(needs) for needs in pools.values())))
    rows = await lock_open([one.id for one in seen], now)
    versions = {one.id: one.version for one in seen}
    if any(one.version != versions[one.id] for one in rows):
        raise AlreadyDecided("one of these times has changed meanwhile, look at it again")
    if not rows:
        raise AlreadyDecided("this series has been answered, or its times have passed")
    return rows, parts, pools


async def _take(
    rows: Sequence[Row],
    parts: Mapping[UUID, tuple[Part, ...]],
    pools: Mapping[UUID, list[Need]],
    now: datetime,
) -> dict[UUID, Place]:
    """Return where each time that could be had is now, in order of start; the constraint has seen all of them."""
    wanted = [Place(row.id, parts[row.id], row.span) for row in rows]
    met = {n for n, who in (await in_the_way(wanted, now=now)).items() if who - {wanted[n].reservation}}
    met |= own_overlaps(wanted, besides=met)  # they kept no time from each other while they waited
    free = [one for n, one in enumerate(wanted) if n not in met]
    await occupy(free, now=now)
    granted = {one.reservation: one for one in free}
    for row in (rows[n] for n in sorted(met)):
        units = pools.get(row.wished) if row.wished else None
        if units is None or len(parts[row.id]) > 1:
            continue
        try:  # of a pool, another unit may be free
            unit = await choose(units, row.span, now=now, instead_of=[row.id])
        except SlotTaken:
            continue
        granted[row.id] = Place(row.id, unit, row.span)
        await occupy([granted[row.id]], now=now)
        await relocate(row, unit, row.span)
    return {row.id: granted[row.id] for row in rows if row.id in granted}


async def _confirm(
    asked: SeriesRow,
    rows: Sequence[Row],
    granted: Mapping[UUID, Place],
    reason: str | None,
    by: Actor,
    now: datetime,
) -> None:
    """The granted times are confirmed, charged on invoice and promised at their doors, all of them at once."""
    await db.run(
        "UPDATE reservation SET state = 'confirmed', confirmed_at = $2, hold_until = NULL, decided_at = $2,"
        " decided_by = $3, decision = $4, method = CASE WHEN price_ore > 0 THEN 'invoice' ELSE method END,"
        " version = version + 1 WHERE id = ANY($1)",
        list(granted),
        now,
        by.account,
        reason,
    )
    found = await places.resources_by_id([one.parts[0].resource for one in granted.values()])
    charges = [
        billing.NewCharge(
            row.id,
            billing.read_snapshot(row.price),
            row.starts_at,
            use_of(found[granted[row.id].parts[0].resource], row.span),
        )
        for row in rows
    ]
    await billing.charge_many(charges, party=asked.party, municipality=asked.municipality, now=now)
    code = await code_of(asked.id)
    if code is not None:
        uses = [
            locks.Use(id, tuple(part.resource for part in one.parts), one.span) for id, one in granted.items()
        ]
        await locks.grant_series(uses, credential=code, holder=asked.party, purpose=asked.purpose, now=now)
    facts: dict[str, object] = {"series": asked.id} | ({"reason": reason} if reason else {})
    notes = [
        journal.Note(action, id, [f"reservation:{id}"], facts)
        for id in granted
        for action in ("reservation.approved", "reservation.confirmed")
    ]
    await journal.record_many(notes, by=by, now=now)


async def _tell(
    asked: SeriesRow,
    account: UUID | None,
    granted: Mapping[UUID, Place],
    missed: Sequence[Row],
    taken: Choice,
    reason: str | None,
    by: Actor,
    now: datetime,
) -> None:
    """The series' journal has it, open pages hear of it once, and whoever asked will get one message."""
    await _note(
        "series.approved",
        asked,
        by,
        now,
        times=len(granted),
        missed=[one.id for one in missed],
        reason=reason,
    )
    starts = [one.span.start for one in granted.values()]
    lost = [one.starts_at for one in missed] or None
    await messages.owe(
        "series_confirmed",
        account=account,
        party=asked.party,
        about=next(iter(granted)),
        municipality=asked.municipality,
        data={
            "count": len(starts),
            "first_at": min(starts),
            "last_at": max(starts),
            "waiting_at": lost if taken == "keep" else None,
            "given_away_at": lost if taken == "reject" else None,
            "reason": reason,
            "path": f"/serie/{asked.id}",
        },
        now=now,
    )


async def _note(action: str, asked: SeriesRow, by: Actor, now: datetime, **facts: object) -> None:
    topics = [f"timeline:{asked.municipality}"]
    await journal.record(action, about=asked.id, by=by, now=now, topics=topics, **facts)


def _none_to_be_had(missed: Sequence[Row]) -> SlotTaken:
    error = SlotTaken("somebody else has every one of these times", taken=list(range(len(missed))))
    error.extra["occurrence"] = [
        {"resource_id": one.resource, "start": one.starts_at, "end": one.ends_at} for one in missed
    ]
    return error


def _named(row: Row) -> MissedTime:
    return MissedTime(row.id, row.resource, row.starts_at, row.ends_at)
