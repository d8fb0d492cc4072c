"""Facilities, resources, parts of halls, rules, opening hours.

Knows what there is, when it is open and by which rules. Does not know who has it when, what it costs or how its
door opens.
"""

from booking.places.breaks import SchoolBreak, school_breaks
from booking.places.hour_actions import (
    NewException,
    NewSchedule,
    add_exception,
    delete_exception,
    delete_schedule,
    write_schedule,
)
from booking.places.hour_pages import (
    DayPreview,
    Different,
    ExceptionView,
    HoursPage,
    ScheduleView,
    WeekStretch,
    hours_page,
)
from booking.places.hours import join, public_holidays
from booking.places.levels import Level, LevelRef, Scope, level, resources_at
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
from booking.places.rule_actions import delete_rules, write_rules
from booking.places.rule_pages import RulesPage, RulesView, rules_page
from booking.places.rulebook import refresh_rules, rules_on, rules_through
from booking.places.rules import Period, RuleChange, Rules
from booking.places.upkeep import derive_missing, stale

__all__ = [
    "DayPreview",
    "Different",
    "ExceptionView",
    "FacilityPage",
    "FacilityRef",
    "HoursPage",
    "Kind",
    "Level",
    "LevelRef",
    "MunicipalityRef",
    "NewException",
    "NewSchedule",
    "OpenDays",
    "Period",
    "Resource",
    "ResourceCard",
    "RuleChange",
    "Rules",
    "RulesPage",
    "RulesView",
    "ScheduleView",
    "SchoolBreak",
    "Scope",
    "WeekStretch",
    "add_exception",
    "delete_exception",
    "delete_rules",
    "delete_schedule",
    "derive_missing",
    "facility",
    "facility_page",
    "hours_page",
    "join",
    "level",
    "open_days",
    "open_on",
    "public_holidays",
    "refresh_hours",
    "refresh_rules",
    "resource",
    "resources",
    "resources_at",
    "resources_by_id",
    "roll_forward",
    "rules_on",
    "rules_page",
    "rules_through",
    "school_breaks",
    "stale",
    "write_rules",
    "write_schedule",
]
