"""What a municipality has decided about its doors: how long events are kept, reserve codes, when alarms are raised."""

from datetime import datetime

from booking import db, journal
from booking.people import Actor, Role


class PolicyView(db.Record):
    """How many days events are kept, reserve codes per door and day, minutes before a booking that alarms begin."""

    events_kept_days: int
    reserve_per_day: int
    alarm_lead_min: int


DEFAULT = PolicyView(events_kept_days=90, reserve_per_day=3, alarm_lead_min=30)


async def policy_of(municipality: str, *, by: Actor) -> PolicyView:
    """Return what holds for the doors of a municipality where the actor is staff."""
    by.must_have(municipality, Role.STAFF)
    row = await db.row(
        PolicyView,
        "SELECT events_kept_days, reserve_per_day, alarm_lead_min FROM access_policy WHERE municipality = $1",
        municipality,
    )
    return row or DEFAULT


async def write_policy(municipality: str, policy: PolicyView, *, by: Actor, now: datetime) -> None:
    """The municipality's doors follow this policy from the next sweep on; events older than it says go then.

    Raises NotFound unless the actor is administrator there.
    """
    by.must_have(municipality, Role.ADMIN)
    async with db.transaction():
        values = (policy.events_kept_days, policy.reserve_per_day, policy.alarm_lead_min)
        await db.run(
            "INSERT INTO access_policy (municipality, events_kept_days, reserve_per_day, alarm_lead_min)"
            " VALUES ($1, $2, $3, $4) ON CONFLICT (municipality) DO UPDATE SET events_kept_days = $2,"
            " reserve_per_day = $3, alarm_lead_min = $4",
            municipality,
            *values,
        )
        await journal.record(
            "access_policy.written",
            about=None,
            by=by,
            now=now,
            topics=[f"doors:{municipality}"],
            events_kept_days=values[0],
            reserve_per_day=values[1],
            alarm_lead_min=values[2],
        )
