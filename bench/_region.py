"""A region to measure in: thousands of resources, a million bookings over two years, made by SQL."""

from datetime import datetime, timedelta

import asyncpg

from bench.common import progress, say
from booking import billing, db, places, postgres
from booking.demo.places import TOWNS
from booking.migrate import migrate

FACILITIES, DAYS = 1000, 730
TOWN_SIZES = {"2460": 2, "2480": 20, "2284": 200, "2401": 778}  # facilities of five resources each
STEP = 100_000

# Every facility: a hall in two halves (leaves 1, 2), a meeting room (3), a pitch (4).
_PLACES = """
INSERT INTO facility (id, municipality, slug, name, address, lat, lon)
  SELECT gen_random_uuid(), ($1::text[])[n], 'f' || n, 'Anläggning ' || n,
    'Vägen ' || n, 63.2 + (n * 7919 % 1000) / 1400.0, 18.7 + (n * 104729 % 1000) / 640.0
  FROM generate_series(1, cardinality($1::text[])) n;
"""
_THINGS = """
WITH part(name, kind, parent, tariff, area, leaves) AS (VALUES
  ('Hela hallen', 'hall', NULL, $1, 800, '{1,2}'::int[]), ('Halva hallen A', 'hall_part', 'Hela hallen', $1, 400, '{1}'),
  ('Halva hallen B', 'hall_part', 'Hela hallen', $1, 400, '{2}'), ('Mötesrum', 'premises', NULL, $1, 30, '{3}'),
  ('Konstgräset', 'pitch', NULL, $1, 7000, '{4}')),
leaf_of AS (
  INSERT INTO leaf (facility) SELECT f.id FROM facility f, generate_series(1, 4) ORDER BY f.slug RETURNING id, facility),
numbered AS (SELECT id, facility, row_number() OVER (PARTITION BY facility ORDER BY id) AS n FROM leaf_of),
made AS (
  INSERT INTO resource (id, facility, kind, slug, name, tariff_class, area_m2, calendar)
  SELECT gen_random_uuid(), f.id, p.kind, f.slug || '-' || row_number() OVER (PARTITION BY f.id ORDER BY p.name),
    p.name, p.tariff, p.area, f.id FROM facility f, part p RETURNING id, facility, name)
INSERT INTO resource_leaf (resource, leaf)
  SELECT m.id, n.id FROM made m JOIN part p USING (name) JOIN numbered n ON n.facility = m.facility AND n.n = ANY(p.leaves)
"""
_PARENTS = """
UPDATE resource r SET parent = w.id FROM resource w WHERE w.facility = r.facility AND w.name = 'Hela hallen'
  AND r.kind = 'hall_part'
"""
# A wish per facility, day, two-hour slot and floor; the evening is asked for four times as often as the morning.
# What lands in one batch is a random sample of the whole two years, so that 100 k and 1 M differ in size only.
_SLOTS = """
CREATE UNLOGGED TABLE slot AS
SELECT row_number() OVER (ORDER BY random()) AS n, * FROM (
  SELECT f.id AS facility, f.municipality, d.day, s.s AS slot, floor.what, random() / (CASE WHEN s.s >= 5 THEN 4 ELSE 1 END) AS luck
  FROM facility f, generate_series($1::timestamp, $1::timestamp + make_interval(days => $2::int - 1), '1 day') d(day), generate_series(0, 6) s(s),
    LATERAL (SELECT CASE WHEN random() < 0.3 THEN ARRAY['Hela hallen'] ELSE ARRAY['Halva hallen A', 'Halva hallen B'] END
             || ARRAY['Mötesrum', 'Konstgräset'] AS names WHERE f.id IS NOT NULL AND d.day IS NOT NULL AND s.s IS NOT NULL) chosen,
    LATERAL unnest(chosen.names) AS floor(what)) every
WHERE luck < $3
"""
_BOOK = """
WITH wish AS (
  SELECT gen_random_uuid() AS id, r.id AS resource, s.municipality, s.facility,
    ((s.day + make_interval(hours => 8 + 2 * s.slot)) AT TIME ZONE 'Europe/Stockholm') AS starts_at
  FROM slot s JOIN resource r ON r.facility = s.facility AND r.name = s.what WHERE s.n > $1 AND s.n <= $2),
booked AS (
  INSERT INTO reservation (id, resource, municipality, party, state, starts_at, ends_at, purpose, price_ore, price, created_at)
  SELECT id, resource, municipality, $3, 'confirmed', starts_at, starts_at + interval '2 hours', 'training', 0, '{}', starts_at
  FROM wish RETURNING id, resource, starts_at, ends_at)
INSERT INTO occupancy (leaf, reservation, starts_at, ends_at)
SELECT l.leaf, b.id, b.starts_at, b.ends_at FROM booked b JOIN resource_leaf l ON l.resource = b.resource
"""
_ALONE = "occupancy_one_at_a_time EXCLUDE USING gist (leaf WITH =, tstzrange(starts_at, ends_at) WITH &&)"


