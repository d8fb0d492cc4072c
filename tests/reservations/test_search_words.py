"""Free text, facets, filters, empty answers, series and months of a search in the demonstration's towns."""

from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest

from booking import db, places, reservations
from booking.clock import SWEDEN
from booking.errors import Rejected
from booking.people import Actor
from booking.reservations import Customer, Query, Results, SeriesQuery, Wish
from booking.settings import Settings
from tests.reservations.conftest import day_after, on, thing

WHO = Customer(home="2401")


async def ask(now: datetime, **wishes: object) -> Results:
    query = Query(day_after(now, 1), municipalities=("2401",), customer=WHO, limit=100, **wishes)  # type: ignore[arg-type]
    return await reservations.search(query, now)


def kinds(found: Results) -> set[str]:
    return {hit.resource.kind for hit in found.results}


@pytest.mark.parametrize(
    ("text", "facility"),
    [
        ("Hammarhallen", "Hammarhallen"),
        ("gymnastiksalar", "Parkskolans gymnastiksal"),  # another form of the word
        ("ishallen vännäs", "Vännäs ishall"),
        ("ornskoldsvik", "Arken"),  # without the marks
        ("skolgatan", "Hammarhallen"),  # the address
        ("minibussar umeå", "Stadsbiblioteket Väven"),
        ("badminton", "Hammarhallen"),
        ("bil", "Kommunhuset"),
        ("meeting room", "Kommunhuset"),
    ],
)
async def test_words_people_use__find_the_place(
    town: Settings, now: datetime, text: str, facility: str
) -> None:
    query = Query(day_after(now, 1), text=text, limit=100)
    found = await reservations.search(query, now)
    assert facility in {hit.resource.facility.name for hit in found.results}
    assert found.did_you_mean is None
    assert found.total < 40


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("hamarhallen", "hammarhallen"),
        ("gymastiksal", "gymnastiksal"),
        ("nordmalling ishal", "nordmaling ishal"),
    ],
)
async def test_a_misspelt_word__finds_what_was_meant_and_says_so(
    town: Settings, now: datetime, text: str, meant: str
) -> None:
    found = await ask(now, text=text)
    assert found.did_you_mean is not None
    assert found.did_you_mean.startswith(meant)
    assert found.results


async def test_a_word_like_nothing__finds_nothing_and_says_which_filter(
    town: Settings, now: datetime
) -> None:
    found = await ask(now, text="xyzzyq")
    assert (found.total, found.did_you_mean) == (0, None)
    assert found.hint is not None
    assert found.hint.code == "no_match"
    assert found.hint.because[0].code == "text"
    assert found.hint.because[0].count > 40


async def test_signs_and_endings_in_the_text__are_harmless(town: Settings, now: datetime) -> None:
    for text in ("hall & | !", "':*", "(((", "och i på", "\\", "a" * 100, "%_", "hall:* <-> x"):
        await ask(now, text=text)


async def test_a_renamed_place__is_found_by_its_new_name_at_once(town: Settings, now: datetime) -> None:
    await db.run("UPDATE facility SET name = 'Tallkotten', address = 'Stigen 1' WHERE name = 'Rödviksvallen'")
    assert {hit.resource.facility.name for hit in (await ask(now, text="tallkotte")).results} == {
        "Tallkotten"
    }
    assert "Tallkotten" not in {
        hit.resource.facility.name for hit in (await ask(now, text="rödviksvallen")).results
    }


async def test_facets__count_what_every_other_filter_leaves(town: Settings, now: datetime) -> None:
    await db.run(
        "UPDATE resource SET features = '{planetarium}', surface = 'lava' WHERE name = 'Samlingssalen'"
    )
    found = await ask(now, kind="premises")
    assert kinds(found) == {"premises"}
    counts = {facet.value: facet.count for facet in found.facets.kind}
    assert {"hall", "premises"} <= set(counts)
    assert counts["premises"] == found.total
    assert sum(facet.count for facet in found.facets.municipality) == found.total
    assert ("planetarium", 1) in {(facet.value, facet.count) for facet in found.facets.features}
    assert [
        hit.resource.name for hit in (await ask(now, features=("planetarium",), surface="lava")).results
    ] == ["Samlingssalen"]
    assert (await ask(now, text="planetarium")).total == 1


