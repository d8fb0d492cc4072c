"""Rows and constraints of places."""

from typing import Any

from piccolo.columns import (
    UUID,
    Boolean,
    DoublePrecision,
    ForeignKey,
    Integer,
    Serial,
    SmallInt,
    Text,
    Varchar,
)
from piccolo.columns.base import OnDelete
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from booking.people.tables import Municipality


class Facility(Table, tablename="facility"):
    """A building or ground with an address."""

    id = UUID(primary_key=True, default=None)
    municipality = ForeignKey(Municipality, null=False, on_delete=OnDelete.restrict, index=True)
    slug = Varchar(length=80, default=None, unique=True)
    name = Varchar(length=120, default=None)
    address = Varchar(length=200, default=None)
    lat = DoublePrecision(default=None, help_text="WGS 84")
    lon = DoublePrecision(default=None, help_text="WGS 84")
    description = Text(default="")
    access_text = Text(default="", help_text="How to find the right door.")
    accessibility = Text(default="")
    on_call_phone = Varchar(length=30, null=True, default=None)


class Resource(Table, tablename="resource"):
    """Something that can be booked: a hall, a part of it, premises, a vehicle."""

    id = UUID(primary_key=True, default=None)
    facility = ForeignKey(Facility, null=False, on_delete=OnDelete.restrict, index=True)
    parent: ForeignKey[Any] = ForeignKey("self", null=True, on_delete=OnDelete.restrict, index=True)
    kind = Varchar(length=12, default=None)
    slug = Varchar(length=80, default=None, unique=True)
    name = Varchar(length=120, default=None)
    tariff_class = Varchar(length=60, default=None, help_text="What the municipality's price list calls it.")
    capacity = Integer(null=True, default=None)
    area_m2 = Integer(null=True, default=None)
    gap_min = SmallInt(default=0, help_text="Least minutes between two bookings.")
    step_min = SmallInt(default=30, help_text="Starts lie on this raster of the local day.")
    min_min = SmallInt(default=60)
    max_min = Integer(default=720)
    notice_min = Integer(default=0, help_text="Bookable until this long before the start.")
    horizon_days = SmallInt(default=365)
    is_bookable = Boolean(default=True)

    resource_lengths = Check("step_min > 0 AND min_min > 0 AND max_min >= min_min AND gap_min >= 0")
    resource_kind = Check(
        "kind IN ('hall', 'hall_part', 'ice', 'pitch', 'premises', 'vehicle', 'pool', 'court')"
    )


class Leaf(Table, tablename="leaf"):
    """The smallest part that can be occupied. The whole hall is all of its leaves."""

    id = Serial(primary_key=True)
    facility = ForeignKey(Facility, null=False, on_delete=OnDelete.restrict, index=True)


class ResourceLeaf(Table, tablename="resource_leaf"):
    """The resource occupies the leaf. Several divisions of one hall may share leaves."""

    id = Serial(primary_key=True)
    resource = ForeignKey(Resource, null=False, on_delete=OnDelete.restrict, index=True)
    leaf = ForeignKey(Leaf, null=False, on_delete=OnDelete.restrict, index=True)

    resource_leaf_once = Unique([resource, leaf])


class OpeningHours(Table, tablename="opening_hours"):
    """The facility is open on the weekday between two minutes of the local day."""

    id = UUID(primary_key=True, default=None)
    facility = ForeignKey(Facility, null=False, on_delete=OnDelete.restrict, index=True)
    weekday = SmallInt(default=None, help_text="0 = Monday")
    opens_min = SmallInt(default=None)
    closes_min = SmallInt(default=None, help_text="1440 = midnight")

    opening_hours_order = Check("weekday BETWEEN 0 AND 6 AND opens_min >= 0 AND closes_min > opens_min")
    opening_hours_day = Check("closes_min <= 1440")
    opening_hours_once = Unique([facility, weekday, opens_min])
