"""libres on the same server with the same opening hours and bookings: installed aside, filled by SQL, timed apart."""

import json
import os
import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

import asyncpg

from bench.common import progress, say
from booking import postgres
from booking.clock import SWEDEN, at_local

HERE = Path(__file__).parent
DAYS = 28  # libres stores every day of every resource and every slot taken: a month of it is plenty

_ALLOCATIONS = """
INSERT INTO libres.allocations (resource, type, mirror_of, "group", quota, quota_limit, partly_available, approve_manually,
  timezone, _start, _end, _raster, created)
SELECT o.theirs, 'generic', o.theirs, gen_random_uuid(), 1, 0, true, false, 'Europe/Stockholm',
  ((d.day + interval '8 hours') AT TIME ZONE 'Europe/Stockholm') AT TIME ZONE 'UTC',
  ((d.day + interval '22 hours') AT TIME ZONE 'Europe/Stockholm') AT TIME ZONE 'UTC' - interval '1 microsecond', 30, now()
FROM libres.of o CROSS JOIN generate_series($1::timestamp, $1::timestamp + make_interval(days => $2::int - 1), '1 day') d(day)
"""
# A slot is taken for every resource that shares a leaf with the booking, as the exclusion constraint has it.
_SLOTS = """
INSERT INTO libres.reserved_slots (resource, start, "end", allocation_id, source_type, reservation_token, source_id, created)
SELECT DISTINCT ON (a.resource, s) a.resource, s, s + interval '30 minutes' - interval '1 microsecond', a.id, 'reservation',
  b.reservation, 1, now()
FROM occupancy b JOIN resource_leaf l ON l.leaf = b.leaf JOIN libres.of o ON o.ours = l.resource
  JOIN libres.allocations a ON a.resource = o.theirs AND a._start <= b.starts_at AT TIME ZONE 'UTC'
    AND a._end >= b.starts_at AT TIME ZONE 'UTC'
  CROSS JOIN generate_series(b.starts_at AT TIME ZONE 'UTC', b.ends_at AT TIME ZONE 'UTC' - interval '1 second', '30 minutes') s
WHERE b.starts_at >= $1 AND b.starts_at < $2
"""


class Rival:
    """libres with its month of data."""

    def __init__(self, server: postgres.Server, database: str, packages: Path, first: date) -> None:
        self.first = first
        self._server, self._database, self._packages = server, database, packages

    @property
    def _dsn(self) -> str:
        return self._server.url(postgres.OWNER, self._database) + "?options=-csearch_path%3Dlibres"

    def _run(self, job: dict[str, object]) -> dict[str, object]:
        done = subprocess.run(
            [sys.executable, str(HERE / "_libres.py")],
            input=json.dumps({"dsn": self._dsn, **job}),
            env={**os.environ, "PYTHONPATH": str(self._packages)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return dict(json.loads(done.stdout))

    async def fill(self) -> None:
        """A month of allocations and reserved slots stands in the schema `libres`."""
        owner = await asyncpg.connect(self._server.url(postgres.OWNER, self._database))
        if await owner.fetchval("SELECT to_regclass('libres.of') IS NULL"):
            await owner.execute("CREATE SCHEMA IF NOT EXISTS libres")
            names = [str(row[0]) for row in await owner.fetch("SELECT id FROM resource")]
            theirs = self._run({"do": "prepare", "names": names})
            with progress(f"libres: {DAYS} days of {len(names)} resources", 3) as more:
                await owner.execute("CREATE TABLE libres.of (ours uuid PRIMARY KEY, theirs uuid NOT NULL)")
                await owner.copy_records_to_table("of", schema_name="libres", records=list(theirs.items()))
                more(1)
                await owner.execute(_ALLOCATIONS, datetime.combine(self.first, datetime.min.time()), DAYS)
                more(1)
                end = self.first + timedelta(days=DAYS)
                edges = [at_local(day.year, day.month, day.day, 0) for day in (self.first, end)]
                await owner.execute(_SLOTS, *edges)
                await owner.execute("VACUUM ANALYZE")
                more(1)
        await owner.close()

    def search(self, how: str, names: list[str], days: list[date], minutes: int) -> tuple[list[float], int]:
        """Return how long each search took in ms, and how many free starts there were on the last day."""
        say(f"libres ({how}): {len(names)} resources, {len(days)} rounds")
        # In local time: search_allocations takes date and clock apart.
        spans = [
            [
                at_local(day.year, day.month, day.day, minute).astimezone(SWEDEN).isoformat()
                for minute in (0, 1439)
            ]
            for day in days
        ]
        told = self._run({"do": how, "names": names, "days": spans, "minutes": minutes})
        return list(told["ms"]), int(str(told["free"]))  # type: ignore[call-overload]


def packages(folder: Path) -> Path:
    """Return a folder with libres in it, installed there if it is not."""
    if not (folder / "libres").is_dir():
        say("installing libres aside …")
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-qq",
            "--disable-pip-version-check",
            "--target",
            str(folder),
        ]
        subprocess.run([*pip, "-r", str(HERE / "requirements-libres.txt")], check=True, stdout=sys.stderr)
    return folder
