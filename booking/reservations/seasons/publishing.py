"""The round is decided: every allocation becomes a series, one transaction each, and can be gone on with at any time.

The way is that of every series: same constraint, same price, one code. An occurrence that can't be had is left out,
and the allocation says which and why.
"""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

import msgspec

from booking import db, messages, places
from booking.clock import local_date
from booking.errors import Refusal
from booking.people import Actor
from booking.reservations.errors import PriceChanged, SlotTaken
from booking.reservations.recurrence import Wall
from booking.reservations.seasons.rounds import RoundRow, RoundState, staff_round, tell
from booking.reservations.seasons.weeks import Season, season_of
from booking.reservations.seasons.wishes import ALLOCATIONS, AllocationRow, WishRow, wishes_of
from booking.reservations.series import (
    Chosen,
    SeriesOrder,
    SeriesPreview,
    SeriesWish,
    preview_series,
)
from booking.reservations.series_booking import book_series
from booking.span import Span

TRIES = 3  # somebody may book one of the times between our look and our booking


class SeasonProgress(msgspec.Struct, frozen=True):
    """How far it has come: booked as series, still to do, and those that could not be booked at all."""

    done: int
    left: int
    refused: int


class SkippedDate(msgspec.Struct, frozen=True):
    """A date of the season that is not booked, and the code of the reason."""

    date: date
    reason: str


async def publish(round_id: UUID, *, most: int, again: bool, by: Actor, now: datetime) -> SeasonProgress:
    """At most so many allocations more are series; when none is left the round is decided and everybody is told.

    With `again` those that were refused are tried once more. Raises RoundState (`round_still_open`,
    `nothing_proposed`), NotFound.
    """
    row = await staff_round(round_id, by)
    if row.accepts(now) or row.state == "draft":
        raise RoundState("associations can still apply: close the round first", code="round_still_open")
    if again:
        await db.run("UPDATE season_allocation SET problem = NULL WHERE round = $1", round_id)
    wishes = {one.id: one for one in await wishes_of(row)}
    season = await season_of(row, now)
    waiting = await db.column(
        UUID,
        "SELECT id FROM season_allocation WHERE round = $1 AND state <> 'final' AND problem IS NULL"
        " ORDER BY weekday, opens, id LIMIT $2",
        round_id,
        most,
    )
    for one in waiting:
        await _book(row, one, wishes, season, by, now)
    progress = await progress_of(round_id)
    if not progress.done and not progress.left and not progress.refused:
        raise RoundState("there is nothing to decide: propose first", code="nothing_proposed")
    if not progress.left and not progress.refused and row.state != "final":
        await _decide(round_id, by, now)
    return progress


async def progress_of(round_id: UUID) -> SeasonProgress:
    """Return how far the decision has come."""
    found = await db.row(
        SeasonProgress,
        "SELECT count(*) FILTER (WHERE state = 'final') AS done,"
        " count(*) FILTER (WHERE state <> 'final' AND problem IS NULL) AS left,"
        " count(*) FILTER (WHERE state <> 'final' AND problem IS NOT NULL) AS refused"
        " FROM season_allocation WHERE round = $1",
        round_id,
    )
    return found or SeasonProgress(0, 0, 0)


async def _book(
    row: RoundRow, allocation: UUID, wishes: dict[UUID, WishRow], season: Season, by: Actor, now: datetime
) -> None:
    """The allocation is a series, or says why it can't be one."""
    code = "season_over"
    for _ in range(TRIES):
        try:
            async with db.transaction():
                found = await db.row(
                    AllocationRow, ALLOCATIONS + " WHERE id = $1 FOR NO KEY UPDATE", allocation
                )
                if found is None or found.state == "final":
                    return  # somebody else was faster: it is done
                if await _as_series(row, found, wishes[found.wish], season, by, now):
                    return
            break
        except (SlotTaken, PriceChanged) as error:
            code = error.code
        except Refusal as error:
            code = error.code
            break
    await db.run(
        "UPDATE season_allocation SET problem = $2 WHERE id = $1 AND state <> 'final'", allocation, code[:40]
    )


async def _as_series(
    row: RoundRow, found: AllocationRow, wish: WishRow, season: Season, by: Actor, now: datetime
) -> bool:
    days = season.by_weekday[found.weekday]
    if not days:
        return False
    wanted = _series_wish(row, found, wish, days)
    preview = await preview_series(wanted, by=by, now=now)
    chosen = [Chosen(Span(one.start, one.end)) for one in preview.occurrences if one.reason is None]
    if not chosen:
        reasons = [one.reason for one in preview.occurrences if one.reason and one.left_out is None]
        raise Refusal("none of its dates can be booked", code=reasons[0] if reasons else "season_over")
    rules = await places.rules_on([found.resource], days[0])
    method: Literal["free", "invoice"] = "invoice" if preview.total_ore else "free"
    order = SeriesOrder(wanted, chosen, method, preview.total_ore, rules[found.resource].terms)
    series = await book_series(order, by=by, now=now)
    await db.run(
        "UPDATE season_allocation SET state = 'final', series = $2, skipped = $3, problem = NULL, changed_at = $4"
        " WHERE id = $1",
        found.id,
        series,
        msgspec.json.encode(_skipped(preview)).decode(),
        now,
    )
    await tell("season.booked", row.id, row.municipality, by, now, allocation=found.id, series=series)
    return True


def _series_wish(row: RoundRow, found: AllocationRow, wish: WishRow, days: list[date]) -> SeriesWish:
    """Return the allocation as a series from its first date on, without the days that the round leaves out."""
    kept, every = set(days), range((days[-1] - days[0]).days // 7 + 1)
    out = {day for n in every if (day := date.fromordinal(days[0].toordinal() + 7 * n)) not in kept}
    return SeriesWish(
        found.resource,
        wish.party,
        "training",
        wish.title,
        Wall(days[0], found.opens, found.closes),
        f"FREQ=WEEKLY;UNTIL={days[-1]:%Y%m%d}",
        frozenset(out),
        reason=f"Säsong: {row.name}",
    )


def _skipped(preview: SeriesPreview) -> list[SkippedDate]:
    return [
        SkippedDate(local_date(one.start), one.reason)
        for one in preview.occurrences
        if one.reason is not None and one.left_out is None
    ]


async def _decide(round_id: UUID, by: Actor, now: datetime) -> None:
    """The round is decided, once, and every association that applied will be told."""
    async with db.transaction():
        row = await staff_round(round_id, by, lock=True)
        if row.state == "final":
            return
        await db.run("UPDATE season_round SET state = 'final', decided_at = $2 WHERE id = $1", round_id, now)
        parties = await db.rows(
            _Told,
            "SELECT a.party, sum(w.times)::int AS wished, coalesce(sum(g.times), 0)::int AS granted"
            " FROM season_application a JOIN season_wish w ON w.application = a.id LEFT JOIN LATERAL"
            " (SELECT count(*) AS times FROM season_allocation x WHERE x.wish = w.id) g ON true"
            " WHERE a.round = $1 AND a.state = 'sent' GROUP BY a.party ORDER BY a.party",
            round_id,
        )
        for one in parties:
            await messages.owe(
                "season_decided",
                party=one.party,
                municipality=row.municipality,
                data={
                    "season": row.name,
                    "granted": one.granted,
                    "wished": one.wished,
                    "path": f"/sasong/{round_id}",
                },
                key=f"season:{round_id}",
                now=now,
            )
        await tell("season.decided", round_id, row.municipality, by, now, parties=len(parties))


class _Told(db.Record):
    party: UUID
    wished: int
    granted: int
