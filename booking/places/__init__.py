"""Facilities, resources, parts of halls, opening hours.

Knows what there is and when it is open. Does not know who has it when, what it costs or how its door opens.
"""

from booking.places.queries import (
    FacilityPage,
    FacilityRef,
    Kind,
    MunicipalityRef,
    Resource,
    ResourceCard,
    Week,
    facility,
    facility_page,
    resource,
    resources,
    resources_by_id,
    weeks,
)

__all__ = [
    "FacilityPage",
    "FacilityRef",
    "Kind",
    "MunicipalityRef",
    "Resource",
    "ResourceCard",
    "Week",
    "facility",
    "facility_page",
    "resource",
    "resources",
    "resources_by_id",
    "weeks",
]
