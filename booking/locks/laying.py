"""A promise laid out: which codes open it, one grant per code and controller, participants' behind the leader's."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from booking import db
from booking.ids import new_id
from booking.locks import codes, credential_rows, pin_rules
from booking.locks.codes import Code, Kept
from booking.locks.grants import remove, tell
from booking.locks.versions import HORIZON, raise_versions
from booking.locks.windows import Opening
from booking.span import Span


@dataclass(frozen=True, slots=True)
class Promise:
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


class Present(db.Record):
    """A grant the reservation has already."""

    id: UUID
    controller: str
    credential: UUID
    role: str
    after: UUID | None
    pin: bytes | None
    first_ver: int | None


PRESENT = (
    "SELECT id, controller, credential, role, after, pin, first_ver FROM access_grant"
    " WHERE reservation = $1 AND gone_ver IS NULL AND role IN ('leader', 'member') ORDER BY id"
)


async def lay(promise: Promise, present: list[Present], credential: UUID | None, now: datetime) -> None:
    """The reservation's grants are exactly what it needs now; those it had keep their ids."""
    controllers = {one.controller for one in promise.openings}
    touched = {one.controller for one in present if one.first_ver is not None}
    touched |= {name for name in controllers if promise.around(name).start - HORIZON <= now}
    versions = await raise_versions(sorted(touched), now=now)
    left = {one.id for one in present}
    if promise.openings:
        leaders = [one for one in present if one.role == "leader"]
        stand: dict[UUID, UUID] = {}  # grants, and whose they are
        shared = await _shared(promise, leaders, credential, now)
        lacks = not shared or any(one.credential == promise.reservation for one in leaders)
        for code in shared:
            laid, is_whole = await _lay_code(promise, code, present, versions, now)
            stand |= laid
            lacks = lacks or not is_whole
        if lacks:
            stand |= (await _lay_code(promise, _own(promise, leaders), present, versions, now))[0]
        left -= set(stand) | await _lay_members(promise, list(stand), present, versions, now)
        known = {one.credential for one in leaders}
        if known and known.isdisjoint(stand.values()):  # nothing that people know opens any more
            await tell("access.code_changed", promise.reservation, promise.openings[0].municipality, now)
    if left:
        await remove("id = ANY($2::uuid[])", list(left), now=now)


async def _shared(
    promise: Promise, leaders: list[Present], credential: UUID | None, now: datetime
) -> list[Code]:
    """Return the series' and standing codes that open it; none that was taken from this booking on purpose."""
    town = promise.openings[0].municipality
    found = await credential_rows.for_booking(credential, promise.holder, town, promise.span, now)
    if not leaders or not found:
        return found
    given_up = await db.column(UUID, _GIVEN_UP, promise.reservation)
    return [one for one in found if one.credential not in given_up]


_GIVEN_UP = (
    "SELECT credential FROM access_grant WHERE reservation = $1 AND role = 'leader' GROUP BY credential"
    " HAVING bool_and(gone_ver IS NOT NULL)"
)


def _own(promise: Promise, leaders: list[Present]) -> Code:
    """Return the booking's own code, with the PIN it has."""
    had = next(
        (one for one in leaders if one.credential == promise.reservation and one.pin is not None), None
    )
    pin = codes.read_pin(had.id, had.pin) if had is not None and had.pin is not None else None
    return Code(promise.reservation, pin=pin)


async def _lay_code(
    promise: Promise,
    code: Code,
    present: list[Present],
    versions: dict[str, tuple[int, int]],
    now: datetime,
) -> tuple[dict[UUID, UUID], bool]:
    """The leader's grants with this code stand; returns their ids with whose they are, and True if at every door.

    Without True a shared code could not be had at every door: the booking needs one of its own as well.
    """
    able = await _where_it_works(promise, code)
    grants = await _lay_grants(able, code.credential, "leader", {}, present, versions, now)
    pin = await _settle_pin(able, code, able.windows(grants), now)
    if pin is None and code.has_pin:  # it is taken at one of these doors
        await db.run(
            "DELETE FROM access_grant WHERE id = ANY($1)",
            list({*grants.values()} - {one.id for one in present}),
        )
        await tell("access.code_differs", promise.reservation, promise.openings[0].municipality, now)
        return {}, False
    stand = dict.fromkeys(grants.values(), code.credential)
    return stand, len(able.openings) == len(promise.openings)


class _Leads(db.Record):
    id: UUID
    controller: str


async def _lay_members(
    promise: Promise,
    leaders: list[UUID],
    present: list[Present],
    versions: dict[str, tuple[int, int]],
    now: datetime,
) -> set[UUID]:
    """Participants' grants stand behind each of the leader's, with the PIN they had; returns their ids."""
    members = {
        one.credential: one.pin and codes.read_pin(one.id, one.pin) for one in present if one.role == "member"
    }
    if not members:
        return set()
    leads = await db.rows(
        _Leads, "SELECT id, controller FROM access_grant WHERE id = ANY($1) ORDER BY id", leaders
    )
    stand: set[UUID] = set()
    for member, pin in sorted(members.items()):
        windows: list[Kept] = []
        for one in leads:
            there = replace(
                promise, openings=[each for each in promise.openings if each.controller == one.controller]
            )
            after = {one.controller: one.id}
            shared = await _lay_grants(there, member, "member", after, present, versions, now)
            windows += there.windows(shared)
            stand |= set(shared.values())
        shown = await _settle_pin(promise, Code(member, pin=pin or None), windows, now)
        if shown is not None and shown != pin:
            await credential_rows.keep_pin(member, shown)
    return stand


class _Said(db.Record):
    id: str
    report: str | None


async def _where_it_works(promise: Promise, code: Code) -> Promise:
    """Return the promise at those of its doors that can tell such a code."""
    if code.means == "pin":
        return promise
    names = [one.controller for one in promise.openings]
    said = await db.rows(_Said, "SELECT id, report FROM controller WHERE id = ANY($1)", names)
    able = {one.id for one in said if code.works_with(one.report)}
    return replace(promise, openings=[one for one in promise.openings if one.controller in able])


async def _lay_grants(
    promise: Promise,
    credential: UUID,
    role: str,
    after: dict[str, UUID],
    present: list[Present],
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
    promise: Promise,
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


async def _settle_pin(promise: Promise, code: Code, windows: list[Kept], now: datetime) -> str | None:
    """The grants have their windows and PIN; returns it, None if a shared code is not free at these doors."""
    rule = pin_rules.common(promise.openings)
    if not windows:
        return code.pin
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
