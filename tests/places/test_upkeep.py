"""What is derived from rules and hours is there after a migration, goes on with time, and is checked."""

import asyncio
import os
import subprocess
import sys
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from piccolo.apps.migrations.commands.forwards import ForwardsMigrationManager

from booking import db, places, postgres
from booking.clock import SWEDEN
from booking.migrate import migrate
from booking.people import Actor
from booking.places import Resource, RuleChange
from booking.places.open_days import AHEAD
from booking.settings import Settings
from booking.worker import keep_places

LAST_OF_THE_FIRST_RELEASE = "2026-11-22T17:30:00:000003"
A_TOWN_OF_THEN = """
INSERT INTO municipality (code, name, lat, lon, contact_email, contact_phone, on_call_phone)
  VALUES ('2401', 'Nordmaling', 63.5, 19.5, 'a@b.example', '1', '2');
INSERT INTO facility (id, municipality, slug, name, address, lat, lon)
  VALUES ('00000000-0000-7000-8000-000000000001', '2401', 'hallen', 'Hallen', 'Gatan 1', 63.5, 19.5);
INSERT INTO resource (id, facility, kind, slug, name, tariff_class, gap_min, step_min, min_min, max_min, notice_min,
    horizon_days)
  VALUES ('00000000-0000-7000-8000-000000000002', '00000000-0000-7000-8000-000000000001', 'hall', 'hallen-hela',
    'Hela hallen', 'hall', 15, 60, 90, 300, 120, 200);
INSERT INTO opening_hours (id, facility, weekday, opens_min, closes_min)
  SELECT gen_random_uuid(), '00000000-0000-7000-8000-000000000001', day, 480, 1320 FROM generate_series(0, 6) day;
"""


def test_a_database_of_the_first_release__has_rules_and_hours_after_booking_migrate(
    server: postgres.Server, now: datetime
) -> None:
    server.create("first_release")
    address = server.url(postgres.OWNER, "first_release")
    asyncio.run(_as_it_was(address))
    environment = {
        **os.environ,
        "DATABASE_URL": address,
        "BOOKING_SECRET_KEY": "00" * 32,
    }

    for expected in ("rules and opening hours of 2401 are in force", ""):
        done = subprocess.run(
            [sys.executable, "-m", "booking", "migrate"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert expected in done.stdout
    assert "in force" not in done.stdout

    asyncio.run(_all_is_there(address))
    server.drop("first_release")


async def _as_it_was(address: str) -> None:
    db.DB.config = {"dsn": address}
    done = await ForwardsMigrationManager(app_name="booking", migration_id=LAST_OF_THE_FIRST_RELEASE).run()
    assert done.success, done.message
    connection = await asyncpg.connect(address)
    await connection.execute(A_TOWN_OF_THEN)
    await connection.close()


async def _all_is_there(address: str) -> None:
    await migrate(address)
    await db.open_pool(address, 2)
    try:
        hall, today = UUID("00000000-0000-7000-8000-000000000002"), datetime.now(SWEDEN).date()
        rules = (await places.rules_on([hall], today))[hall]
        assert (rules.gap_min, rules.step_min, rules.min_min, rules.max_min) == (15, 60, 90, 300)
        assert (rules.notice_min, rules.horizon_days) == (120, 200)
        calendar = (await places.resource(hall)).calendar
        days = (await places.open_days([calendar], today, today + timedelta(days=6)))[calendar]
        assert [len(spans) for spans in days.values()] == [1] * 7
        assert await places.stale("2401", datetime.now(SWEDEN)) == []
    finally:
        await db.close_pool()


async def test_a_year_later__the_calendars_have_been_continued(town: Settings, now: datetime) -> None:
    later = now + timedelta(days=400)
    assert await places.roll_forward(now + timedelta(days=20)) == 0

    await keep_places(later)

    last = (later + AHEAD).astimezone(SWEDEN).date()
    behind = "SELECT count(*) FROM facility f WHERE NOT EXISTS (SELECT FROM open_day o WHERE o.calendar = f.id AND o.day = $1)"
    assert await db.value(int, behind, last) == 0
    assert await places.roll_forward(later) == 0
    for code in ("2401", "2284", "2460", "2480"):
        assert await places.stale(code, later) == []


async def test_a_resource_without_rules_or_days__gets_them(hall: Resource, now: datetime) -> None:
    assert await places.derive_missing(now) == []
    await db.run("DELETE FROM effective_rule WHERE resource = $1", hall.id)
    assert await places.derive_missing(now) == ["2401"]
    await db.run("DELETE FROM open_day WHERE calendar = $1", hall.calendar)
    assert await places.derive_missing(now) == ["2401"]
    assert await places.stale("2401", now) == []


async def test_what_nobody_derived__is_found(hall: Resource, clerk: Actor, now: datetime) -> None:
    await db.run("UPDATE effective_rule SET notice_min = 7 WHERE resource = $1", hall.id)
    tomorrow = (now + timedelta(days=1)).date()
    await db.run("UPDATE open_day SET spans = '{}' WHERE calendar = $1 AND day = $2", hall.calendar, tomorrow)
    await db.run("UPDATE resource SET calendar = id WHERE id = $1", hall.id)

    assert await places.stale("2401", now) == [
        "places 2401: 1 rules in force that no rule set gives",
        "places 2401: 1 rules that are not in force",
        "places 2401: 1 resources that follow the wrong calendar",
        "places 2401: 1 open days that differ from the hours",
    ]
    change = RuleChange(valid_from=now.date(), notice_min=30)
    await places.write_rules("resources", str(hall.id), change, by=clerk, now=now)
    week = places.NewSchedule("Ny", now.date(), None, ())
    await places.write_schedule("municipalities", "2401", None, week, by=clerk, now=now)
    assert await places.stale("2401", now) == []
