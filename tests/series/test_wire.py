"""Series and closures over HTTP: from the preview to the last page, and the refusal that names bookings."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from booking import db
from booking.app import create_app
from booking.clock import SWEDEN
from tests.api.conftest import Person, resource_named, running
from tests.conftest import settings_for

BAD: dict[str, list[tuple[Any, str]]] = {
    "approve": [({"surprise": 1}, "invalid_request"), ({"taken": "all"}, "invalid_request"),
                ({"others": 1}, "invalid_request"), ({"reason": "a\u0000"}, "invalid_request"), ([], "invalid_request")],
    "reject": [({}, "invalid_request"), ({"reason": ""}, "invalid_request"),
               ({"reason": None}, "invalid_request"), ({"reason": "x" * 5000}, "invalid_request")],
}  # fmt: skip


async def test_a_club_books_changes_and_ends_a_series__and_staff_close_the_hall(
    world: str, tmp_path: Path
) -> None:
    app = create_app(settings_for(world, tmp_path))
    async with running(app):
        ali, stina = Person(app), Person(app)
        me = await ali.log_in("ali@demo.test")
        await stina.log_in("stina@demo.test")
        me = await ali.get("/api/me")
        party = next(one["party_id"] for one in me["identities"] if one["name"] == "Nordmalings IBK")
        hall = await resource_named(ali, "2401", "norrskenshallen hela")
        day = (datetime.now(UTC) + timedelta(days=7)).astimezone(SWEDEN).date()
        wish = {
            "resource_id": hall["id"],
            "party_id": party,
            "first": {"date": str(day), "from": "18:00", "to": "20:00"},
            "rrule": "FREQ=WEEKLY;COUNT=4",
        }
        shown = await ali.post("/api/series/preview", wish, 200)
        assert [one["status"] for one in shown["occurrences"]] == ["free"] * 4
        body = {
            "wish": wish,
            "method": "invoice",
            "occurrences": [{"start": one["start"], "end": one["end"]} for one in shown["occurrences"]],
            "expected_total_ore": shown["total_ore"],
        }
        series = await ali.post("/api/series", body)
        again = await ali.post("/api/series", body, 409)
        assert again["code"] == "slot_taken"
        assert len(again["occurrence"]) == 4
        change = {"scope": "all", "new": {"from": "19:00", "to": "21:00"}, "dry_run": True}
        dry = await ali.post(f"/api/series/{series['id']}/change", change, 200)
        assert [one["status"] for one in dry["occurrences"]] == ["free"] * 4
        change = change | {"dry_run": False, "expected_total_ore": dry["total_ore"]}
        moved = await ali.post(f"/api/series/{series['id']}/change", change, 200)
        assert "19.00–21.00" in moved["rule_text_sv"]
        first = moved["occurrences"][0]
        closing = {
            "municipality": "2401",
            "category": "closure",
            "title": "Golvslipning",
            "resource_ids": [hall["id"]],
            "start": first["start"],
            "end": first["end"],
        }
        preview = await stina.post("/api/blocks/preview", closing, 200)
        assert [one["reservation"]["id"] for one in preview["affected"]] == [first["id"]]
        refused = await stina.post("/api/blocks", {"wish": closing}, 409)
        assert refused["code"] == "affected_bookings"
        assert [one["id"] for one in refused["affected"]] == [first["id"]]
        deeds = [{"reservation_id": first["id"], "deed": "cancel"}]
        block = await stina.post("/api/blocks", {"wish": closing, "affected": deeds})
        assert [one["outcome"] for one in block["displaced"]] == ["cancelled"]
        lifted = await stina.post(f"/api/blocks/{block['id']}/lift", {}, 200)
        assert lifted["rows"] == []
        dry = await ali.post(f"/api/series/{series['id']}/cancel", {"scope": "all", "dry_run": True}, 200)
        assert dry["count"] == 3
        ended = await ali.post(f"/api/series/{series['id']}/cancel", {"scope": "all"}, 200)
        assert ended["ended_at"]
        listed = await ali.get("/api/series")
        assert [(one["id"], one["left"]) for one in listed["series"]] == [(series["id"], 0)]
        for one in (ali, stina):
            await one.http.aclose()


@pytest.mark.parametrize("deed", ["approve", "reject"])
async def test_a_requested_series_is_decided__once_however_often_it_is_sent(
    world: str, tmp_path: Path, deed: str
) -> None:
    app = create_app(settings_for(world, tmp_path))
    async with running(app):
        ali, stina = Person(app), Person(app)
        await ali.log_in("ali@demo.test")
        await stina.log_in("stina@demo.test")
        me = await ali.get("/api/me")
        party = next(one["party_id"] for one in me["identities"] if one["name"] == "Nordmalings IBK")
        hall = await resource_named(ali, "2401", "norrskenshallen hela")
        await db.run("UPDATE effective_rule SET needs_approval = true WHERE resource = $1", UUID(hall["id"]))
        day = (datetime.now(UTC) + timedelta(days=7)).astimezone(SWEDEN).date()
        first = {"date": str(day), "from": "18:00", "to": "20:00"}
        wish = {"resource_id": hall["id"], "party_id": party, "first": first, "rrule": "FREQ=WEEKLY;COUNT=4"}
        shown = await ali.post("/api/series/preview", wish, 200)
        chosen = [{"start": one["start"], "end": one["end"]} for one in shown["occurrences"]]
        order = {"wish": wish, "method": "invoice", "occurrences": chosen}
        series = await ali.post("/api/series", {**order, "expected_total_ore": shown["total_ore"]})
        path = f"/api/series/{series['id']}/{deed}"

        assert (await ali.post(path, {"reason": "Ja"}, 404))["code"] == "not_found"
        for body, code in BAD[deed]:
            assert (await stina.post(path, body, 400))["code"] == code, body
        assert (await stina.post(f"/api/series/{party}/{deed}", {"reason": "x"}, 404))["code"] == "not_found"
        (entry,) = (await stina.get("/api/requests", municipality="2401"))["requests"]
        assert (entry["whole"]["id"], entry["whole"]["count"]) == (series["id"], 4)
        opened = await stina.get("/api/requests", municipality="2401", series=series["id"])
        assert [one["id"] for one in opened["requests"]] == [one["id"] for one in series["occurrences"]]
        assert opened["requests"][0]["whole"] is None

        key = {"Idempotency-Key": str(uuid4())}
        answers = [await stina.send("POST", path, json={"reason": "Beslut"}, headers=key) for _ in range(2)]
        assert [one.status_code for one in answers] == [200, 200]
        assert answers[0].text == answers[1].text
        approved = 4 if deed == "approve" else 0
        assert answers[0].json() == {
            "series_id": series["id"], "approved": approved, "rejected": 4 - approved, "waiting": 0, "missed": []
        }  # fmt: skip
        again = await stina.post(path, {"reason": "Beslut"}, 409)
        assert again["code"] == "already_decided"
        done = await stina.get("/api/requests", municipality="2401", state="decided")
        assert (done["total"], done["requests"][0]["whole"]["granted"]) == (1, approved)
        for one in (ali, stina):
            await one.http.aclose()
