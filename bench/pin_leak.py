"""Is a code to be found in clear anywhere but in its door and on its booker's page?

`./run bench pin-leak [--json]`. The whole demo runs, its codes ten digits long so that none is met by chance. The
story is played over HTTP, a participant's and staff's codes are made, codes are typed; every code that the vault
holds by then is searched for in the broker's file, every message, every log, a dump of the database and its files:
as ASCII, UTF-16, hex, base64 and reversed. Not searched: the controllers' own memory (it must compare codes) and
what the booker's browser was shown.
"""

import argparse
import asyncio
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from booking import broker, db, locks, postgres
from booking.check.story import Story
from booking.clock import utc_now
from booking.locks import codes, pin_rules, vault
from booking.people import Actor
from booking.postgres.place import elsewhere
from tests.controller.parts import Process, RunningBroker
from tests.doors_chaos.eve import Eve, operate
from tests.flows.demo import Demo

ROOT = Path(__file__).resolve().parents[1]
LENGTH = 10
# Every Python process of the run draws longer codes; nothing else is changed.
LONGER = f"""\
import sys
from importlib.abc import MetaPathFinder
class Longer(MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "booking.locks.pin_rules":
            sys.meta_path.remove(self)
            from booking.lockwire import pins
            pins.DEFAULT_LENGTH = {LENGTH}
sys.meta_path.insert(0, Longer())
"""

ASCII = re.compile(rb"[0-9]{%d,}" % LENGTH)
WIDE = re.compile(rb"(?:[0-9]\x00){%d,}|(?:\x00[0-9]){%d,}" % (LENGTH, LENGTH))
HEX = re.compile(rb"(?:3[0-9]){%d,}" % LENGTH)
BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{14,}")
Say = Callable[[str], None]


def found_in(octets: bytes, pins: set[bytes], *, deep: bool = True) -> set[bytes]:
    """Return which codes stand in the octets, in whatever of these forms; `deep` looks into base64, too."""
    found = _among(ASCII.findall(octets), pins)
    found |= _among((one.replace(b"\x00", b"") for one in WIDE.findall(octets)), pins)
    found |= _among((one[1::2] for one in HEX.findall(octets)), pins)
    if deep:
        for text in BASE64.findall(octets):
            plain = text.translate(bytes.maketrans(b"-_", b"+/"))
            for start in range(4):
                part = plain[start:]
                part += b"A" * (-len(part) % 4)
                found |= _among(ASCII.findall(base64.b64decode(part)), pins)
    return found


def _among(runs: Iterable[bytes], pins: set[bytes]) -> set[bytes]:
    """Return the codes within runs of digits, forwards or backwards."""
    found = set()
    for run in runs:
        for start in range(len(run) - LENGTH + 1):
            part = run[start : start + LENGTH]
            found |= {part, part[::-1]} & pins
    return found


def _must_find() -> None:
    """A search that finds nothing proves nothing: it finds a code that was put there, in every form."""
    pin = b"2718281828"
    words = b"kod: " + pin
    forms = (
        pin,
        pin[::-1],
        pin.decode().encode("utf-16-le"),
        pin.decode().encode("utf-16-be"),
        pin.hex().encode(),
    )
    based = tuple(base64.b64encode(b"x" * shift + words) for shift in range(3))
    for form in (*forms, *based, base64.urlsafe_b64encode(words)):
        if found_in(b"before:" + form + b";after", {pin}) != {pin}:
            raise SystemExit(f"the search is blind for {form!r}")


async def _make_codes(environment: dict[str, str]) -> None:
    """Staff's and an association's codes are made; the booking's is changed where a door refuses it."""
    now = utc_now()
    for role in ("staff", "clean"):
        wish = locks.Wish(municipality="2401", role=role, label="Prov", valid_from=now)  # type: ignore[arg-type]
        await locks.create_credential(wish, by=Actor.system(), now=now)
    soon = now + timedelta(seconds=60)
    while await db.value(int, "SELECT count(*) FROM outbox WHERE kind LIKE 'locks.%'"):
        if utc_now() > soon:
            break
        await asyncio.sleep(0.2)


async def _planted() -> set[bytes]:
    """Return every code that the vault holds."""
    pins = set()
    for row in await db.rows(_Code, "SELECT id, pin FROM access_grant WHERE pin IS NOT NULL"):
        pins.add(codes.read_pin(row.id, row.pin).encode())
    return {pin for pin in pins if len(pin) == LENGTH}


class _Code(db.Record):
    id: UUID
    pin: bytes


def _spy(state: Path, url: str) -> Eve:
    """Return an account at the demo's broker that hears every topic."""
    made = broker.Broker((), {}, "", "mosquitto", url, url)
    return operate(RunningBroker(state, made, Process([], state / "log")))


