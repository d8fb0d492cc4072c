"""Rows and constraints of places."""

from typing import Any

from piccolo.columns import (
    UUID,
    Array,
    Boolean,
    Bytea,
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
    """Something that can be booked: a hall, a part of it, premises, a vehicle, a pool of like units, equipment.

    Its rules are inherited (RuleSet); what is in force stands in EffectiveRule.
    """

    id = UUID(primary_key=True, default=None)
    facility = ForeignKey(Facility, null=False, on_delete=OnDelete.restrict, index=True)
    parent: ForeignKey[Any] = ForeignKey("self", null=True, on_delete=OnDelete.restrict, index=True)
    kind = Varchar(length=12, default=None)
    slug = Varchar(length=80, default=None, unique=True)
    name = Varchar(length=120, default=None)
    tariff_class = Varchar(length=60, default=None, help_text="What the municipality's price list calls it.")
    capacity = Integer(null=True, default=None)
    area_m2 = Integer(null=True, default=None)
    picks_unit = Boolean(default=False, help_text="A pool: the system picks one of its children.")
    is_bookable = Boolean(default=True)
    surface = Varchar(length=40, null=True, default=None)
    features = Array(base_column=Varchar(length=40), default=list, help_text="What one searches for: codes.")
    description = Text(default="")
    instructions = Text(default="", help_text="Shown to who has booked.")
    accessibility = Text(default="")
    calendar = UUID(default=None, help_text="Whose open days it follows: its own id or its facility's.")

    resource_kind = Check(
        "kind IN ('hall', 'hall_part', 'ice', 'pitch', 'premises', 'vehicle', 'pool', 'court', 'lane', 'bike',"
        " 'equipment')"
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


class ResourceImage(Table, tablename="resource_image"):
    """A picture of a resource, with words for those who don't see it."""

    id = UUID(primary_key=True, default=None)
    resource = ForeignKey(Resource, null=False, on_delete=OnDelete.restrict, index=True)
    position = SmallInt(default=0)
    media_type = Varchar(length=20, default=None)
    alt = Varchar(length=200, default=None)
    content = Bytea(default=None)

    resource_image_type = Check("media_type IN ('image/jpeg', 'image/png', 'image/webp')")
    resource_image_size = Check("octet_length(content) <= 600000")