async def test_filters__are_all_met(town: Settings, now: datetime) -> None:
    for hit in (await ask(now, min_capacity=100, min_area_m2=200, whole=True)).results:
        assert (hit.resource.capacity or 0) >= 100
        assert (hit.resource.area_m2 or 0) >= 200
        assert hit.resource.parent_id is None


async def test_two_filters_that_exclude_each_other__are_both_named(town: Settings, now: datetime) -> None:
    found = await ask(now, kind="premises", min_area_m2=5000)
    assert found.hint is not None
    assert found.hint.code == "no_match"
    assert {one.code for one in found.hint.because} == {"kind", "min_area"}


async def test_a_window_in_the_night__is_too_narrow_and_the_nearest_times_are_offered(
    town: Settings, now: datetime
) -> None:
    found = await ask(now, kind="ice", from_min=60, to_min=180)
    assert found.hint is not None
    assert found.hint.code == "too_narrow"
    assert {one.code for one in found.hint.because} == {"closed"}
    assert found.hint.next
    assert found.hint.next[0].price_ore


async def test_a_day_beyond_the_horizon__is_explained_by_the_rule(town: Settings, now: datetime) -> None:
    query = Query(day_after(now, 500), municipalities=("2401",), neighbours=False, customer=WHO, kind="ice")
    found = await reservations.search(query, now)
    assert found.hint is not None
    assert found.hint.code == "nothing_free"
    assert {one.code for one in found.hint.because} == {"not_open_yet"}
    assert [hit.reason for hit in found.results] == ["not_open_yet"]


async def test_pages__hold_every_resource_once_free_ones_first(town: Settings, now: datetime) -> None:
    seen: list[str] = []
    for offset in range(0, 60, 7):
        query = Query(
            day_after(now, 1),
            minutes=180,
            from_min=1140,
            to_min=1320,
            municipalities=("2401",),
            limit=7,
            offset=offset,
        )
        found = await reservations.search(query, now)
        seen += [f"{not hit.free}{hit.resource.id}" for hit in found.results]
    assert len(seen) == len(set(seen)) == found.total
    assert [one[:4] for one in seen] == sorted(one[:4] for one in seen)


async def test_sorted_by_price__the_cheapest_comes_first(town: Settings, now: datetime) -> None:
    prices = [hit.from_price_ore for hit in (await ask(now, sort="price")).results if hit.free]
    known = [price for price in prices if price is not None]
    assert known == sorted(known)
    assert known


async def test_own_town_comes_first__then_neighbours_by_distance_if_a_place_is_given(
    town: Settings, now: datetime
) -> None:
    found = await ask(now)
    flags = [hit.neighbour for hit in found.results if hit.free]
    assert flags == sorted(flags)
    assert True in flags
    near = await ask(now, near=(63.8258, 20.2630))
    far = [hit.distance_m or 0 for hit in near.results if hit.free]
    assert far == sorted(far)
    assert near.results[0].resource.facility.municipality.code == "2480"


