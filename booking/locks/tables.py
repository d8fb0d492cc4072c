"""Rows and constraints of doors, grants and what controllers said. PINs, keys and snapshots are sealed."""

from piccolo.columns import (
    UUID,
    Array,
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
from booking.people.tables import Municipality
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
    driver = Varchar(length=20, default="native", help_text="Whose PIN rules hold (pin_rules.py).")
    next_gen = Integer(null=True, default=None, help_text="A key handed out, not yet in force.")
    next_key = Bytea(null=True, default=None, secret=True)
    old_gen = Integer(null=True, default=None, help_text="Still heard until the new one has reported.")
    old_key = Bytea(null=True, default=None, secret=True)
    account_secret = Bytea(null=True, default=None, secret=True, help_text="Until the broker knows it.")
    quarantined_at = Timestamptz(null=True, default=None)
    listing = Text(null=True, default=None, help_text="JSON of what it listed in quarantine; no PINs.")
    retired_at = Timestamptz(null=True, default=None)

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
    kind = Varchar(length=11, default="door", help_text="`compartment`: a key cabinet's.")
    hint = Varchar(length=500, default="", help_text="Shown to bookers, e.g. how to arm the alarm.")
    removed_at = Timestamptz(null=True, default=None)  # its log stays

    door_once = Unique([controller, wire_id])
    door_mode = Check(
        "mode IN ('normal', 'lockdown', 'unlocked') AND (mode <> 'unlocked' OR mode_until IS NOT NULL)"
    )
    door_kind = Check("kind IN ('door', 'compartment')")
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


class AccessPolicy(Table, tablename="access_policy"):
    """What a municipality has decided about its doors; without a row the defaults hold."""

    municipality = ForeignKey(Municipality, primary_key=True, null=False, on_delete=OnDelete.restrict)
    events_kept_days = Integer(default=90)
    reserve_per_day = Integer(default=3, help_text="Reserve codes per door and day.")
    alarm_lead_min = Integer(default=30, help_text="A code not in its door so long before is an alarm.")

    access_policy_bounds = Check(
        "events_kept_days BETWEEN 7 AND 3650 AND reserve_per_day BETWEEN 0 AND 10"
        " AND alarm_lead_min BETWEEN 5 AND 1440"
    )


class Credential(Table, tablename="access_credential"):
    """A code or card that outlives one booking, or was shared from one. An ordinary booking's code has no row.

    `series` and `standing` open by the bookings they are used for, `member` by its booking after the leader,
    `staff` and `clean` by the week.
    """

    id = UUID(primary_key=True, default=None)
    municipality = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    kind = Varchar(length=8, default=None)
    means = Varchar(length=8, default="pin")
    holder = UUID(default=None, index=True, help_text="The party; for staff without one, its own id.")
    reservation = UUID(null=True, default=None, index=True, help_text="Shared from this booking.")
    label = Varchar(length=120, default="")
    pin = Bytea(null=True, default=None, secret=True)
    pin_tag = Bytea(null=True, default=None, secret=True)
    card = Bytea(null=True, default=None, secret=True)
    doors = Array(base_column=Varchar(length=60), default=list)
    weekly = Text(default="[]", help_text="JSON of local weekly windows; empty = always.")
    valid_from = Timestamptz(default=None)
    valid_to = Timestamptz(null=True, default=None)
    rotates_on = Varchar(length=5, null=True, default=None, help_text="MM-DD, local midnight.")
    overlap_days = Integer(default=14, help_text="Both codes work so long after a rotation.")
    successor = UUID(null=True, default=None)
    created_at = Timestamptz(default=None)
    revoked_at = Timestamptz(null=True, default=None)

    access_credential_kind = Check("kind IN ('series', 'standing', 'member', 'staff', 'clean')")
    access_credential_means = Check("means IN ('pin', 'card', 'pin+card')")
    access_credential_order = Check("valid_to IS NULL OR valid_to > valid_from")


class Grant(Table, tablename="access_grant"):
    """One credential on one controller, mostly for one reservation. Its state is derived from these facts (§13)."""

    id = UUID(primary_key=True, default=None)
    controller = ForeignKey(Controller, null=False, on_delete=OnDelete.restrict, index=True)
    reservation = UUID(null=True, default=None, index=True, help_text="Null: staff, or a reserve code.")
    credential = UUID(default=None, help_text="Whose PIN it is: a booking's own, or an access_credential's.")
    holder = UUID(default=None, help_text="The party.")
    role = Varchar(length=9, default="leader")
    pin = Bytea(null=True, default=None, secret=True)
    nb = Timestamptz(default=None)
    na = Timestamptz(default=None)
    created_at = Timestamptz(default=None, help_text="When its present content was decided.")
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
    after = UUID(null=True, default=None, help_text="Opens only when this grant has.")
    starts_at = Timestamptz(null=True, default=None, help_text="As booked, without grace.")
    ends_at = Timestamptz(null=True, default=None)
    stale_nb = Timestamptz(null=True, default=None, help_text="The window it was moved from, until")
    stale_na = Timestamptz(null=True, default=None, help_text="the door has proved the new one.")
    gone_asked_at = Timestamptz(null=True, default=None, help_text="When its removal was decided.")
    handed_at = Timestamptz(null=True, default=None, help_text="When a reserve code was handed out.")

    access_grant_order = Check("na > nb")


class GrantWindow(Table, tablename="grant_window"):
    """One door and time of a grant. `kept_until` = end + 24 h PIN quarantine; two holders never share it.

    Without a grant it keeps a PIN: an old window of a moved booking, a season's or association's code.
    """

    id = BigSerial(primary_key=True)
    access_grant = ForeignKey(Grant, null=True, on_delete=OnDelete.cascade, index=True)
    door = ForeignKey(Door, null=False, on_delete=OnDelete.restrict, index=True)
    credential = UUID(default=None)
    pin_tag = Bytea(null=True, default=None, secret=True, help_text="Null: a card alone.")
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
    dur_s = Integer(null=True, default=None, help_text="How long it was held open.")

    door_event_once = Unique([controller, gen, boot, seq])


class Alarm(Table, tablename="door_alarm"):
    """Something staff should look at. One is open per controller or door and kind; it closes itself when cured."""

    id = UUID(primary_key=True, default=None)
    controller = ForeignKey(
        Controller, null=True, on_delete=OnDelete.restrict, index=True, help_text="Null: the server's own."
    )
    door = ForeignKey(Door, null=True, on_delete=OnDelete.restrict, index=True)
    kind = Varchar(length=20, default=None)
    reservations = Array(base_column=UUID(), default=list, help_text="Whose codes it concerns.")
    opened_at = Timestamptz(default=None)
    seen_at = Timestamptz(default=None, help_text="Widened, or seen again.")
    closed_at = Timestamptz(null=True, default=None)
    acknowledged_at = Timestamptz(null=True, default=None)
    acknowledged_by = UUID(null=True, default=None)
    note = Varchar(length=500, null=True, default=None)


class DoorCommand(Table, tablename="door_command"):
    """One order to a door: asked with a reason, confirmed, sent once, answered or unknown."""

    id = UUID(primary_key=True, default=None)
    controller = ForeignKey(Controller, null=False, on_delete=OnDelete.restrict, index=True)
    door = ForeignKey(Door, null=True, on_delete=OnDelete.restrict, index=True)
    op = Varchar(length=10, default=None)
    reason = Varchar(length=500, default=None)
    until = Timestamptz(null=True, default=None)
    asked_by = UUID(null=True, default=None)
    asked_at = Timestamptz(default=None)
    confirmed_by = UUID(null=True, default=None)
    confirmed_at = Timestamptz(null=True, default=None)
    n = BigInt(null=True, default=None)
    expires_at = Timestamptz(null=True, default=None)
    sent_at = Timestamptz(null=True, default=None)
    answered_at = Timestamptz(null=True, default=None)
    ok = Boolean(null=True, default=None)
    why = Varchar(length=32, null=True, default=None)


class DoorFact(Table, tablename="door_fact"):
    """What the doors tell of a booking that is over. `never_used` is null where they can't prove it."""

    reservation = UUID(primary_key=True, default=None)
    first_entry_at = Timestamptz(null=True, default=None)
    last_use_at = Timestamptz(null=True, default=None)
    never_used = Boolean(null=True, default=None)
    overtime_s = Integer(default=0)
    held_s = Integer(default=0)
    forced = Integer(default=0)
    is_final = Boolean(default=False)
    settled_at = Timestamptz(default=None)
