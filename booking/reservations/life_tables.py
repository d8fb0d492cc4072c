"""Rows around a reservation's life: messages of a request, team times, displacement, waiting, trips."""

from piccolo.columns import (
    UUID,
    BigSerial,
    Boolean,
    Bytea,
    Date,
    ForeignKey,
    Integer,
    SmallInt,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.base import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from booking.db import Exclude
from booking.people.tables import Account, Municipality, Party
from booking.places.tables import Facility, Resource
from booking.reservations.plan_tables import StaffBlock, Team
from booking.reservations.tables import Reservation


class RequestMessage(Table, tablename="request_message"):
    """What was said about a request, with the change that was asked for or offered (`proposal`)."""

    id = BigSerial(primary_key=True)
    reservation = ForeignKey(Reservation, null=False, on_delete=OnDelete.restrict, index=True)
    account = UUID(null=True, default=None)
    by_staff = Boolean(default=None)
    text = Text(default="")
    proposal = Text(null=True, default=None, help_text="JSON: resource_id, start, end.")
    answered = Varchar(length=8, null=True, default=None)
    created_at = Timestamptz(default=None)

    request_message_answer = Check("answered IN ('accepted', 'declined')")


class TeamTime(Table, tablename="team_time"):
    """A stretch of the association's reservation is the team's."""

    id = UUID(primary_key=True, default=None)
    reservation = ForeignKey(Reservation, null=False, on_delete=OnDelete.restrict)
    team = ForeignKey(Team, null=False, on_delete=OnDelete.restrict, index=True)
    starts_at = Timestamptz(default=None)
    ends_at = Timestamptz(default=None)

    team_time_order = Check("ends_at > starts_at")
    team_time_one_at_a_time = Exclude("reservation WITH =, tstzrange(starts_at, ends_at) WITH &&")


class Displacement(Table, tablename="displacement"):
    """A booking had to give way: to a block or to another reservation, with the reason and what became of it."""

    id = UUID(primary_key=True, default=None)
    reservation = ForeignKey(Reservation, null=False, on_delete=OnDelete.restrict, index=True)
    block = ForeignKey(StaffBlock, null=True, on_delete=OnDelete.restrict, index=True)
    by_reservation = UUID(null=True, default=None)
    outcome = Varchar(length=9, default=None)
    reason = Text(default=None)
    decided_by = UUID(null=True, default=None)
    at = Timestamptz(default=None)

    displacement_outcome = Check("outcome IN ('moved', 'cancelled')")


class Waiting(Table, tablename="waiting"):
    """Somebody waits for a time to become free: one resource, or any of a facility or municipality."""

    id = UUID(primary_key=True, default=None)
    kind = Varchar(length=7, default=None, help_text="queue: gets an offer in turn; watch: is told.")
    party = ForeignKey(Party, null=False, on_delete=OnDelete.restrict, index=True)
    account = ForeignKey(Account, null=False, on_delete=OnDelete.restrict, index=True)
    municipality = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    facility = ForeignKey(Facility, null=True, on_delete=OnDelete.restrict, index=True)
    resource = ForeignKey(Resource, null=True, on_delete=OnDelete.restrict, index=True)
    resource_kind = Varchar(length=12, null=True, default=None)
    from_at = Timestamptz(default=None)
    to_at = Timestamptz(default=None)
    minutes = Integer(default=None)
    purpose = Varchar(length=12, default=None)
    state = Varchar(length=9, default="waiting")
    offer = UUID(null=True, default=None, help_text="The hold that is offered.")
    offer_until = Timestamptz(null=True, default=None)
    created_at = Timestamptz(default=None)

    waiting_kind = Check("kind IN ('queue', 'watch')")
    waiting_state = Check("state IN ('waiting', 'offered', 'taken', 'lapsed', 'withdrawn')")
    waiting_order = Check("to_at > from_at AND minutes > 0")


class Driver(Table, tablename="driver"):
    """The municipality has seen the account's driving licence."""

    id = UUID(primary_key=True, default=None)
    account = ForeignKey(Account, null=False, on_delete=OnDelete.restrict, index=True)
    municipality = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    classes = Varchar(length=20, default="B")
    valid_to = Date(default=None)
    checked_by = UUID(null=True, default=None)
    checked_at = Timestamptz(default=None)

    driver_once = Unique([account, municipality])


class Trip(Table, tablename="trip"):
    """A vehicle's use: picked up and returned, with its meter (km) and its fuel or charge (per cent)."""

    reservation = ForeignKey(Reservation, null=False, primary_key=True, on_delete=OnDelete.restrict)
    out_at = Timestamptz(null=True, default=None)
    out_km = Integer(null=True, default=None)
    out_pct = SmallInt(null=True, default=None)
    in_at = Timestamptz(null=True, default=None)
    in_km = Integer(null=True, default=None)
    in_pct = SmallInt(null=True, default=None)
    late_told_at = Timestamptz(null=True, default=None)

    trip_order = Check("in_at >= out_at AND in_km >= out_km")
    trip_pct = Check("out_pct BETWEEN 0 AND 100 AND in_pct BETWEEN 0 AND 100")


class DamageNote(Table, tablename="damage_note"):
    """Somebody has seen a damage on a resource, with a photo."""

    id = UUID(primary_key=True, default=None)
    resource = ForeignKey(Resource, null=False, on_delete=OnDelete.restrict, index=True)
    reservation = ForeignKey(Reservation, null=True, on_delete=OnDelete.restrict, index=True)
    account = UUID(null=True, default=None)
    text = Text(default=None)
    photo = Bytea(null=True, default=None)
    photo_type = Varchar(length=20, null=True, default=None)
    created_at = Timestamptz(default=None)
    mended_at = Timestamptz(null=True, default=None)

    damage_note_photo = Check("octet_length(photo) <= 4000000")
