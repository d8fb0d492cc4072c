"""Rows of what may be booked when: rules and hours as staff wrote them, and what follows from them.

EffectiveRule and OpenDay are derived: rebuilt in the transaction that changes their sources.
"""

from piccolo.columns import (
    UUID,
    Array,
    BigSerial,
    Boolean,
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

from booking.people.tables import Municipality
from booking.places.columns import TstzMultirange
from booking.places.tables import Facility, Resource

ONE_OWNER = "num_nonnulls(municipality, facility, resource) = 1"


class RuleSet(Table, tablename="rule_set"):
    """Rules of a municipality, facility or resource for use from a day on. NULL inherits from above."""

    id = UUID(primary_key=True, default=None)
    municipality = ForeignKey(Municipality, null=True, on_delete=OnDelete.restrict, index=True)
    facility = ForeignKey(Facility, null=True, on_delete=OnDelete.restrict, index=True)
    resource = ForeignKey(Resource, null=True, on_delete=OnDelete.restrict, index=True)
    valid_from = Date(default=None, help_text="First local day of use.")
    gap_min = SmallInt(
        null=True, default=None, help_text="Least minutes between two bookings (set-up, clean-up)."
    )
    step_min = SmallInt(null=True, default=None, help_text="Starts lie on this raster of the local day.")
    min_min = Integer(null=True, default=None)
    max_min = Integer(null=True, default=None)
    notice_min = Integer(null=True, default=None, help_text="Bookable until this long before the start.")
    horizon_days = SmallInt(null=True, default=None, help_text="Bookable from this many days before.")
    opens_on = Date(
        null=True, default=None, help_text="Instead of the horizon: bookable from this local day."
    )
    own_first_days = SmallInt(
        null=True, default=None, help_text="Own residents may book this many days earlier."
    )
    kinds = Array(
        base_column=Varchar(length=16), null=True, default=None, help_text="Kinds of party that may book."
    )
    min_age = SmallInt(null=True, default=None)
    quota_week = SmallInt(
        null=True, default=None, help_text="Bookings of a party per ISO week in the facility."
    )
    quota_open = SmallInt(null=True, default=None, help_text="Bookings of a party ahead in the facility.")
    approval = Varchar(length=8, null=True, default=None)
    pending_holds = Boolean(
        null=True, default=None, help_text="A request keeps the time until it is answered."
    )
    answer_days = SmallInt(null=True, default=None, help_text="A request is answered within this many days.")
    terms = Varchar(length=20, null=True, default=None, help_text="Version of the terms to accept.")
    purposes = Array(base_column=Varchar(length=12), null=True, default=None)
    preempt_days = SmallInt(
        null=True,
        default=None,
        help_text="A match may displace training until this many days before; -1: never.",
    )
    needs_driver = Boolean(null=True, default=None)
    changed_at = Timestamptz(default=None)

    rule_set_owner = Check(ONE_OWNER)
    rule_set_once = Unique([municipality, facility, resource, valid_from], nulls_distinct=False)
    rule_set_minutes = Check(
        "gap_min BETWEEN 0 AND 1440 AND step_min BETWEEN 5 AND 1440 AND min_min > 0 AND max_min > 0"
        " AND notice_min >= 0 AND horizon_days BETWEEN 0 AND 730 AND own_first_days BETWEEN 0 AND 365"
    )
    rule_set_counts = Check(
        "quota_week > 0 AND quota_open > 0 AND min_age BETWEEN 0 AND 120 AND answer_days BETWEEN 0 AND 60"
    )
    rule_set_approval = Check("approval IN ('none', 'required')")


class EffectiveRule(Table, tablename="effective_rule"):
    """Derived: what is in force for the use of a resource from one local day until before another."""

    id = BigSerial(primary_key=True)
    resource = ForeignKey(Resource, null=False, on_delete=OnDelete.cascade)
    from_day = Date(default=None)
    until_day = Date(default=None, help_text="Exclusive; infinity for the last.")
    gap_min = SmallInt(default=None)
    step_min = SmallInt(default=None)
    min_min = Integer(default=None)
    max_min = Integer(default=None)
    notice_min = Integer(default=None)
    horizon_days = SmallInt(default=None)
    opens_on = Date(null=True, default=None)
    own_first_days = SmallInt(default=None)
    kinds = Array(base_column=Varchar(length=16), null=True, default=None)
    min_age = SmallInt(default=None)
    quota_week = SmallInt(null=True, default=None)
    quota_open = SmallInt(null=True, default=None)
    needs_approval = Boolean(default=None)
    pending_holds = Boolean(default=None)
    answer_days = SmallInt(default=None)
    terms = Varchar(length=20, null=True, default=None)
    purposes = Array(base_column=Varchar(length=12), null=True, default=None)
    preempt_days = SmallInt(null=True, default=None)
    needs_driver = Boolean(default=None)

    effective_rule_once = Unique([resource, from_day])
    effective_rule_order = Check("until_day > from_day")


class Terms(Table, tablename="terms"):
    """A version of a municipality's terms, which a rule may require."""

    id = UUID(primary_key=True, default=None)
    municipality = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    version = Varchar(length=20, default=None)
    text_sv = Text(default=None)
    text_en = Text(default=None)
    published_at = Timestamptz(default=None)

    terms_once = Unique([municipality, version])


class OpeningSchedule(Table, tablename="opening_schedule"):
    """Weekly hours of an owner within dates; the one that began last wins (a season over the ordinary week)."""

    id = UUID(primary_key=True, default=None)
    municipality = ForeignKey(Municipality, null=True, on_delete=OnDelete.restrict, index=True)
    facility = ForeignKey(Facility, null=True, on_delete=OnDelete.restrict, index=True)
    resource = ForeignKey(Resource, null=True, on_delete=OnDelete.restrict, index=True)
    name = Varchar(length=80, default=None)
    valid_from = Date(default=None)
    valid_to = Date(null=True, default=None, help_text="Last day, inclusive.")

    opening_schedule_owner = Check(ONE_OWNER)
    opening_schedule_order = Check("valid_to >= valid_from")
    opening_schedule_once = Unique([municipality, facility, resource, valid_from], nulls_distinct=False)


class OpeningHours(Table, tablename="opening_hours"):
    """Open on the weekday between two minutes of the local day. Weekday 7 is a public holiday, if listed."""

    id = UUID(primary_key=True, default=None)
    schedule = ForeignKey(OpeningSchedule, null=False, on_delete=OnDelete.cascade, index=True)
    weekday = SmallInt(default=None, help_text="0 = Monday, 7 = public holiday")
    opens_min = SmallInt(default=None)
    closes_min = SmallInt(default=None, help_text="1440 = midnight")

    opening_hours_order = Check("weekday BETWEEN 0 AND 7 AND opens_min >= 0 AND closes_min > opens_min")
    opening_hours_day = Check("closes_min <= 1440")
    opening_hours_once = Unique([schedule, weekday, opens_min])


class OpeningException(Table, tablename="opening_exception"):
    """On these local days the owner is closed (no minutes) or open at other hours. The most specific owner wins."""

    id = UUID(primary_key=True, default=None)
    municipality = ForeignKey(Municipality, null=True, on_delete=OnDelete.restrict, index=True)
    facility = ForeignKey(Facility, null=True, on_delete=OnDelete.restrict, index=True)
    resource = ForeignKey(Resource, null=True, on_delete=OnDelete.restrict, index=True)
    from_day = Date(default=None)
    to_day = Date(default=None, help_text="Inclusive.")
    opens_min = SmallInt(null=True, default=None)
    closes_min = SmallInt(null=True, default=None)
    reason = Varchar(length=120, default=None)

    opening_exception_owner = Check(ONE_OWNER)
    opening_exception_order = Check(
        "to_day >= from_day AND closes_min > opens_min AND closes_min <= 1440 AND opens_min >= 0"
    )
    opening_exception_both = Check("num_nonnulls(opens_min, closes_min) IN (0, 2)")


class OpenDay(Table, tablename="open_day"):
    """Derived: when a calendar (a facility's or a resource's own) is open on a local day. No row: not yet known."""

    id = BigSerial(primary_key=True)
    calendar = UUID(default=None)
    day = Date(default=None)
    spans = TstzMultirange()
    reason = Varchar(length=120, null=True, default=None, help_text="Why it differs from the ordinary week.")

    open_day_once = Unique([calendar, day])


class SchoolBreak(Table, tablename="school_break"):
    """School is out in the municipality; series may leave these days out."""

    id = UUID(primary_key=True, default=None)
    municipality = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    name = Varchar(length=80, default=None)
    from_day = Date(default=None)
    to_day = Date(default=None, help_text="Inclusive.")

    school_break_order = Check("to_day >= from_day")
