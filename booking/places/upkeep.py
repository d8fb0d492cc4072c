"""Derived data kept true: after a migration, and checked against its sources."""

from datetime import datetime

from booking import db
from booking.places.open_days import refresh_hours, wrong_calendars, wrong_days
from booking.places.rule_actions import lock_places
from booking.places.rulebook import derived_rules, refresh_rules, stored_rules

# A resource without rules in force, or a facility that nobody has opened or closed for any day.
_UNDERIVED = """
SELECT DISTINCT f.municipality FROM facility f LEFT JOIN resource r ON r.facility = f.id
WHERE NOT EXISTS (SELECT FROM open_day o WHERE o.calendar = f.id)
  OR (r.id IS NOT NULL AND (NOT EXISTS (SELECT FROM effective_rule e WHERE e.resource = r.id)
    OR NOT EXISTS (SELECT FROM open_day o WHERE o.calendar = r.calendar)))
ORDER BY 1
"""


async def derive_missing(now: datetime) -> list[str]:
    """No resource is without rules in force and open days; returns the municipalities that had some."""
    missing = await db.column(str, _UNDERIVED)
    for municipality in missing:
        async with db.transaction():
            await lock_places(municipality)
            await refresh_rules(municipality)
            await refresh_hours(municipality, now)
    return missing


async def stale(municipality: str, now: datetime) -> list[str]:
    """Return one text per kind of derived row that differs from its sources; empty as it should be."""
    async with db.transaction():
        await lock_places(municipality)
        derived, stored = set(await derived_rules(municipality)), set(await stored_rules(municipality))
        counts = {
            "rules in force that no rule set gives": len(stored - derived),
            "rules that are not in force": len(derived - stored),
            "resources that follow the wrong calendar": await wrong_calendars(municipality),
            "open days that differ from the hours": await wrong_days(municipality, now),
        }
    return [f"places {municipality}: {count} {what}" for what, count in counts.items() if count]
