"""Two web processes, one database, two hundred rounds: the constraint decides, whichever process was asked."""

import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from booking.clock import at_local, utc_now
from booking.demo.state import free_port

ROOT = Path(__file__).parents[2]
ROUNDS, SEED = 200, 20261122
SHARING = ("Hela hallen", "Halva hallen, södra", "Badmintonbana 1")  # all need the first court


@pytest.fixture
def two_webs(world: str, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """The addresses of two `booking web` processes on one database."""
    with ExitStack() as stack:
        addresses = []
        for number in range(2):
            port = free_port()
            log = stack.enter_context((tmp_path / f"web{number}.log").open("wb"))
            environment = os.environ | {
                "DATABASE_URL": world,
                "BOOKING_SECRET_KEY": "07" * 32,
                "PORT": str(port),
                "BOOKING_DEMO": "1",
                "BOOKING_KEYPADS": str(tmp_path),
            }
            web = subprocess.Popen(
                [sys.executable, "-m", "booking", "web"], cwd=ROOT, env=environment, stdout=log, stderr=log
            )
            stack.callback(web.wait, 20)
            stack.callback(web.terminate)
            addresses.append(f"http://127.0.0.1:{port}")
        for address in addresses:
            await_ready(address, tmp_path)
        yield addresses[0], addresses[1]


def await_ready(address: str, logs: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(address + "/health/ready", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "".join(log.read_text() for log in logs.glob("*.log"))
        time.sleep(0.05)


@dataclass
class Client:
    """A visitor's browser on one of the two processes."""

    http: httpx.Client
    csrf: str

    def post_hold(self, wish: dict[str, Any]) -> httpx.Response:
        headers = {"X-CSRF-Token": self.csrf, "Idempotency-Key": str(uuid.uuid4())}
        return self.http.post("/api/holds", json=wish, headers=headers)

    def release(self, hold: str) -> None:
        answer = self.http.delete(f"/api/holds/{hold}", headers={"X-CSRF-Token": self.csrf})
        assert answer.status_code == 204, answer.text


def wishes(resources: dict[str, str], day: date, chance: random.Random) -> list[dict[str, Any]]:
    """Return two wishes of different lengths that overlap in time and share floor."""
    made = []
    for name, minutes in zip(
        chance.sample(SHARING, 2), chance.sample((60, 90, 120, 150, 180), 2), strict=True
    ):
        start = at_local(
            day.year, day.month, day.day, 18 * 60 - 30 * chance.randrange(2)
        )  # both cover 18:00–18:30
        end = start + timedelta(minutes=minutes)
        made.append(
            {
                "resource_id": resources[name],
                "start": start.isoformat(),
                "end": end.isoformat(),
                "home": "2401",
            }
        )
    chance.shuffle(made)
    return made


@pytest.mark.timeout(240)
def test_two_processes_hammered_with_overlapping_wishes__one_winner_per_round(
    two_webs: tuple[str, str],
) -> None:
    with ExitStack() as stack:
        clients = []
        for address in two_webs:
            http = stack.enter_context(httpx.Client(base_url=address, timeout=30))
            clients.append(Client(http, http.get("/api/me").json()["csrf"]))
        found = clients[0].http.get("/api/facilities/hammarhallen").json()["resources"]
        resources = {one["name"]: one["id"] for one in found}
        tally, chance, gate = Counter[str](), random.Random(SEED), threading.Barrier(2)
        begun, slowest = time.monotonic(), 0.0
        for number in range(ROUNDS):
            pair = wishes(resources, (utc_now() + timedelta(days=2 + number % 40)).date(), chance)
            answers: list[httpx.Response | None] = [None, None]

            def ask(who: int, wish: dict[str, Any], answers: list[httpx.Response | None] = answers) -> None:
                gate.wait(30)
                answers[who] = clients[who].post_hold(wish)

            threads = [threading.Thread(target=ask, args=(who, wish)) for who, wish in enumerate(pair)]
            started = time.monotonic()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            slowest = max(slowest, time.monotonic() - started)
            tally["winners of " + settle(clients, answers, number)] += 1
    seconds = time.monotonic() - begun
    print(
        f"\nrace: {ROUNDS} rounds in {seconds:.1f} s, {dict(tally)}, slowest round {slowest:.2f} s, seed {SEED}"
    )
    assert sum(tally.values()) == ROUNDS
    assert len(tally) == 2, "one process always won: that was no race"


def settle(clients: list[Client], answers: list[httpx.Response | None], number: int) -> str:
    """One has won and one has lost as they should; the time is free again. Returns who won."""
    told = [answer.status_code if answer is not None else None for answer in answers]
    assert sorted(told, key=str) == [201, 409], (number, [answer and answer.text for answer in answers])
    winner = told.index(201)
    won, lost = answers[winner], answers[1 - winner]
    assert won is not None
    assert lost is not None
    assert lost.headers["content-type"] == "application/problem+json"
    problem = lost.json()
    assert problem["code"] == "slot_taken"
    assert problem["alternatives"]["same_resource"], problem
    clients[winner].release(won.json()["id"])
    return f"process {winner + 1}"
