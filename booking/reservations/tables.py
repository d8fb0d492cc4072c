"""Rows and constraints of the calendar. The exclusion constraint here is the first promise of the product."""

from piccolo.columns import (
    UUID,
    BigInt,
    BigSerial,
    Boolean,
    ForeignKey,
    Integer,
    Serial,
    Text,
    Timestamptz,
    Varchar,
)
from piccolo.columns.base import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from booking.db import Exclude
from booking.people.tables import Party
from booking.places.tables import Leaf, Resource
from booking.reservations.plan_tables import Series, StaffBlock, Team


class Reservation(Table, tablename="reservation"):
    """Somebody's time in one resource, from hold to completion."""

    id = UUID(primary_key=True, default=None)
    number = Serial(help_text="Shown to people; gaps are harmless.")
    resource = ForeignKey(Resource, null=False, on_delete=OnDelete.restrict, index=True)
    municipality = Varchar(length=4, default=None, help_text="The owner's, repeated for tenancy filters.")
    kind = Varchar(
        length=8, default="booking", help_text="A block takes time for the owner and has no party."
    )
    wished = UUID(
        null=True, default=None, help_text="The pool that was asked for, when the system picked a unit."
    )
    series = ForeignKey(Series, null=True, on_delete=OnDelete.restrict, index=True)
    series_start = Timestamptz(
        null=True, default=None, help_text="The start the series gave it (RECURRENCE-ID)."
    )
    block = ForeignKey(StaffBlock, null=True, on_delete=OnDelete.restrict, index=True)
    team = ForeignKey(Team, null=True, on_delete=OnDelete.restrict, index=True)
    party = ForeignKey(Party, null=True, on_delete=OnDelete.restrict, index=True)
    account = UUID(null=True, default=None)
    session = UUID(null=True, default=None, index=True, help_text="Whose hold it is before log-in.")
    home = Varchar(length=4, null=True, default=None, help_text="Home municipality the price assumed.")
    state = Varchar(length=16, default=None)
    starts_at = Timestamptz(default=None)
    ends_at = Timestamptz(default=None)
    hold_until = Timestamptz(null=True, default=None)
    extended = Boolean(default=False)
    purpose = Varchar(length=12, default=None)
    title = Varchar(length=120, null=True, default=None)
    method = Varchar(length=8, null=True, default=None)
    price_ore = BigInt(default=None, help_text="Frozen when booked; tariffs may change later.")
    price = Text(default=None, help_text="JSON: the quote with its explanation, frozen.")
    version = Integer(default=1)
    created_at = Timestamptz(default=None)
    confirmed_at = Timestamptz(null=True, default=None)
    cancelled_at = Timestamptz(null=True, default=None)
    cancelled_by = Varchar(length=12, null=True, default=None)
    cancel_fee_ore = BigInt(null=True, default=None)
    refund_ore = BigInt(null=True, default=None)
    terms = Varchar(length=20, null=True, default=None, help_text="Version of the terms that was accepted.")
    answer_by = Timestamptz(null=True, default=None, help_text="When a request is answered at the latest.")
    decided_at = Timestamptz(null=True, default=None)
    decided_by = UUID(null=True, default=None)
    decision = Text(null=True, default=None, help_text="Why, in the words of the one who decided.")
    used = Varchar(
        length=8, null=True, default=None, help_text="What the door or staff say: used or no_show."
    )

    reservation_order = Check("ends_at > starts_at")
    reservation_state = Check(
        "state IN ('held', 'requested', 'awaiting_payment', 'confirmed', 'cancelled', 'completed', 'expired',"
        " 'rejected')"
    )
    reservation_kind = Check(
        "kind = 'booking' AND block IS NULL OR kind = 'block' AND block IS NOT NULL AND party IS NULL"
    )
    reservation_party = Check("party IS NOT NULL OR kind = 'block' OR state IN ('held', 'expired')")
    reservation_used = Check("used IN ('used', 'no_show')")
    reservation_hold = Check("hold_until IS NOT NULL OR state NOT IN ('held', 'awaiting_payment')")
    reservation_purpose = Check("purpose IN ('training', 'match', 'meeting', 'event', 'private', 'other')")


class ReservationExtra(Table, tablename="reservation_extra"):
    """A further resource of the same reservation: another part booked together, or equipment."""

    id = BigSerial(primary_key=True)
    reservation = ForeignKey(Reservation, null=False, on_delete=OnDelete.restrict, index=True)
    resource = ForeignKey(Resource, null=False, on_delete=OnDelete.restrict, index=True)
    wished = UUID(null=True, default=None, help_text="The pool of like units it was picked from.")
    role = Varchar(length=9, default=None)

    reservation_extra_once = Unique([reservation, resource])
    reservation_extra_role = Check("role IN ('together', 'equipment')")


class Occupancy(Table, tablename="occupancy"):
    """A leaf is taken. The range carries the gap after the booking, so neighbours keep their distance."""

    id = BigSerial(primary_key=True)
    leaf = ForeignKey(Leaf, null=False, on_delete=OnDelete.restrict)
    reservation = ForeignKey(Reservation, null=False, on_delete=OnDelete.restrict, index=True)
    starts_at = Timestamptz(default=None)
    ends_at = Timestamptz(default=None, help_text="End of the booking plus the resource's gap.")
    hold_until = Timestamptz(
        null=True, default=None, help_text="A hold that has run out is no longer in the way."
    )

    occupancy_order = Check("ends_at > starts_at")
    occupancy_one_at_a_time = Exclude("leaf WITH =, tstzrange(starts_at, ends_at) WITH &&")
