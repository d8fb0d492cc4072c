"""The demonstration's places hold what the pages promise to show."""

from datetime import datetime

from booking import db, places, reservations
from booking.settings import Settings
from tests.reservations.conftest import thing

# A part that has a leaf which the nearest whole above it lacks; pools have none of their own.
_OUTSIDE = """
WITH RECURSIVE up (resource, id, parent) AS (
  SELECT r.id, p.id, p.parent FROM resource r JOIN resource p ON p.id = r.parent
  UNION ALL SELECT up.resource, p.id, p.parent FROM up JOIN resource q ON q.id = up.id AND q.picks_unit
    JOIN resource p ON p.id = q.parent)
SELECT r.slug FROM up JOIN resource r ON r.id = up.resource JOIN resource w ON w.id = up.id AND NOT w.picks_unit
WHERE EXISTS (SELECT leaf FROM resource_leaf WHERE resource = r.id
  EXCEPT SELECT leaf FROM resource_leaf WHERE resource = w.id)
"""


async def test_the_ground__is_laid_soundly(town: Settings, now: datetime) -> None:
    assert await db.column(str, _OUTSIDE) == []
    bare = "SELECT slug FROM resource r WHERE picks_unit = EXISTS (SELECT FROM resource_leaf WHERE resource = r.id)"
    assert await db.column(str, bare) == []
    for code in ("2401", "2284", "2460", "2480"):
        assert await places.stale(code, now) == []
    assert await reservations.wrong_leaves(now) == []


async def test_every_resource__is_described(town: Settings) -> None:
    silent = "SELECT slug FROM resource WHERE '' IN (description, instructions, accessibility)"
    assert await db.column(str, silent) == []
    plain = "SELECT slug FROM resource WHERE kind <> 'equipment' AND kind <> 'vehicle' AND (surface IS NULL AND kind <> 'bike' OR features = '{}')"
    assert await db.column(str, plain) == []


async def test_every_price_class__is_on_the_list_or_free_equipment(town: Settings, now: datetime) -> None:
    from booking import billing

    for code in ("2401", "2284", "2460", "2480"):
        listed = await billing.resource_classes(code, now.date())
        used = await db.column(
            str,
            "SELECT DISTINCT r.tariff_class FROM resource r JOIN facility f ON f.id = r.facility"
            " WHERE f.municipality = $1",
            code,
        )
        assert set(used) - set(listed) <= {"equipment"}


async def test_the_hall_of_vannas__is_divided_in_halves_and_thirds(town: Settings, now: datetime) -> None:
    page = await places.resource_page((await thing("Vännäs idrottshall", "Hela hallen")).id, now)

    assert [one.name for one in page.parts] == [
        "Tredjedel 1", "Tredjedel 2", "Tredjedel 3", "Halva hallen A", "Halva hallen B",
    ]  # fmt: skip
    assert {one.name: one.capacity for one in page.equipment} == {
        "Innebandysarg": 1,
        "Mattor": 10,
        "Plintar": 4,
    }


async def test_seasons_and_exceptions__are_in_the_open_days(town: Settings, now: datetime) -> None:
    ice = await places.resource_page((await thing("Vännäs ishall", "Isen")).id, now)
    pool = await places.resource_page((await thing("Nordmalings simhall", "Simbassängen")).id, now)

    assert {one.reason for one in ice.exceptions_ahead} == {"Julhelgen"}
    assert {"Jul", "Nyårsafton", "Nyårsdagen"} <= {one.reason for one in pool.exceptions_ahead}
    july = datetime(2027, 7, 1).date()  # noqa: DTZ001 a date
    calendars = [(await thing("Vännäs ishall", "Isen")).calendar, (await thing("Nordmalings simhall", "Simbassängen")).calendar]  # fmt: skip
    assert all(days[july] == [] for days in (await places.open_days(calendars, july, july)).values())
