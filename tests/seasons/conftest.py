"""A round in Nordmaling over the wire, with the people of the demonstration."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from booking import db, postgres
from booking.app import create_app
from booking.clock import SWEDEN
from tests.api.conftest import Person, resource_named, running
from tests.conftest import settings_for

CLASSES = [
    {"sv": "Ungdom inomhus", "en": "Youth indoors", "kinds": ["association"], "activities": ["indoor_sport"], "oldest": 20},
    {"sv": "Övriga föreningar", "en": "Other associations", "kinds": ["association"]},
    {"sv": "Privatpersoner", "en": "Private persons"},
]  # fmt: skip
RULES: dict[str, Any] = {
    "classes": CLASSES, "weekday": {"opens": 960, "closes": 1320}, "weekend": None, "youth_until": 1200,
    "prime": {"opens": 960, "closes": 1170},
}  # fmt: skip


class Season:
    """Who takes part, and where."""

    def __init__(self, town: "Town") -> None:
        self.people, self.hall, self.half, self.parties = town.people, town.hall, town.half, town.parties
        self.round = ""
        town.used += 1
        first = datetime.now(SWEDEN).date() + timedelta(days=49 * town.used)
        self.monday = first - timedelta(days=first.weekday())

    @property
    def path(self) -> str:
        return f"/api/season-rounds/{self.round}"

    def body(self, **other: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "name": "Våren",
            "starts_on": str(self.monday),
            "ends_on": str(self.monday + timedelta(days=41)),
            "applies_from": (now - timedelta(days=1)).isoformat(),
            "applies_to": (now + timedelta(days=1)).isoformat(),
            "resource_ids": [self.hall["id"], self.half["id"]],
            "rules": RULES,
            **other,
        }

    def wish(self, title: str = "P14", **other: Any) -> dict[str, Any]:
        return {
            "title": title, "activity": "indoor_sport", "age_from": 12, "age_to": 14, "people": 20, "times": 1,
            "minutes": 120, "windows": [{"weekday": 1, "from": "18:00", "to": "20:00"}],
            "resource_ids": [self.hall["id"]], **other,
        }  # fmt: skip

    async def open(self) -> None:
        stina = self.people["stina"]
        made = await stina.post("/api/season-rounds", {"municipality": "2401", **self.body()})
        self.round = made["id"]
        await stina.post(f"{self.path}/open", {}, 200)

    async def apply(self, who: str, party: str, *wishes: dict[str, Any]) -> dict[str, Any]:
        body = {"party_id": self.parties[party], "wishes": list(wishes)}
        answer = await self.people[who].send("PUT", f"{self.path}/application", json=body)
        assert answer.status_code == 200, answer.text
        whose = {"party_id": self.parties[party]}
        return dict(await self.people[who].post(f"{self.path}/application/send", whose, 200))

    async def close(self) -> None:
        await self.people["stina"].post(f"{self.path}/close", {}, 200)

    async def propose(self) -> dict[str, Any]:
        return dict(await self.people["stina"].post(f"{self.path}/propose", {"seconds": 10}, 200))


@dataclass
class Town:
    """One application for all tests of a module; each has its own round, six weeks of its own."""

    people: dict[str, Person]
    hall: dict[str, Any]
    half: dict[str, Any]
    parties: dict[str, str]
    used: int = 0


@pytest.fixture(scope="module")
def season_database(server: postgres.Server, peopled: str) -> Iterator[str]:
    server.clone(peopled, "seasons")
    yield server.url(postgres.APP, "seasons")
    server.drop("seasons")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nordmaling(season_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    app = create_app(settings_for(season_database, tmp_path_factory.mktemp("keypads")))
    async with running(app):
        people = {name: Person(app) for name in ("ali", "eva", "sara", "stina")}
        parties = {}
        for name, person in people.items():
            await person.log_in(f"{name}@demo.test")
            for one in (await person.get("/api/me"))["identities"]:
                parties[one["name"]] = one["party_id"]
        hall = await resource_named(people["ali"], "2401", "hammarhallen hela")
        half = await resource_named(people["ali"], "2401", "hammarhallen södra")
        yield Town(people, hall, half, parties)
        for person in people.values():
            await person.http.aclose()


@pytest_asyncio.fixture(loop_scope="module")
async def season(nordmaling: Town) -> Season:
    """An open round over Hammarhallen and its southern half; nobody has applied."""
    made = Season(nordmaling)
    await made.open()
    return made


async def journal_of(round_id: str) -> list[str]:
    return await db.column(str, "SELECT action FROM journal WHERE about = $1 ORDER BY id", UUID(round_id))
