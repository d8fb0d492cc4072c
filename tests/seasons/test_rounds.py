"""A round from its opening to the booked series, over the wire and on a real database."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from booking import db
from tests.seasons.conftest import RULES, Season, journal_of

pytestmark = pytest.mark.asyncio(loop_scope="module")
IBK, LEVAR, EVA = "Nordmalings IBK", "Levar IF", "Eva Lind"


def wish_of(plan: dict[str, Any], title: str) -> dict[str, Any]:
    return next(one for one in plan["wishes"] if one["title"] == title)


async def refusal(season: Season, who: str, method: str, path: str, body: Any = None) -> tuple[int, str]:
    answer = await season.people[who].send(method, path, json=body)
    return answer.status_code, answer.json()["code"]


async def three_wishes(season: Season) -> None:
    """IBK's youth and Levar's youth want the hall on Tuesday; Eva wants half of it then."""
    late = [{"weekday": 1, "from": "18:00", "to": "20:00"}, {"weekday": 2, "from": "18:00", "to": "20:00", "primary": False}]  # fmt: skip
    await season.apply("ali", IBK, season.wish("Innebandy P14"))
    await season.apply("ali", LEVAR, season.wish("Fotboll F12", windows=late))
    half = {"resource_ids": [season.half["id"]], "activity": "exercise", "age_from": 30, "age_to": 40}
    await season.apply("eva", EVA, season.wish("Badminton", **half))
    await season.close()


async def test_a_round__is_applied_for_proposed_decided_and_told(season: Season) -> None:
    ali, stina = season.people["ali"], season.people["stina"]
    await three_wishes(season)
    plan = await season.propose()
    assert plan["proposal"]["unproven"] == []
    ibk, levar, eva = (wish_of(plan, title) for title in ("Innebandy P14", "Fotboll F12", "Badminton"))
    assert [(one["weekday"], one["from"], one["primary"]) for one in ibk["allocations"]] == [
        (1, "18:00", True)
    ]
    assert [(one["weekday"], one["primary"]) for one in levar["allocations"]] == [(2, False)]
    assert (eva["rank"], eva["allocations"], eva["missing"]["reason"]) == (3, [], "higher_class")
    assert [one["party"]["name"] for one in eva["missing"]["by"]] == [IBK]
    assert plan["prime_youth_minutes"] == plan["prime_minutes"] == 180
    before = await ali.get(f"{season.path}/application", party_id=season.parties[IBK])
    assert (before["decided"], before["wishes"][0]["allocations"]) == (False, [])

    progress = await stina.post(f"{season.path}/publish", {"most": 1}, 200)
    assert progress == {"done": 1, "left": 1, "refused": 0}
    assert await stina.post(f"{season.path}/publish", {}, 200) == {"done": 2, "left": 0, "refused": 0}
    assert await stina.post(f"{season.path}/publish", {}, 200) == {"done": 2, "left": 0, "refused": 0}

    page = await ali.get(f"{season.path}/application", party_id=season.parties[IBK])
    (given,) = page["wishes"][0]["allocations"]
    series = await ali.get(f"/api/series/{given['series_id']}")
    assert len(series["occurrences"]) == 6
    assert {one["state"] for one in series["occurrences"]} == {"confirmed"}
    actions = await journal_of(season.round)
    assert actions.count("season.booked") == 2
    assert actions[-1] == "season.decided"
    told = await db.column(str, "SELECT payload FROM outbox WHERE kind = 'message.owe' ORDER BY id")
    assert sum('"season_decided"' in one and season.round in one for one in told) == 3
    assert any('"series_confirmed"' in one and season.parties[IBK] in one for one in told)


async def test_a_date_that_is_booked__is_skipped_with_its_reason(season: Season) -> None:
    """An event on the second Tuesday: five of six dates are booked, and the sixth says why."""
    stina = season.people["stina"]
    await three_wishes(season)
    tuesday = season.monday + timedelta(days=8)
    event = {
        "municipality": "2401", "category": "event", "title": "Marknad", "resource_ids": [season.half["id"]],
        "start": f"{tuesday}T12:00:00Z", "end": f"{tuesday}T21:00:00Z",
    }  # fmt: skip
    await stina.post("/api/blocks", {"wish": event})
    await season.propose()
    await stina.post(f"{season.path}/publish", {}, 200)
    plan = await stina.get(f"{season.path}/plan")
    (given,) = wish_of(plan, "Innebandy P14")["allocations"]
    assert given["skipped"] == [{"date": str(tuesday), "reason": "blocked"}]


async def test_a_lock_by_hand__stays_when_it_is_proposed_again(season: Season) -> None:
    stina = season.people["stina"]
    await three_wishes(season)
    plan = await season.propose()
    (mine,) = wish_of(plan, "Fotboll F12")["allocations"]
    move = {"to": {"resource_id": season.hall["id"], "weekday": 3, "from": "17:00", "to": "19:00"}, "reason": "Enligt möte"}  # fmt: skip
    moved = await stina.send("PATCH", f"/api/season-rounds/allocations/{mine['id']}", json=move)
    assert moved.status_code == 200, moved.text
    again = await season.propose()
    (kept,) = wish_of(again, "Fotboll F12")["allocations"]
    assert (kept["weekday"], kept["from"], kept["state"], kept["reason"]) == (
        3,
        "17:00",
        "locked",
        "Enligt möte",
    )
    clash = {"wish_id": wish_of(again, "Badminton")["id"], "at": {"resource_id": season.half["id"], "weekday": 3, "from": "18:00", "to": "19:00"}}  # fmt: skip
    assert await refusal(season, "stina", "POST", f"{season.path}/allocations", clash) == (409, "place_given")
    clash["at"] = {**clash["at"], "weekday": 4}
    given = await stina.post(f"{season.path}/allocations", clash)
    (by_hand,) = wish_of(given, "Badminton")["allocations"]
    assert (by_hand["by_hand"], by_hand["state"], wish_of(given, "Badminton")["missing"]) == (
        True,
        "locked",
        None,
    )
    gone = await stina.send("DELETE", f"/api/season-rounds/allocations/{by_hand['id']}")
    assert wish_of(gone.json(), "Badminton")["missing"]["times"] == 1
    assert {"season.moved", "season.given", "season.removed"} <= set(await journal_of(season.round))


async def test_publishing_that_was_cut_off_and_pressed_thrice__books_nothing_twice(season: Season) -> None:
    await three_wishes(season)
    await season.propose()
    stina = season.people["stina"]
    await stina.post(f"{season.path}/publish", {"most": 1}, 200)
    every = [stina.post(f"{season.path}/publish", {"again": True}, 200) for _ in range(3)]
    assert {(one["done"], one["left"]) for one in await asyncio.gather(*every)} == {(2, 0)}
    plan = await stina.get(f"{season.path}/plan")
    named = {one["series_id"] for wish in plan["wishes"] for one in wish["allocations"]}
    assert len(named) == 2
    booked = await db.value(
        int, "SELECT count(*) FROM reservation WHERE series = ANY($1)", [UUID(one) for one in named]
    )
    assert booked == 12
    assert (await journal_of(season.round)).count("season.decided") == 1


async def test_an_application__can_be_changed_and_withdrawn_until_the_round_closes(season: Season) -> None:
    ali, party = season.people["ali"], season.parties[IBK]
    sent = await season.apply("ali", IBK, season.wish())
    assert sent["state"] == "sent"
    whose = {"party_id": party}
    assert (await ali.post(f"{season.path}/application/withdraw", whose, 200))["state"] == "withdrawn"
    body = {"party_id": party, "wishes": [season.wish("P15")]}
    saved = await ali.send("PUT", f"{season.path}/application", json=body)
    assert (saved.json()["state"], saved.json()["wishes"][0]["title"]) == ("draft", "P15")
    assert await refusal(season, "stina", "POST", f"{season.path}/propose", {}) == (409, "round_still_open")
    await season.close()
    answer = await refusal(season, "ali", "PUT", f"{season.path}/application", body)
    assert answer == (409, "round_not_accepting")
    assert await refusal(season, "stina", "POST", f"{season.path}/propose", {}) == (422, "no_wishes")


async def test_a_wish_that_the_round_cannot_answer__is_refused(season: Season) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"minutes": 45}, "wish_length"),
        ({"windows": [{"weekday": 1, "from": "20:00", "to": "18:00"}]}, "wish_windows"),
        ({"times": 2}, "wish_days"),
        ({"age_from": 15}, "wish_ages"),
        ({"resource_ids": ["00000000-0000-0000-0000-000000000001"]}, "wish_resources"),
    ]
    for change, code in wrong:
        body = {"party_id": season.parties[IBK], "wishes": [season.wish(), season.wish(**change)]}
        answer = await season.people["ali"].send("PUT", f"{season.path}/application", json=body)
        assert (answer.status_code, answer.json()["code"], answer.json()["wish"]) == (422, code, 1)


async def test_rules_that_contradict_themselves__are_refused(season: Season) -> None:
    for wrong, code in (
        ({"ends_on": str(season.monday - timedelta(days=1))}, "round_days"),
        ({"rules": {**RULES, "weekday": {"opens": 1320, "closes": 960}}}, "round_hours"),
        ({"rules": {**RULES, "shortest": 300}}, "round_lengths"),
    ):
        body = {"municipality": "2401", **season.body(**wrong)}
        assert await refusal(season, "stina", "POST", "/api/season-rounds", body) == (422, code)


async def test_others__see_neither_drafts_nor_applications_nor_plans(season: Season) -> None:
    await season.apply("ali", IBK, season.wish())
    draft = await season.people["stina"].post("/api/season-rounds", {"municipality": "2401", **season.body()})
    for who, path in (
        ("sara", f"/api/season-rounds/{draft['id']}"),
        ("sara", f"{season.path}/plan"),
        ("ali", f"{season.path}/plan"),
        ("sara", f"{season.path}/application?party_id={season.parties[IBK]}"),
    ):
        assert (await refusal(season, who, "GET", path))[0] == 404
    body = {"party_id": season.parties[IBK], "wishes": []}
    assert await refusal(season, "sara", "PUT", f"{season.path}/application", body) == (
        403,
        "may_not_act_for",
    )
    listed = (await season.people["sara"].get("/api/season-rounds"))["rounds"]
    mine = [one for one in listed if one["id"] == season.round]
    assert [(one["mine"], one["sent"]) for one in mine] == [([], None)]
    assert draft["id"] not in {one["id"] for one in listed}
