"""Which doors bookings open, and what a municipality has decided about its doors."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from booking import locks, reservations
from booking.api.errors import responses
from booking.api.shapes import CodeRequired, MunicipalityCode
from booking.people import Actor
from booking.reservations import Purpose

ResourceQuery = Annotated[UUID, QueryParameter(name="resource_id")]
GraceMinutes = Annotated[int, Meta(ge=0, le=1440)]


class NewAccessRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bookings of the resource open the door, from so many minutes before to so many after.

    Without `purpose` whatever they are for. The same door and purpose once more changes the grace.
    """

    resource_id: UUID
    door_id: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,60}$")]
    before_min: GraceMinutes
    after_min: GraceMinutes
    purpose: Purpose | None = None


class AccessRulesPage(msgspec.Struct, frozen=True):
    """The rules of a resource. `bookings_ahead`: how many bookings the change is about; their codes follow soon."""

    rules: locks.AccessRules
    bookings_ahead: int


class NewPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Days that events are kept, reserve codes per door and day, minutes before a booking that alarms begin."""

    municipality: MunicipalityCode
    events_kept_days: Annotated[int, Meta(ge=7, le=3650)]
    reserve_per_day: Annotated[int, Meta(ge=0, le=10)]
    alarm_lead_min: Annotated[int, Meta(ge=5, le=1440)]


class DoorPolicy(msgspec.Struct, frozen=True):
    """What holds for the doors of a municipality."""

    municipality: str
    events_kept_days: int
    reserve_per_day: int
    alarm_lead_min: int


class AccessRuleController(Controller):
    """Access rules."""

    path = "/access-rules"
    tags = ("Doors",)

    @get("/", operation_id="ListAccessRules", responses=responses(404))
    async def index(self, resource_id: ResourceQuery, actor: NamedDependency[Actor]) -> locks.AccessRules:
        """Return which doors bookings of a resource open, and from where each rule comes."""
        return await locks.rules_of(resource_id, by=actor)

    @put("/", operation_id="WriteAccessRule", responses=responses(404, 422))
    async def write(
        self, data: JSONBody[NewAccessRule], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> AccessRulesPage:
        """Let bookings of a resource open a door, also those already made. For administrators."""
        await locks.write_rule(
            data.resource_id,
            data.door_id,
            before_s=data.before_min * 60,
            after_s=data.after_min * 60,
            purpose=data.purpose,
            by=actor,
            now=now,
        )
        return await _page(data.resource_id, data.purpose, actor, now)

    @delete("/{rule_id:uuid}", operation_id="DeleteAccessRule", status_code=200, responses=responses(404))
    async def remove(
        self, rule_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> AccessRulesPage:
        """Take an access rule back, also for bookings already made. For administrators."""
        resource, purpose = await locks.delete_rule(rule_id, by=actor, now=now)
        return await _page(resource, purpose, actor, now)


async def _page(resource: UUID, purpose: Purpose | None, by: Actor, now: datetime) -> AccessRulesPage:
    ahead = await reservations.bookings_ahead(resource, purpose, now=now)
    return AccessRulesPage(await locks.rules_of(resource, by=by), ahead)


class DoorPolicyController(Controller):
    """What a municipality has decided about its doors."""

    path = "/door-policy"
    tags = ("Doors",)

    @get("/", operation_id="GetDoorPolicy", responses=responses(404))
    async def read(self, municipality: CodeRequired, actor: NamedDependency[Actor]) -> DoorPolicy:
        """Return what holds for the doors of a municipality where the caller is staff."""
        return _shown(municipality, await locks.policy_of(municipality, by=actor))

    @put("/", operation_id="WriteDoorPolicy", responses=responses(404, 422))
    async def write(
        self, data: JSONBody[NewPolicy], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> DoorPolicy:
        """Decide how long events are kept, how many reserve codes there are, when alarms begin. For administrators."""
        policy = locks.PolicyView(data.events_kept_days, data.reserve_per_day, data.alarm_lead_min)
        await locks.write_policy(data.municipality, policy, by=actor, now=now)
        return _shown(data.municipality, policy)


def _shown(municipality: str, policy: locks.PolicyView) -> DoorPolicy:
    return DoorPolicy(municipality, policy.events_kept_days, policy.reserve_per_day, policy.alarm_lead_min)
