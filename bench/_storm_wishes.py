"""The wishes of a round: each a request, and what it would take."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx

from bench._storm_world import Client, World, moment_of, random_span
from bench._web import OWNER
from booking.clock import SWEDEN, at_local
from booking.places import Resource
from booking.span import Span

HONEST = {"slot_taken", "affected_bookings", "block_overlaps"}
PATHS = ("single", "single", "single", "single", "series", "block", "approval", "move")


@dataclass
class Try:
    """One wish of a round: the request, what it would take (leaf, from, until), and the answer."""

    client: Client
    path: str
    url: str
    body: dict[str, Any]
    takes: list[tuple[int, datetime, datetime]]
    status: int = 0
    code: str = ""
    worse: str = ""

    @property
    def won(self) -> bool:
        """True if the client was told that it got the time."""
        return self.status in (200, 201)


def wishes_of(world: World, number: int, count: int, chance: random.Random, now: datetime) -> list[Try]:
    """Return so many wishes, by random paths, that all cover the round's moment."""
    moment, made = moment_of(number, now), list[Try]()
    requests, movers = list(world.requests[number]), list(world.movers[number])
    for index in range(count):
        path = chance.choice(PATHS)
        if path == "approval" and requests:
            made.append(_approval(world, requests.pop(), chance))
        elif path == "move" and movers:
            made.append(_move(world, movers.pop(), chance))
        elif path == "series":
            made.append(_series(world, moment, chance))
        elif path == "block":
            made.append(_block(world, moment, chance))
        else:
            made.append(_single(world, world.residents[index], moment, chance))
    chance.shuffle(made)
    return made


def _takes(world: World, hall: Resource, span: Span) -> list[tuple[int, datetime, datetime]]:
    until = span.end + timedelta(minutes=world.rules[hall.id].gap_min)
    return [(leaf, span.start, until) for leaf in hall.leaves]


def _times(span: Span) -> dict[str, str]:
    return {"start": span.start.isoformat(), "end": span.end.isoformat()}


def _single(world: World, client: Client, moment: datetime, chance: random.Random) -> Try:
    hall = chance.choice(world.halls)
    span = random_span(moment, world.rules[hall.id], chance)
    body = {"resource_id": str(hall.id), "purpose": "training", **_times(span)}
    return Try(client, "single", "/api/holds", body, _takes(world, hall, span))


def _series(world: World, moment: datetime, chance: random.Random) -> Try:
    hall = chance.choice(world.halls)
    first = random_span(moment, world.rules[hall.id], chance)
    wall = first.start.astimezone(SWEDEN)
    close = first.end.astimezone(SWEDEN)
    spans = []
    for week in range(3):
        day = wall.date() + timedelta(days=7 * week)
        start = at_local(day.year, day.month, day.day, wall.hour * 60 + wall.minute)
        spans.append(Span(start, start + first.length))
    wish = {
        "resource_id": str(hall.id),
        "party_id": str(world.club),
        "purpose": "training",
        "first": {"date": str(wall.date()), "from": f"{wall:%H:%M}", "to": f"{close:%H:%M}"},
        "rrule": "FREQ=WEEKLY;COUNT=3",
    }
    body = {
        "wish": wish,
        "method": "invoice",
        "occurrences": [_times(span) for span in spans],
        "expected_total_ore": 0,
    }
    takes = [one for span in spans for one in _takes(world, hall, span)]
    return Try(chance.choice(world.clubs), "series", "/api/series", body, takes)


def _block(world: World, moment: datetime, chance: random.Random) -> Try:
    several = chance.sample(world.halls, chance.choice((1, 1, 2)))
    span = random_span(moment, world.rules[several[0].id], chance)
    wish = {
        "municipality": OWNER,
        "category": "maintenance",
        "title": "Storm",
        "reason": "Golvet lagas",
        "resource_ids": [str(one.id) for one in several],
        **_times(span),
    }
    takes = [one for hall in several for one in _takes(world, hall, span)]
    return Try(chance.choice(world.staff), "block", "/api/blocks", {"wish": wish}, takes)


def _approval(world: World, request: UUID, chance: random.Random) -> Try:
    hall, span = world.targets[request]
    return Try(
        chance.choice(world.staff),
        "approval",
        f"/api/requests/{request}/approve",
        {},
        _takes(world, hall, span),
    )


def _move(world: World, mover: UUID, chance: random.Random) -> Try:
    hall, span = world.targets[mover]
    body = {"resource_id": str(hall.id), **_times(span)}
    return Try(
        chance.choice(world.clubs), "move", f"/api/reservations/{mover}/move", body, _takes(world, hall, span)
    )


async def send_wish(one: Try) -> None:
    """The wish has its answer; `worse` says what is neither a success nor an honest refusal."""
    try:
        answer = await _priced(one) if one.path == "series" else await one.client.send(one.url, one.body)
    except httpx.TransportError as error:
        one.code = one.worse = type(error).__name__
        return
    one.status = answer.status_code
    if not one.won:
        told = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        one.code = str(told.get("code", answer.status_code))
        if one.status != 409 or one.code not in HONEST:
            one.worse = f"{one.path}: {answer.status_code} {one.code} {told.get('detail', '')}"


async def _priced(one: Try) -> httpx.Response:
    """A series says the sum it saw; who does not know it yet is told by the first answer."""
    answer = await one.client.send(one.url, one.body)
    if answer.status_code == 409 and answer.json().get("code") == "price_changed":
        one.body["expected_total_ore"] = answer.json()["total_ore"]
        answer = await one.client.send(one.url, one.body)
    return answer
