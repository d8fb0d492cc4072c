"""People who book and times that can be booked, each once."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from bench._web import KEY, OWNER, settings_of
from bench.common import say
from booking import billing, db, locks, people, places
from booking.clock import SWEDEN
from booking.demo.seed import found
from booking.people import actions as people_actions
from booking.people.passwords import csrf_token

MOST_RESOURCES, FIRST_DAY, LAST_DAY = 12, 20, 330


APART = 3  # days from one to the next at a place: a door keeps a code for a day after its use


@dataclass(frozen=True, slots=True)
class Slot:
    """A time that can be booked once."""

    resource: UUID
    start: datetime
    end: datetime
    terms: str | None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is logged in and may pay on invoice."""

    token: str
    party: UUID


def headers(person: Person) -> dict[str, str]:
    """Return what a page sends with a creating request."""
    return {
        "Content-Type": "application/json",
        "Cookie": f"booking_session={person.token}",
        "X-CSRF-Token": csrf_token(KEY, person.token),
        "Idempotency-Key": str(uuid4()),
    }


def wish(slot: Slot, person: Person) -> dict[str, Any]:
    """Return the body that holds the time."""
    times = {"start": slot.start.isoformat(), "end": slot.end.isoformat()}
    return {"resource_id": str(slot.resource), "party_id": str(person.party), "purpose": "other", **times}


def order(slot: Slot, hold: dict[str, Any]) -> dict[str, Any]:
    """Return the body that reserves what is held."""
    return {
        "hold_id": hold["id"],
        "method": "invoice",
        "expected_price_ore": hold["price"]["total_ore"],
        "terms_accepted": True,
        "terms_version": slot.terms,
    }


async def settle(address: str, folder: Path, clients: int, now: datetime) -> list[Person]:
    """The demonstration's towns stand, and so many people of one of them may be invoiced and are logged in."""
    known = settings_of(address, folder, 4)
    billing.configure(known)
    locks.configure(known)
    await db.open_pool(address, 4)
    say("laying out the demonstration's places and people")
    await found(known, now)
    persons = []
    for number in range(clients):
        email, password = f"book{number}@bench.test", "book-book-book"
        account = await people_actions.register(
            name="Book", email=email, password=password, home=OWNER, now=now
        )
        token, _ = await people_actions.start_session(account, now)
        actor = await people.actor_of_session(token, now)
        if actor is None or actor.party is None:
            raise SystemExit("a person who has just registered is not there")
        await db.run(
            "UPDATE party SET may_be_invoiced = true, born = $2 WHERE id = $1", actor.party, date(1980, 1, 1)
        )
        persons.append(Person(token, actor.party))
    await db.run("ANALYZE")
    await db.close_pool()
    return persons


async def bookable(address: str, now: datetime) -> dict[UUID, list[Slot]]:
    """Return the free times of every resource that anybody may book at once, each time apart from the others."""
    await db.open_pool(address, 2)
    today = now.astimezone(SWEDEN).date()
    first, last = today + timedelta(days=FIRST_DAY), today + timedelta(days=LAST_DAY)
    every = [one for one in await places.resources(municipalities=[OWNER]) if one.kind != "equipment"]
    rules = await places.rules_on([one.id for one in every], first)
    opening = await places.open_days([one.calendar for one in every], first, last)
    result: dict[UUID, list[Slot]] = {}
    used: set[int] = set()
    for one in sorted(every, key=lambda each: len(each.leaves)):
        rule = rules[one.id]
        shy = rule.needs_approval or rule.quota_open or rule.quota_week or rule.needs_driver or rule.kinds
        if shy or rule.max_min < 120 or used & set(one.leaves):
            continue
        used |= set(one.leaves)
        slots = [
            Slot(one.id, start, start + timedelta(hours=2), rule.terms)
            for day, spans in opening[one.calendar].items()
            for span in spans
            if span.start.astimezone(SWEDEN).date() == day
            for start in _starts(span.start, span.end)
        ]
        if slots:
            result[one.id] = slots
        if len(result) == MOST_RESOURCES:
            break
    await db.close_pool()
    return result


def _starts(opens: datetime, closes: datetime) -> Iterator[datetime]:
    start = opens
    while start + timedelta(hours=2) <= closes:
        yield start
        start += timedelta(hours=3)  # whatever distance the place keeps
