"""Series and closures over HTTP: from the preview to the last page, and the refusal that names bookings."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from booking.app import create_app
from booking.clock import SWEDEN
from tests.api.conftest import Person, resource_named, running
from tests.conftest import settings_for


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