async def found(server: postgres.Server, database: str, now: datetime) -> None:
    """The region stands in a new database: places, rules, open days, price lists, wishes; nothing booked."""
    server.create(database)
    await migrate(server.url(postgres.OWNER, database))
    owner = await asyncpg.connect(server.url(postgres.OWNER, database))
    codes = [town.code for town in TOWNS]
    for town in TOWNS:
        await owner.execute(
            "INSERT INTO municipality (code, name, lat, lon, contact_email, contact_phone, on_call_phone)"
            " VALUES ($1, $2, $3, $4, 'a@example.se', '0', '0')",
            town.code,
            town.name,
            town.lat,
            town.lon,
        )
    await owner.execute(
        'INSERT INTO neighbour (id, "of", "to") SELECT gen_random_uuid(), a.code, b.code'
        " FROM municipality a, municipality b WHERE a.code <> b.code"
    )
    await owner.execute(
        "INSERT INTO party (id, kind, name, home_municipality, created_at)"
        " VALUES (gen_random_uuid(), 'association', 'IF Mätningen', '2401', $1)",
        now,
    )
    await owner.execute(_PLACES, [code for code, many in TOWN_SIZES.items() for _ in range(many)])
    await owner.execute(_THINGS.replace("$1", "'meeting_room'"))
    await owner.execute(_PARENTS)
    await owner.execute(
        "INSERT INTO opening_schedule (id, facility, name, valid_from)"
        " SELECT gen_random_uuid(), id, 'Ordinarie', '2000-01-01' FROM facility"
    )
    await owner.execute(
        "INSERT INTO opening_hours (id, schedule, weekday, opens_min, closes_min)"
        " SELECT gen_random_uuid(), s.id, d, 480, 1320 FROM opening_schedule s, generate_series(0, 6) d"
    )
    await db.open_pool(server.url(postgres.APP, database), 2, statement_timeout="0")
    with progress("rules and open days", len(codes)) as more:
        for code in codes:
            await billing.publish(billing.shipped(code), now=now)
            await places.refresh_rules(code)
            await places.refresh_hours(code, now)
            more(1)
    await db.close_pool()
    say("drawing two years of wishes …")
    await owner.execute("SELECT setseed(0.5)")
    await owner.execute("SET work_mem = '256MB'")
    first = now.date() - timedelta(days=DAYS // 2)
    share = 0.0285  # a little more than a million
    await owner.execute(
        _SLOTS.replace("$1::timestamp", f"'{first}'::timestamp")
        .replace("$2::int", str(DAYS))
        .replace("$3", str(share))
    )
    await owner.execute("CREATE UNIQUE INDEX ON slot (n)")
    say(f"{await owner.fetchval('SELECT count(*) FROM slot')} wishes")
    await owner.close()


async def book_until(server: postgres.Server, database: str, count: int) -> None:
    """Exactly so many bookings stand, each in the leaves of its resource; statistics are fresh."""
    owner = await asyncpg.connect(server.url(postgres.OWNER, database))
    have = await owner.fetchval("SELECT count(*) FROM reservation")
    party = await owner.fetchval("SELECT id FROM party")
    if have < count:
        # One by one a million rows would be checked; the constraint checks them all at once when it comes back.
        await owner.execute("ALTER TABLE occupancy DROP CONSTRAINT IF EXISTS occupancy_one_at_a_time")
        with progress(f"{count} bookings", count - have) as more:
            for low in range(have, count, STEP):
                high = min(low + STEP, count)
                await owner.execute(_BOOK, low, high, party)
                more(high - low)
        say("the exclusion constraint checks them all …")
        await owner.execute("SET maintenance_work_mem = '512MB'")
        await owner.execute(f"ALTER TABLE occupancy ADD CONSTRAINT {_ALONE}")
        await owner.execute("VACUUM ANALYZE")
    await owner.close()