async def test_the_autumn_of_a_hall__counts_free_tuesdays_and_names_those_missed(
    town: Settings, now: datetime
) -> None:
    hall = await thing("Norrskenshallen", "Hela hallen")
    first = day_after(now, 1)  # a Tuesday
    for weeks in (1, 3):
        span = on(first + timedelta(weeks=weeks), "19:00", 60)
        await reservations.hold(Wish(hall.id, span, "private", WHO), by=Actor(session=uuid4()), now=now)
    like = Query(first, 18 * 60, 20 * 60, 120, ("2401",), kind="hall", customer=WHO, purpose="training")
    found = await reservations.search_series(SeriesQuery(like, 1, first, first + timedelta(weeks=9)), now)
    hit = next(one for one in found.results if one.resource.id == hall.id)
    assert (hit.from_clock, hit.to_clock, hit.free_count, hit.of) == ("18:00", "20:00", 8, 10)
    assert [(one.date, one.reason) for one in hit.misses] == [
        (first + timedelta(weeks=1), "fully_booked"),
        (first + timedelta(weeks=3), "fully_booked"),
    ]
    assert hit.total_ore
    assert found.results[0].free_count == 10
    assert {
        one.first.astimezone(SWEDEN).hour for one in await tuesdays(hall.id, first, now) if one.first
    } == {7}


async def tuesdays(resource: object, first: date, now: datetime) -> list[reservations.MonthDay]:
    found = await reservations.month(resource, first.replace(day=1), 60, WHO, "private", now)  # type: ignore[arg-type]
    return [one for one in found.days if one.date.weekday() == 1]


async def test_dates_that_are_none_or_too_many__are_refused(town: Settings, now: datetime) -> None:
    like = Query(day_after(now, 1), customer=WHO)
    for last, code in ((day_after(now, 2), "no_dates"), (day_after(now, 700), "too_many_dates")):
        with pytest.raises(Rejected) as refused:
            await reservations.search_series(SeriesQuery(like, 4, day_after(now, 1), last), now)
        assert refused.value.code == code


async def test_a_month__tells_every_day_as_the_day_view_does(town: Settings, now: datetime) -> None:
    room = await thing("Kommunhuset", "Mötesrum Levar")
    found = await reservations.month(room.id, date(2026, 11, 1), 90, WHO, "private", now)
    assert [one.date.day for one in found.days] == list(range(1, 31))
    shown = await reservations.availability(room.id, date(2026, 11, 1), 30, 90, WHO, "private", now)
    for one, day in zip(found.days, shown.days, strict=True):
        free = [start.start for start in day.starts if start.free]
        assert (one.free_count, one.first) == (len(free), free[0] if free else None)
    assert found.days[0].reason == "past"


async def test_a_pool__is_free_while_any_unit_is_and_says_how_many(town: Settings, now: datetime) -> None:
    bus, car = [await thing("Kommunhuset", name) for name in ("Minibuss, 9 platser", "Elbil")]
    pool = uuid4()
    await db.run(
        "INSERT INTO resource (id, facility, kind, slug, name, tariff_class, picks_unit, calendar)"
        " SELECT $1, facility, 'vehicle', 'bilpool', 'Bilpoolen', 'car', true, calendar FROM resource WHERE id = $2",
        pool,
        bus.id,
    )
    await db.run(
        "UPDATE resource SET parent = $1 WHERE id = ANY($2)",
        pool,
        [bus.id, car.id],
    )
    first = day_after(now, 1)
    for one, clock in ((car, "08:00"), (bus, "09:00")):
        wish = Wish(one.id, on(first, clock, 120), "private", WHO)
        await reservations.hold(wish, by=Actor(session=uuid4()), now=now)
    found = await ask(now, text="bilpoolen", from_min=7 * 60, to_min=12 * 60)
    (hit,) = [one for one in found.results if one.resource.id == pool]
    units = {one.start.astimezone(SWEDEN).strftime("%H:%M"): one.units for one in hit.free}
    # The car is away 8–10 and the bus 9–11, each with half an hour after it.
    assert units == {"07:00": 2, "07:30": 1, "08:00": 1, "10:30": 1, "11:00": 1}
    assert not [one for one in (await ask(now, kind="vehicle")).results if one.resource.parent_id == pool]
    shown = await reservations.availability(pool, first, 1, 60, WHO, "private", now)
    free = {one.start.astimezone(SWEDEN).strftime("%H:%M"): one.free for one in shown.days[0].starts}
    assert all(free[clock] for clock in units)
    assert not free["09:00"]
    assert (await places.resource(pool)).picks_unit
