"""Promise a door, move the promise, take it back. One booking action, one transaction, no network (§12.1)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from booking import db
from booking.ids import new_id
from booking.locks import codes, credential_rows, pin_rules
from booking.locks.codes import Code, Kept
from booking.locks.grants import remove, tell
from booking.locks.versions import HORIZON, raise_versions
from booking.locks.windows import Opening, openings_of
from booking.span import Span


@dataclass(frozen=True, slots=True)
class _Promise:
    """Who may open what when, for one reservation."""

    reservation: UUID
    holder: UUID
    openings: list[Opening]
    span: Span

    def around(self, controller: str) -> Span:
        """Return the time from the first window's start to the last one's end at this controller."""
        spans = [one.around(self.span) for one in self.openings if one.controller == controller]
        return Span(min(each.start for each in spans), max(each.end for each in spans))

    def windows(self, grants: dict[str, UUID]) -> list[Kept]:
        """Return every door's window under the grant of its controller."""
        return [
            Kept(grants[one.controller], one.door, one.around(self.span))
            for one in self.openings
            if one.controller in grants
        ]


class _Present(db.Record):
    """A grant the reservation has already."""

    id: UUID
    controller: str
    credential: UUID
    role: str
    after: UUID | None
    pin: bytes | None
    first_ver: int | None


async def grant(
    *,
    reservation: UUID,
    holder: UUID,
    resources: list[UUID],
    span: Span,
    purpose: str,
    credential: UUID | None = None,
    now: datetime,
) -> None:
    """The doors of the resources are promised for the span, grace included.

    The code is the one of `credential` (a series, an association's standing code) where given, else the holder's
    standing code in the doors' municipality, else a fresh one. Resources without doors are a no-op, and so is a
    second grant for the same reservation. Joins the caller's transaction; raises NoFreePin, NoCommonPin.
    """
    async with db.transaction():
        openings = await openings_of(resources, purpose, unless_granted=reservation)
        await _lay(_Promise(reservation, holder, openings, span), [], credential, now)


async def move(
    *,
    reservation: UUID,
    holder: UUID,
    resources: list[UUID],
    span: Span,
    purpose: str,
    credential: UUID | None = None,
    now: datetime,
) -> None:
    """The promise holds for the new time and doors, with the same code wherever it is free there (§12.6).

    Where it is not, another is drawn and the holder is told. Codes shared from the booking move with it. What a
    door had stays counted until the door proves the change. Joins the caller's transaction.
    """
    async with db.transaction():
        promise = _Promise(reservation, holder, await openings_of(resources, purpose), span)
        present = await db.rows(
            _Present,
            "SELECT id, controller, credential, role, after, pin, first_ver FROM access_grant"
            " WHERE reservation = $1 AND gone_ver IS NULL AND role IN ('leader', 'member') ORDER BY id",
            reservation,
        )
        await _lay(promise, present, credential, now)


async def _lay(promise: _Promise, present: list[_Present], credential: UUID | None, now: datetime) -> None:
    """The reservation's grants are exactly what it needs now; those it had keep their ids."""
    controllers = {one.controller for one in promise.openings}
    touched = {one.controller for one in present if one.first_ver is not None}
    touched |= {name for name in controllers if promise.around(name).start - HORIZON <= now}
    versions = await raise_versions(sorted(touched), now=now)
    left = {one.id for one in present}
    if promise.openings:
        leaders = [one for one in present if one.role == "leader"]
        for code in await _codes(promise, leaders, credential, now):
            left -= await _lay_code(promise, code, present, versions, now)
    if left:
        await remove("id = ANY($2::uuid[])", list(left), now=now)


async def _codes(
    promise: _Promise, leaders: list[_Present], credential: UUID | None, now: datetime
) -> list[Code]:
    """Return what opens: the credential asked for, the holder's standing ones, or the booking's own."""
    town = promise.openings[0].municipality
    shared = await credential_rows.for_booking(credential, promise.holder, town, promise.span, now)
    if shared:
        return shared
    own = next(
        (one for one in leaders if one.credential == promise.reservation and one.pin is not None), None
    )
    pin = codes.read_pin(own.id, own.pin) if own is not None and own.pin is not None else None
    return [Code(promise.reservation, pin=pin)]


