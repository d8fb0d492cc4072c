"""The hall that everybody wants, who wants it, and what must stand before a round."""

import random
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx

from bench._web import OWNER
from booking import db, people, places, reservations
from booking.clock import SWEDEN, at_local
from booking.people import Actor
from booking.people import actions as people_actions
from booking.places import Resource
from booking.reservations import Customer, Wish
from booking.span import Span

CONTESTED, PARKED = "Hammarhallen", "Norrskenshallen"
DAYS = 340  # ahead that may be booked; each has three hours of its own


@dataclass
class Client:
    """A browser that somebody has logged in from, on one of the two processes."""

    http: httpx.AsyncClient
    csrf: str

    async def send(self, path: str, body: dict[str, Any]) -> httpx.Response:
        """Return the answer to a creating request."""
        headers = {"X-CSRF-Token": self.csrf, "Idempotency-Key": str(uuid4())}
        return await self.http.post(path, json=body, headers=headers)


@dataclass
class World:
    """What the rounds need to know."""

    residents: list[Client]
    clubs: list[Client]
    staff: list[Client]
    halls: list[Resource]
    rules: dict[UUID, places.Rules]
    club: UUID
    requests: dict[int, list[UUID]] = field(default_factory=dict)
    movers: dict[int, list[UUID]] = field(default_factory=dict)
    targets: dict[UUID, tuple[Resource, Span]] = field(default_factory=dict)


async def enter_world(webs: list[str], clients: int, now: datetime, stack: AsyncExitStack) -> World:
    """Return the hall and those who want it, logged in; their connections close with the stack."""

    async def enter(account: UUID, number: int) -> Client:
        token, _ = await people_actions.start_session(account, now)
        http = await stack.enter_async_context(
            httpx.AsyncClient(
                base_url=webs[number % len(webs)], cookies={"booking_session": token}, timeout=60
            )
        )
        return Client(http, (await http.get("/api/me")).json()["csrf"])

    async def account(email: str) -> UUID:
        known = await db.value(UUID, "SELECT id FROM account WHERE email = $1", email)
        return known or await people_actions.register(
            name="Storm", email=email, password="storm-storm-storm", home=OWNER, now=now
        )

    residents = [await enter(await account(f"storm{n}@bench.test"), n) for n in range(clients)]
    clubs = [await enter(await account("ali@demo.test"), n) for n in range(2)]
    staff = [await enter(await account("stina@demo.test"), n) for n in range(2)]
    _, halls = await places.facility(
        await db.value(str, "SELECT slug FROM facility WHERE name = $1", CONTESTED) or ""
    )
    halls = [one for one in halls if one.kind in ("hall", "hall_part", "court") and not one.picks_unit]
    rules = await places.rules_on([one.id for one in halls], (now + timedelta(days=30)).date())
    actor = await people.actor_of_account(await account("ali@demo.test"), now)
    if actor is None:
        raise SystemExit("the demonstration has no association")
    club = await db.value(
        UUID,
        "SELECT id FROM party WHERE id = ANY($1) AND kind = 'association' ORDER BY name",
        list(actor.acts_for),
    )
    if club is None:
        raise SystemExit("the demonstration has no association")
    return World(residents, clubs, staff, halls, rules, club)


def moment_of(number: int, now: datetime) -> datetime:
    """The instant that all wishes of the round cover: another evening for every round, then another hour."""
    day = (now.astimezone(SWEDEN) + timedelta(days=3 + number % DAYS)).date()
    return at_local(day.year, day.month, day.day, (11 + 4 * (number // DAYS)) * 60)


def random_span(moment: datetime, rules: places.Rules, chance: random.Random) -> Span:
    """A random stretch that covers the moment, on the raster and within the rules."""
    step = timedelta(minutes=rules.step_min)
    least = max(rules.min_min, 60)
    length = timedelta(
        minutes=chance.choice([m for m in (60, 90, 120, 150, 180) if least <= m <= rules.max_min])
    )
    start = moment - step * chance.randrange(max(1, min(3, int(length / step))))
    return Span(start, start + length)


async def prepare(world: World, number: int, chance: random.Random, now: datetime) -> None:
    """A request that waits without holding time, and a booking elsewhere that will want to move here."""
    staff = Actor.system()
    moment = moment_of(number, now)
    hall = chance.choice(world.halls)
    await db.run(
        "UPDATE effective_rule SET needs_approval = true, pending_holds = false WHERE resource = $1", hall.id
    )
    wanted = random_span(moment, world.rules[hall.id], chance)
    request = await _book(hall, wanted, world.club, staff, now)
    await db.run("UPDATE effective_rule SET needs_approval = false WHERE resource = $1", hall.id)
    world.requests[number], world.targets[request] = [request], (hall, wanted)
    _, parked = await places.facility(
        await db.value(str, "SELECT slug FROM facility WHERE name = $1", PARKED) or ""
    )
    whole = next(one for one in parked if one.part_of is None and one.kind == "hall")
    start = moment_of(number, now)
    mover = await _book(whole, Span(start, start + timedelta(hours=2)), world.club, staff, now)
    there = chance.choice(world.halls)
    world.movers[number], world.targets[mover] = (
        [mover],
        (there, random_span(moment, world.rules[there.id], chance)),
    )


async def _book(hall: Resource, span: Span, club: UUID, by: Actor, now: datetime) -> UUID:
    hold = await reservations.hold(Wish(hall.id, span, "training", Customer(club)), by=by, now=now)
    price = await db.value(int, "SELECT price_ore FROM reservation WHERE id = $1", hold) or 0
    await db.run(
        "UPDATE reservation SET account = (SELECT id FROM account WHERE email = 'ali@demo.test') WHERE id = $1",
        hold,
    )
    actor = await people.actor_of_account(
        await db.value(UUID, "SELECT id FROM account WHERE email = 'ali@demo.test'") or club, now
    )
    if actor is None:
        raise SystemExit("the demonstration has no association")
    terms = (await places.rules_on([hall.id], span.start.astimezone(SWEDEN).date()))[hall.id].terms
    return await reservations.reserve(
        hold,
        method="invoice",
        expected_ore=price,
        by=actor,
        now=now,
        return_url="http://127.0.0.1:9/{id}",
        terms_version=terms,
    )


async def clear(world: World) -> None:
    """The next round finds the hall empty."""
    leaves = sorted({leaf for hall in world.halls for leaf in hall.leaves})
    await db.run("DELETE FROM occupancy WHERE leaf = ANY($1)", leaves)
    await db.run("UPDATE reservation SET state = 'expired' WHERE state = 'held'")
