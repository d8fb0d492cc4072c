"""One door of one grant with the facts of its controller: what every read of codes begins with."""

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from booking import db
from booking.locks import states
from booking.locks.states import Facts
from booking.people import Actor, Role

# Three missed reports (§12.3): one comes every 15 min on mains, every 6 h on battery (§6).
ONLINE_FOR, ONLINE_FOR_ON_BATTERY = timedelta(minutes=45), timedelta(hours=18)
MAY_BE_SILENT = (  # the same as an interval, of a controller `c`
    "CASE WHEN c.report::jsonb #>> '{pw,src}' = 'battery' THEN interval '18 hours' ELSE interval '45 minutes' END"
)
GRACE = timedelta(seconds=30)


class Line(db.Record):
    """One door of one grant with the facts of its controller."""

    grant_id: UUID
    reservation: UUID | None
    credential: UUID
    holder: UUID
    role: str
    pin: bytes | None
    made_at: datetime | None
    label: str | None
    code_of: Literal["series", "standing", "member", "staff", "clean"] | None
    means: Literal["pin", "card", "pin+card"] | None
    door: str
    door_name: str
    door_kind: Literal["door", "compartment"]
    door_mode: Literal["normal", "lockdown", "unlocked"]
    hint: str
    opens_at: datetime
    closes_at: datetime
    nb: datetime
    na: datetime
    first_epoch: int | None
    first_ver: int | None
    gone_epoch: int | None
    gone_ver: int | None
    in_log: bool
    logged_epoch: int
    logged_ver: int
    broker_epoch: int
    broker_ver: int
    rep_epoch: int
    rep_ver: int
    rejected: str | None
    used_at: datetime | None
    gone_at: datetime | None
    applied_at: datetime | None
    is_pending: bool
    is_live: bool
    takes_members: bool
    last_seen: datetime | None
    offline_at: datetime | None
    power: str | None
    clock: str
    quarantine: bool
    municipality: str
    on_call_phone: str
    lead_min: int

    @property
    def facts(self) -> Facts:
        """What decides the state."""
        return Facts(
            self.nb,
            self.na,
            _version(self.first_epoch, self.first_ver),
            _version(self.gone_epoch, self.gone_ver),
            self.in_log,
            (self.logged_epoch, self.logged_ver),
            (self.broker_epoch, self.broker_ver),
            (0, 0) if self.quarantine else (self.rep_epoch, self.rep_ver),  # an unknown report proves nothing
            self.rejected,
            self.used_at,
            self.gone_at,
            is_pending=self.is_pending,
            is_live=self.is_live,
            lead=timedelta(minutes=self.lead_min),
        )


def _version(epoch: int | None, ver: int | None) -> tuple[int, int] | None:
    return None if epoch is None or ver is None else (epoch, ver)


LINES = """
SELECT g.id AS grant_id, g.reservation, g.credential, g.holder, g.role, g.pin, cr.created_at AS made_at,
  cr.label, cr.kind AS code_of, cr.means, d.id AS door, d.name AS door_name, d.kind AS door_kind, d.hint,
  CASE WHEN c.report::jsonb #>> ARRAY['doors', d.wire_id, 'mode'] IN ('normal', 'lockdown', 'unlocked')
    THEN c.report::jsonb #>> ARRAY['doors', d.wire_id, 'mode'] ELSE d.mode END AS door_mode,
  w.nb AS opens_at, w.na AS closes_at, g.nb, g.na, g.first_epoch, g.first_ver, g.gone_epoch, g.gone_ver,
  g.in_log, c.logged_epoch, c.logged_ver, c.broker_epoch, c.broker_ver, c.rep_epoch, c.rep_ver, g.rejected,
  g.used_at, g.gone_at, g.applied_at, coalesce(c.report::jsonb -> 'pend' ? replace(g.id::text, '-', ''), false) AS is_pending,
  coalesce(c.report::jsonb #> '{cap,feat}' ? 'live', false) AS is_live,
  c.report IS NULL OR c.report::jsonb #> '{cap,feat}' ? 'after' AS takes_members,
  c.last_seen, c.offline_at, c.report::jsonb #>> '{pw,src}' AS power, c.clock, c.quarantine, f.municipality,
  coalesce(f.on_call_phone, m.on_call_phone) AS on_call_phone, coalesce(p.alarm_lead_min, 30) AS lead_min
FROM access_grant g JOIN controller c ON c.id = g.controller JOIN facility f ON f.id = c.facility
  JOIN municipality m ON m.code = f.municipality
  JOIN grant_window w ON w.access_grant = g.id JOIN door d ON d.id = w.door
  LEFT JOIN access_policy p ON p.municipality = f.municipality LEFT JOIN access_credential cr ON cr.id = g.credential
"""


def may_see(line: Line, by: Actor) -> bool:
    """True for the holder and for staff of the municipality."""
    return line.holder in by.acts_for or by.has(line.municipality, Role.STAFF)


def needs_reserve(line: Line, now: datetime) -> bool:
    """True when the code should be in the door by now and is not (§12.3): soon, or in its time.

    A lock without windows has its code when the window starts, and is given a minute for it.
    """
    state = states.state_of(line.facts, now)
    near = line.opens_at + (states.LIVE_LATE if line.is_live else -line.facts.lead) <= now < line.closes_at
    return near and state in ("planned", "sealed", "on_broker", "rejected")


def is_in_force(line: Line, now: datetime) -> bool:
    """True unless the grant is being taken out, or its time at this door is over."""
    return line.gone_ver is None and now < line.closes_at


def is_online(
    last_seen: datetime | None, offline_at: datetime | None, power: str | None, now: datetime
) -> bool:
    """True unless its will is 30 s old or three of its reports are missing; a hint, nothing more (§10).

    `power` is what its last report ran on: on battery reports are rarer.
    """
    patience = ONLINE_FOR_ON_BATTERY if power == "battery" else ONLINE_FOR
    if last_seen is None or last_seen < now - patience:
        return False
    return offline_at is None or now < offline_at + GRACE