async def _lay_code(
    promise: _Promise,
    code: Code,
    present: list[_Present],
    versions: dict[str, tuple[int, int]],
    now: datetime,
) -> set[UUID]:
    """The leader's grants with this code stand, and the members' behind them; returns their ids."""
    grants = await _lay_grants(promise, code.credential, "leader", {}, present, versions, now)
    pin = await _settle_pin(promise, code, grants, now)
    if (
        pin is None and code.has_pin
    ):  # the shared code is taken at one of these doors: the booking gets its own
        own = Code(promise.reservation)
        await remove("id = ANY($2::uuid[])", list(grants.values()), now=now)
        grants = await _lay_grants(promise, own.credential, "leader", {}, present, versions, now)
        pin = await _settle_pin(promise, own, grants, now)
        await tell("access.code_differs", promise.reservation, promise.openings[0].municipality, now)
    stand = set(grants.values())
    leaders = {id: name for name, id in grants.items()}
    for member in {one.credential for one in present if one.role == "member"}:
        known = next(one for one in present if one.credential == member and one.pin is not None)
        after = {name: id for id, name in leaders.items()}
        shared = await _lay_grants(promise, member, "member", after, present, versions, now)
        shown = codes.read_pin(known.id, known.pin) if known.pin is not None else None
        await _settle_pin(promise, Code(member, pin=shown), shared, now)
        stand |= set(shared.values())
    return stand


async def _lay_grants(
    promise: _Promise,
    credential: UUID,
    role: str,
    after: dict[str, UUID],
    present: list[_Present],
    versions: dict[str, tuple[int, int]],
    now: datetime,
) -> dict[str, UUID]:
    """One grant per controller, without windows yet: the one it had, or a new one."""
    grants: dict[str, UUID] = {}
    for name in sorted({one.controller for one in promise.openings}):
        leader = after.get(name)
        had = next(
            (
                one.id
                for one in present
                if (one.controller, one.credential, one.role, one.after) == (name, credential, role, leader)
            ),
            None,
        )
        if had is not None:
            await codes.leave_windows([had])
        grants[name] = had or new_id()
        await _write(promise, grants[name], name, credential, role, leader, versions.get(name), now)
    return grants


async def _write(
    promise: _Promise,
    id: UUID,
    controller: str,
    credential: UUID,
    role: str,
    after: UUID | None,
    version: tuple[int, int] | None,
    now: datetime,
) -> None:
    """The grant's row; a changed one counts as new, and remembers the time that its door may still have."""
    around = promise.around(controller)
    await db.run(
        "INSERT INTO access_grant AS g (id, controller, reservation, credential, holder, role, after, nb, na,"
        " created_at, first_epoch, first_ver, starts_at, ends_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"
        " ON CONFLICT (id) DO UPDATE SET nb = $8, na = $9, starts_at = $13, ends_at = $14, holder = $5,"
        " created_at = $10, first_epoch = $11, first_ver = $12, applied_at = NULL, alarmed_at = NULL, rejected = NULL,"
        " stale_nb = CASE WHEN g.in_log AND (g.nb < $8 OR g.na > $9) THEN least(g.stale_nb, g.nb)"
        " ELSE g.stale_nb END,"
        " stale_na = CASE WHEN g.in_log AND (g.nb < $8 OR g.na > $9) THEN greatest(g.stale_na, g.na)"
        " ELSE g.stale_na END",
        id,
        controller,
        promise.reservation,
        credential,
        promise.holder,
        role,
        after,
        around.start,
        around.end,
        now,
        version[0] if version else None,
        version[1] if version else None,
        promise.span.start,
        promise.span.end,
    )


async def _settle_pin(promise: _Promise, code: Code, grants: dict[str, UUID], now: datetime) -> str | None:
    """The grants have their windows and PIN; returns it, None if a shared code is not free at these doors."""
    windows = promise.windows(grants)
    rule = pin_rules.common(one.driver for one in promise.openings)
    if not code.has_pin:
        await codes.keep(code.credential, None, windows)
        return None
    pin = code.pin
    usable = pin is not None and rule.allows(pin)
    if not usable or not await codes.keep(code.credential, pin, windows):
        if code.is_shared and not code.is_new:
            return None
        season = [
            Kept(None, one.door, Span(one.around(promise.span).start, promise.span.end + codes.SEASON))
            for one in promise.openings
            if code.is_new
        ]
        pin = await codes.keep_drawn(code.credential, rule, [*windows, *season])
        if code.is_new:
            await credential_rows.keep_pin(code.credential, pin)
        if code.pin is not None:
            await tell("access.code_changed", promise.reservation, promise.openings[0].municipality, now)
    return pin


async def revoke(reservation: UUID, *, now: datetime) -> None:
    """The booking's codes, those shared from it and reserve codes it got are taken out of the next version.

    Revoking what is gone, or never was, is a no-op. A PIN stays taken until the controller has confirmed the
    removal (§14.4).
    """
    await remove("reservation = $2 AND gone_ver IS NULL", reservation, now=now)
    await db.run(
        "UPDATE access_credential SET revoked_at = $2 WHERE reservation = $1 AND revoked_at IS NULL",
        reservation,
        now,
    )