def run(say: Say) -> dict[str, object]:
    """Return what was planted, how much of it was found, and where was searched."""
    _must_find()
    pin_rules.PREFERRED = LENGTH  # in this process, too
    place = Path(tempfile.mkdtemp(prefix="booking-leak-"))
    place.chmod(0o711)
    hook, state = place / "hook", place / "state"
    hook.mkdir()
    state.mkdir(mode=0o711)
    (hook / "sitecustomize.py").write_text(LONGER)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(hook), str(ROOT)])
    demo = Demo(state)
    try:
        say("starting the demo")
        demo.start()
        return _search(demo, state, say)
    finally:
        os.environ.pop("PYTHONPATH")
        if before is not None:
            os.environ["PYTHONPATH"] = before
        demo.stop()
        postgres.remove(state)
        shutil.rmtree(place, ignore_errors=True)


def _search(demo: Demo, state: Path, say: Say) -> dict[str, object]:
    environment = demo.facts().environment
    vault.open_vault(bytes.fromhex(environment["BOOKING_SECRET_KEY"]))
    ours = Path(environment["MQTT_ACCOUNTS"])
    asyncio.run(_accounts_settled(environment["DATABASE_URL"]))
    spy = _spy(ours, "mqtt://" + environment["MQTT_URL"].rpartition("@")[2])
    story = Story(demo.url)
    for name, step in story.steps():
        say(name)
        step()
        if name == "code_applied":
            shared = f"/api/reservations/{story.paid['id']}/access/shares"
            story.eva.post(shared, {"label": "P12"})
    story.close()
    pins = asyncio.run(_rest(environment))
    time.sleep(2)  # mosquitto writes its file once a second
    heard = spy.all_heard()
    if spy.say("operator/may", b"") >= 0x80:
        raise SystemExit("the broker's accounts were written anew: nobody listened to every topic")
    spy.stop()
    places = _places(state, ours, heard)
    rows, everywhere = [], set[bytes]()
    for name, octets, deep in places:
        found = found_in(octets, pins, deep=deep)
        everywhere |= found
        rows.append({"place": name, "bytes": len(octets), "found": len(found)})
        say(f"{name}: {len(octets):,} bytes, {len(found)} found")
    return {"planted": len(pins), "found_in_clear": len(everywhere), "places": rows}


async def _accounts_settled(address: str) -> None:
    """The worker writes the broker's accounts no more: the listener's right would go with it."""
    await db.open_pool(address, 1)
    try:
        deadline = time.monotonic() + 120
        while await db.value(int, "SELECT count(*) FROM outbox WHERE kind = 'locks.account'"):
            if time.monotonic() > deadline:
                raise SystemExit("the controllers' accounts were not settled within 120 s")
            await asyncio.sleep(0.2)
    finally:
        await db.close_pool()


async def _rest(environment: dict[str, str]) -> set[bytes]:
    await db.open_pool(environment["DATABASE_URL"], 2)
    try:
        await _make_codes(environment)
        return await _planted()
    finally:
        await db.close_pool()


Place = tuple[str, bytes, bool]


def _places(state: Path, ours: Path, heard: list[tuple[str, bytes, bool]]) -> Iterable[Place]:
    """Yield each place's name, its octets, and whether base64 is looked into."""
    yield "topics and payloads of every message", b"\n".join(t.encode() + b" " + p for t, p, _ in heard), True
    for file in sorted((ours / "data").glob("*")):
        yield f"broker file {file.name}", file.read_bytes(), True
    yield (
        "pg_dump: events, journal, outbox, messages, answers kept for repeats",
        _dump(state),
        True,
    )
    skipped = {"controller.db", "controller.db-wal", "controller.db-shm"}
    for file in sorted(one for one in state.rglob("*") if one.is_file() and one.name not in skipped):
        if ours in file.parents:
            continue
        with suppress(OSError):
            in_database = "postgres" in file.relative_to(state).parts
            if in_database and file.suffix != ".log":
                continue
            yield f"file {file.relative_to(state)}", file.read_bytes(), True
    for file in sorted(one for one in ours.rglob("*") if one.is_file() and one.parent.name != "data"):
        yield f"broker's {file.relative_to(ours)}", file.read_bytes(), True
    yield "files of the database, its log of changes included", b"\n".join(_database_files(state)), False


def _dump(state: Path) -> bytes:
    """Return pg_dump of the whole database, past row security, as the superuser of the demo's own server."""
    server = postgres.start(state)  # adopts the one that runs
    command = [server.programs / "pg_dump", "--dbname", server.url(postgres.SUPERUSER, postgres.DATABASE)]
    done = subprocess.run(command, capture_output=True, check=False, cwd="/")
    if done.returncode or b"COPY public.access_grant" not in done.stdout:
        raise SystemExit(f"pg_dump failed: {done.stderr.decode()}")
    return done.stdout


def _database_files(state: Path) -> Iterable[bytes]:
    homes = {state / "postgres", *elsewhere(state)}
    for home in homes:
        for part in ("base", "pg_wal"):
            for file in (home / "data" / part).rglob("*"):
                with suppress(OSError):
                    if file.is_file():
                        yield file.read_bytes()


def main() -> int:
    """Run, print one JSON line, and fail if a code was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one JSON line; it is printed in any case")
    parser.parse_args()
    facts = run(lambda text: print(text, file=sys.stderr, flush=True))
    print(json.dumps(facts))
    return 1 if facts["found_in_clear"] or not facts["planted"] else 0


if __name__ == "__main__":
    sys.exit(main())
