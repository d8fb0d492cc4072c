"""Rows and constraints of doors, grants and what controllers said. PINs, keys and snapshots are sealed."""

from piccolo.columns import (
    UUID,
    BigInt,
    BigSerial,
    Boolean,
    Bytea,
    ForeignKey,
    Integer,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.base import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from booking.db import Exclude
from booking.places.tables import Facility, Resource


class Controller(Table, tablename="controller"):
    """A door controller: what the server wants it to have, and what it last proved to have.

    Versions are (epoch, ver), compared in that order. *Wanted* is raised by bookings, *logged* by building a
    snapshot, *broker* by a PUBACK, *rep* only by a recognised report (lock protocol §12).
    """

    id = Varchar(length=32, primary_key=True, default=None)
    facility = ForeignKey(Facility, null=False, on_delete=OnDelete.restrict, index=True)
    simulated = Boolean(default=False)
    gen = Integer(default=1)
    master_key = Bytea(default=None, secret=True)
    enrolled_at = Timestamptz(default=None)
    epoch = BigInt(default=1, help_text="Of the wanted version.")
    want_ver = BigInt(default=1)
    logged_epoch = BigInt(default=0)
    logged_ver = BigInt(default=0)
    broker_epoch = BigInt(default=0)
    broker_ver = BigInt(default=0)
    broker_reason = Integer(null=True, default=None, help_text="PUBACK reason code.")
    rep_epoch = BigInt(default=0)
    rep_ver = BigInt(default=0)
    rep_boot = BigInt(default=0, help_text="0 = has never reported in this generation.")
    rep_rs = BigInt(default=0)
    rep_at = Timestamptz(null=True, default=None)
    report = Text(null=True, default=None, help_text="JSON of the newest report.")
    sid = Varchar(length=22, null=True, default=None)
    last_seen = Timestamptz(null=True, default=None)
    offline_at = Timestamptz(
        null=True, default=None, help_text="When the will of the newest connection came."
    )
    clock = Varchar(length=9, default="ok")
    quarantine = Boolean(default=False, help_text="It reported a version we never wrote (§12.5).")
    ev_boot = BigInt(default=0, help_text="Everything up to this event is stored.")
    ev_seq = BigInt(default=0)
    last_n = BigInt(default=0, help_text="Number of the last command.")
    retry_s = Integer(default=5)
    retry_at = Timestamptz(null=True, default=None)

    controller_clock = Check("clock IN ('ok', 'drift', 'untrusted')")
    controller_name = Check("id ~ '^[a-z0-9][a-z0-9-]{1,31}$'")


class Door(Table, tablename="door"):
    """A door of a controller; seconds as in the snapshot."""

    id = Varchar(length=60, primary_key=True, default=None)
    controller = ForeignKey(Controller, null=False, on_delete=OnDelete.restrict, index=True)
    wire_id = Varchar(length=16, default=None, help_text="What the controller calls it.")
    name = Varchar(length=120, default=None)
    unlock_s = Integer(default=5)
    held_s = Integer(default=300)
    mode = Varchar(length=8, default="normal")
    mode_n = BigInt(default=0)
    mode_until = Timestamptz(null=True, default=None)

    door_once = Unique([controller, wire_id])
    door_mode = Check(
        "mode IN ('normal', 'lockdown', 'unlocked') AND (mode <> 'unlocked' OR mode_until IS NOT NULL)"
    )
    door_seconds = Check("unlock_s BETWEEN 1 AND 60 AND held_s BETWEEN 10 AND 1800")


class AccessRule(Table, tablename="access_rule"):
    """Who books the resource may open the door, from so long before to so long after (seconds)."""

    id = UUID(primary_key=True, default=None)
    resource = ForeignKey(Resource, null=False, on_delete=OnDelete.restrict, index=True)
    door = ForeignKey(Door, null=False, on_delete=OnDelete.restrict, index=True)
    before_s = Integer(default=900)
    after_s = Integer(default=900)
    purpose = Varchar(length=12, null=True, default=None, help_text="Null: every kind of booking.")

    access_rule_once = Unique([resource, door, purpose], nulls_distinct=False)
    access_rule_seconds = Check("before_s BETWEEN 0 AND 86400 AND after_s BETWEEN 0 AND 86400")


class Grant(Table, tablename="access_grant"):
    """One credential on one controller for one reservation. Its state is derived from these facts (§13)."""

    id = UUID(primary_key=True, default=None)
    controller = ForeignKey(Controller, null=False, on_delete=OnDelete.restrict, index=True)
    reservation = UUID(default=None, index=True)
    credential = UUID(default=None, help_text="Whose PIN it is: a booking, or an association.")
    holder = UUID(default=None, help_text="The party.")
    role = Varchar(length=9, default="leader")
    pin = Bytea(null=True, default=None, secret=True)
    nb = Timestamptz(default=None)
    na = Timestamptz(default=None)
    created_at = Timestamptz(default=None)
    first_epoch = BigInt(null=True, default=None, help_text="First version with its present content.")
    first_ver = BigInt(null=True, default=None)
    gone_epoch = BigInt(null=True, default=None, help_text="First version without it.")
    gone_ver = BigInt(null=True, default=None)
    in_log = Boolean(default=False, help_text="It stood in some snapshot ever logged.")
    applied_at = Timestamptz(null=True, default=None)
    used_at = Timestamptz(null=True, default=None)
    rejected = Varchar(length=32, null=True, default=None)
    gone_at = Timestamptz(null=True, default=None, help_text="Removal confirmed.")
    alarmed_at = Timestamptz(null=True, default=None)

    access_grant_order = Check("na > nb")
    access_grant_once = Unique([reservation, controller])


class GrantWindow(Table, tablename="grant_window"):
    """One door and time of a grant. `kept_until` = end + 24 h PIN quarantine; two holders never share it."""

    id = BigSerial(primary_key=True)
    access_grant = ForeignKey(Grant, null=False, on_delete=OnDelete.cascade, index=True)
    door = ForeignKey(Door, null=False, on_delete=OnDelete.restrict, index=True)
    credential = UUID(default=None)
    pin_tag = Bytea(default=None, secret=True)
    nb = Timestamptz(default=None)
    na = Timestamptz(default=None)
    kept_until = Timestamptz(default=None)

    grant_window_order = Check("na > nb AND kept_until > nb")
    one_holder_per_pin = Exclude(
        "door WITH =, pin_tag WITH =, credential WITH <>, tstzrange(nb, kept_until) WITH &&"
    )


class SnapshotLog(Table, tablename="snapshot_log"):
    """Every version ever built, before it was published. The plain text is sealed."""

    id = BigSerial(primary_key=True)
    controller = ForeignKey(Controller, null=False, on_delete=OnDelete.restrict, index=True)
    epoch = BigInt(default=None)
    ver = BigInt(default=None)
    digest = Varchar(length=64, default=None)
    octets = Bytea(null=True, default=None, secret=True)
    horizon_end = Timestamptz(default=None)
    built_at = Timestamptz(default=None)

    snapshot_log_once = Unique([controller, epoch, ver])


class DoorEvent(Table, tablename="door_event"):
    """Something that happened at a door, stored once. Holds no digits typed."""

    id = BigSerial(primary_key=True)
    controller = ForeignKey(Controller, null=False, on_delete=OnDelete.restrict)
    gen = Integer(default=None)
    boot = BigInt(default=None)
    seq = BigInt(default=None)
    at = Timestamptz(null=True, default=None)
    clock = Varchar(length=32, default=None)
    door = Varchar(length=60, null=True, default=None)
    kind = Varchar(length=32, default=None)
    how = Varchar(length=32, null=True, default=None)
    why = Varchar(length=32, null=True, default=None)
    access_grant = UUID(null=True, default=None)
    lost = Integer(null=True, default=None)
    received_at = Timestamptz(default=None)

    door_event_once = Unique([controller, gen, boot, seq])
