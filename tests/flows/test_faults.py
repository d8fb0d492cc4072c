"""kill -9 of any part, and of everything's supervisor, in mid-story: it completes, and nothing happens twice."""

import asyncio
import contextlib
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from booking import billing, db, postgres
from booking.check.story import Story
from booking.people import Actor
from tests.flows.demo import Demo

ROOT = Path(__file__).parents[2]
SEED = 20261122
DOOR = "the door's controller"
PARTS = ("web", "worker", "broker", "stripe", DOOR)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    state = Path(tempfile.mkdtemp(prefix="booking-faults-"))
    state.chmod(0o711)  # root's database runs as nobody, who must get through
    one = Demo(state)
    try:
        one.start()
        yield one
    finally:
        one.stop()
        postgres.remove(state)
        shutil.rmtree(state, ignore_errors=True)


@pytest.fixture
def story(demo: Demo) -> Iterator[Story]:
    one = Story(demo.url)
    yield one
    one.close()


@pytest.fixture
def second_worker(demo: Demo) -> Iterator[subprocess.Popen[bytes]]:
    """Another `booking worker` of the same product; any number may run."""
    with (demo.state / "second-worker.log").open("wb") as out:
        environment = os.environ | demo.facts().environment
        command = [sys.executable, "-m", "booking", "worker"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out)
        yield process
        process.terminate()
        process.wait(30)


@dataclass
class Killer:
    """Kills one part at a random moment while a step of the story runs."""

    demo: Demo
    chance: random.Random
    done: Counter[str]

    def strike(self, part: str, story: Story, step: str) -> threading.Thread:
        delay = self.chance.choice((0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8))

        def act() -> None:
            time.sleep(delay)  # the random point, not a wait for anything
            name = controller_of(story) if part == DOOR else part
            pid = self.demo.kill(name)
            self.done[part] += 1
            print(f"  killed {name} ({pid}) {delay} s into {step}", flush=True)

        thread = threading.Thread(target=act)
        thread.start()
        return thread


def controller_of(story: Story) -> str:
    """Return the part that holds the doors of the hall that the story is about (any, before it is chosen)."""
    resource = story.hold.get("resource") or {
        "facility": {"slug": "hammarhallen", "municipality": {"code": "2401"}}
    }
    facility = resource["facility"]
    return "door-" + f"{facility['municipality']['code']}-{facility['slug']}"[:32].rstrip("-")


@pytest.mark.timeout(420)
def test_every_part_is_killed_in_mid_story__it_completes_and_nothing_happens_twice(
    demo: Demo, story: Story
) -> None:
    print(f"\nfaults: seed {SEED}")
    killer = Killer(demo, random.Random(SEED), Counter())
    deck = list(PARTS) * 3
    killer.chance.shuffle(deck)
    for name, step in story.steps():
        thread = killer.strike(deck.pop(), story, name)
        step()
        thread.join()
    print(f"  {dict(killer.done)}")
    while short := [part for part in PARTS if killer.done[part] < 2]:
        killer.strike(short[0], story, "the end").join()
    demo.await_all_up()
    assert_once(demo, story)


@pytest.mark.timeout(420)
def test_the_supervisor_is_killed_in_mid_story__the_next_start_goes_on(
    demo: Demo, story: Story, second_worker: subprocess.Popen[bytes]
) -> None:
    steps = dict(story.steps())
    names = list(steps)
    for name in names[: names.index("pay")]:
        steps[name]()
    crash = threading.Thread(target=lambda: (time.sleep(0.1), demo.kill_supervisor(), demo.start()))
    crash.start()  # while she pays
    for name in names[names.index("pay") :]:
        steps[name]()
    crash.join()
    assert "processes that a killed start had left behind" in demo.said()
    assert second_worker.poll() is None, "a worker lives through a database and a broker that go and come"
    assert_once(demo, story)


def assert_once(demo: Demo, story: Story) -> None:
    """Nothing was lost, charged, paid, invoiced or promised twice, and codes work in their window only."""
    story.door_follows_window()
    facts = asyncio.run(_look(demo.facts().environment["DATABASE_URL"], story))
    assert facts == {
        "charges of the paid booking": 1,
        "payments of the paid booking": 1,
        "codes of the paid booking": 1,
        "charges of the association": 1,
        "invoice lines of the association": 1,
        "refunds": 0,
        "broken books": [],
        "debts left": 0,
    }
    paid = [one for one in demo.at_stripe("/v1/payment_intents", "2284") if one["status"] == "succeeded"]
    ours = [one for one in demo.at_stripe("/v1/checkout/sessions", "2284") if story.paid["id"] in str(one)]
    assert len([one for one in ours if one["payment_status"] == "paid"]) == 1
    assert {one["payment_intent"] for one in ours if one["payment_status"] == "paid"} <= {
        one["id"] for one in paid
    }


COUNTS = {
    "charges of the paid booking": ("SELECT count(*) FROM charge WHERE source = $1", "paid"),
    "payments of the paid booking": ("SELECT count(*) FROM payment WHERE source = $1", "paid"),
    "codes of the paid booking": ("SELECT count(*) FROM access_grant WHERE reservation = $1", "paid"),
    "charges of the association": ("SELECT count(*) FROM charge WHERE source = $1", "club"),
    "invoice lines of the association": (
        "SELECT count(*) FROM invoice_line l JOIN charge c ON c.id = l.charge WHERE c.source = $1",
        "club",
    ),
    "refunds": (
        "SELECT count(*) FROM refund r JOIN payment p ON p.id = r.payment WHERE p.source = $1",
        "paid",
    ),
}


async def _look(address: str, story: Story) -> dict[str, Any]:
    await db.open_pool(address, 1)
    try:
        found: dict[str, Any] = {
            name: await db.value(int, sql, UUID(str(getattr(story, whose)["id"])))
            for name, (sql, whose) in COUNTS.items()
        }
        found["broken books"] = await billing.invariants(by=Actor.system())
        found["debts left"] = await _debts()
        return found
    finally:
        await db.close_pool()


async def _debts() -> int:
    """Return how many debts the worker has not paid within a minute."""
    left = 1
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(60):
            while left:
                left = await db.value(int, "SELECT count(*) FROM outbox") or 0
                await asyncio.sleep(0.2)
    return left
