"""Promise many times of one series at once, with one code: a few statements instead of a dozen for each time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking import db
from booking.ids import new_id
from booking.locks import codes, credential_rows, pin_rules
from booking.locks.actions import grant
from booking.locks.codes import Code, Kept
from booking.locks.versions import HORIZON, raise_versions
from booking.locks.windows import Opening, openings_of
from booking.span import Span


@dataclass(frozen=True, slots=True)
class Use:
    """A reservation of a series: what it uses, and when."""

    reservation: UUID
    resources: tuple[UUID, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class _New:
    """A grant to be: one reservation at one controller, with its doors' windows."""

    id: UUID
    controller: str
    use: Use
    windows: list[Kept]

    @property
    def around(self) -> Span:
        """From the first window's start to the last one's end."""
        return Span(min(one.span.start for one in self.windows), max(one.span.end for one in self.windows))


async def grant_series(
    uses: Sequence[Use], *, credential: UUID, holder: UUID, purpose: str, now: datetime
) -> None:
    """The doors of every use are promised, grace included: with the holder's standing code, else all with the series'.

    Says the same as `grant` for each of them with this credential; reservations must have no grants yet. Where the
    code is taken at some door, and where a standing code serves any of the uses, it is `grant` that does it.
    Joins the caller's transaction; raises NoFreePin, NoCommonPin.
    """
    async with db.transaction():
        openings = {one: await openings_of(list(one), purpose) for one in {use.resources for use in uses}}
        open_uses = [use for use in uses if openings[use.resources]]
        every = [one for use in open_uses for one in openings[use.resources]]
        if not every:
            return
        news = [new for use in open_uses for new in _news(use, openings[use.resources])]
        soon = {new.controller for new in news if new.around.start - HORIZON <= now}
        versions = await raise_versions(sorted(soon), now=now)
        whole = Span(min(use.span.start for use in open_uses), max(use.span.end for use in open_uses))
        shared = await credential_rows.for_booking(credential, holder, every[0].municipality, whole, now)
        is_series = len(shared) == 1 and shared[0].credential == credential and shared[0].has_pin
        if not is_series or not await _all_with(shared[0], news, every, holder, versions, now):
            await _one_by_one(open_uses, credential, holder, purpose, now)


def _news(use: Use, openings: list[Opening]) -> list[_New]:
    found = []
    for name in sorted({one.controller for one in openings}):
        id = new_id()
        kept = [Kept(id, one.door, one.around(use.span)) for one in openings if one.controller == name]
        found.append(_New(id, name, use, kept))
    return found


async def _one_by_one(
    uses: Sequence[Use], credential: UUID, holder: UUID, purpose: str, now: datetime
) -> None:
    for use in uses:
        await grant(
            reservation=use.reservation,
            holder=holder,
            resources=list(use.resources),
            span=use.span,
            purpose=purpose,
            credential=credential,
            now=now,
        )


async def _all_with(
    code: Code,
    news: list[_New],
    every: list[Opening],
    holder: UUID,
    versions: dict[str, tuple[int, int]],
    now: datetime,
) -> bool:
    """Every grant stands with the code; False, and nothing was written, where it is taken at some door."""
    rule = pin_rules.common(every)
    windows = [one for new in news for one in new.windows]
    known = code.pin is not None and rule.allows(code.pin)
    if not known and not code.is_new:
        return False
    await _insert(code, news, holder, versions, now)
    if code.pin is not None and known:
        if not await codes.keep(code.credential, code.pin, windows):
            await db.run("DELETE FROM access_grant WHERE id = ANY($1)", [one.id for one in news])
            return False
    else:
        season = [_season(door, windows) for door in sorted({one.door for one in windows})]
        pin = await codes.keep_drawn(code.credential, rule, [*windows, *season])
        await credential_rows.keep_pin(code.credential, pin)
    return True


def _season(door: str, windows: list[Kept]) -> Kept:
    """The PIN stays the series' own at the door, so that times can be added."""
    spans = [one.span for one in windows if one.door == door]
    return Kept(
        None, door, Span(min(one.start for one in spans), max(one.end for one in spans) + codes.SEASON)
    )


async def _insert(
    code: Code, news: list[_New], holder: UUID, versions: dict[str, tuple[int, int]], now: datetime
) -> None:
    told = [versions.get(new.controller) if new.around.start - HORIZON <= now else None for new in news]
    await db.run(
        "INSERT INTO access_grant (id, controller, reservation, credential, holder, role, nb, na, created_at,"
        " first_epoch, first_ver, starts_at, ends_at)"
        " SELECT n.id, n.controller, n.reservation, $1, $2, 'leader', n.nb, n.na, $3, n.epoch, n.ver, n.starts, n.ends"
        " FROM unnest($4::uuid[], $5::text[], $6::uuid[], $7::timestamptz[], $8::timestamptz[], $9::bigint[],"
        " $10::bigint[], $11::timestamptz[], $12::timestamptz[])"
        " AS n(id, controller, reservation, nb, na, epoch, ver, starts, ends)",
        code.credential,
        holder,
        now,
        [new.id for new in news],
        [new.controller for new in news],
        [new.use.reservation for new in news],
        [new.around.start for new in news],
        [new.around.end for new in news],
        [None if one is None else one[0] for one in told],
        [None if one is None else one[1] for one in told],
        [new.use.span.start for new in news],
        [new.use.span.end for new in news],
    )
