"""Facilities, resources, parts of halls, rules, opening hours.

Knows what there is, when it is open and by which rules. Does not know who has it when, what it costs or how its
door opens.
"""

from booking.places.breaks import SchoolBreak, school_breaks
from booking.places.hours import join, public_holidays
from booking.places.open_days import OpenDays, open_days, open_on, refresh_hours, roll_forward
from booking.places.queries import (
    FacilityPage,
    FacilityRef,
    Kind,
    MunicipalityRef,
    Resource,
    ResourceCard,
    facility,
    facility_page,
    resource,
    resources,
    resources_by_id,
)
from booking.places.rulebook import refresh_rules, rules_on, rules_through
from booking.places.rules import Period, Rules

__all__ = [
    "FacilityPage",
    "FacilityRef",
    "Kind",
    "MunicipalityRef",
    "OpenDays",
    "Period",
    "Resource",
    "ResourceCard",
    "Rules",
    "SchoolBreak",
    "facility",
    "facility_page",
    "join",
    "open_days",
    "open_on",
    "public_holidays",
    "refresh_hours",
    "refresh_rules",
    "resource",
    "resources",
    "resources_by_id",
    "roll_forward",
    "rules_on",
    "rules_through",
    "school_breaks",
]
