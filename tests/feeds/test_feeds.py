"""Calendar addresses: secret, revocable, and never more than their owner may see that day."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import icalendar
import vobject

from booking import db, places
from booking.api.feeds import hide_secret
from booking.clock import utc_now
from booking.reservations.writing import NewRow, Part, take
from booking.span import Span
from tests.api.conftest import Enter, Person, resource_named


async def _book(who: Person, later: Any, title: str = "Hemlig cup", days: int = 5) -> dict[str, Any]:
    me = await who.get("/api/me")
    party = next(one["party_id"] for one in me["identities"] if one["name"] == "Nordmalings IBK")
    resource = (await resource_named(who, "2401", "norrskenshallen hela"))["id"]
    wish = {"resource_id": resource, "start": later(days, 16), "end": later(days, 18), "party_id": party,
            "purpose": "training", "title": title}  # fmt: skip
    hold = await who.post("/api/holds", wish)
    body = {"hold_id": hold["id"], "method": "invoice", "expected_price_ore": hold["price"]["total_ore"], "terms_accepted": True}  # fmt: skip
    return dict(await who.post("/api/reservations", body))


async def _feed(who: Person, **what: Any) -> dict[str, Any]:
    return dict(await who.post("/api/feeds", what))


async def _read(who: Person, feed: dict[str, Any], **headers: str) -> httpx.Response:
    return await who.http.get(feed["url"].removeprefix("http://localhost:8000"), headers=headers)


def _events(answer: httpx.Response) -> list[Any]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    parsed = list(icalendar.Calendar.from_ical(answer.content).walk("VEVENT"))
    other = getattr(vobject.readOne(answer.text), "vevent_list", [])
    assert [str(one["UID"]) for one in parsed] == [one.uid.value for one in other]
    return parsed


async def test_a_booking_made_moved_on_and_cancelled__keeps_its_uid_and_counts_up(person: Enter, later: Any) -> None:  # fmt: skip
    ali, visitor = await person("ali@demo.test"), await person(None)
    made = await _book(ali, later)
    feed = await _feed(ali, kind="account")

    (before,) = _events(await _read(visitor, feed))
    await ali.send("POST", f"/api/reservations/{made['id']}/cancel", json={})
    (after,) = _events(await _read(visitor, feed))

    assert str(before["UID"]) == str(after["UID"]) == f"{made['id']}@booking"
    assert (str(before["STATUS"]), str(after["STATUS"])) == ("CONFIRMED", "CANCELLED")
    assert int(after["SEQUENCE"]) > int(before["SEQUENCE"])
    assert after["LAST-MODIFIED"].dt >= before["LAST-MODIFIED"].dt
    assert "Hemlig cup" in str(before["SUMMARY"])


async def test_an_unchanged_calendar__is_304_until_it_changes(person: Enter, later: Any) -> None:
    ali = await person("ali@demo.test")
    feed = await _feed(ali, kind="account")
    first = await _read(ali, feed)

    same = await _read(ali, feed, **{"If-None-Match": first.headers["etag"]})
    await _book(ali, later)
    other = await _read(ali, feed, **{"If-None-Match": first.headers["etag"]})

    assert (same.status_code, same.content) == (304, b"")
    assert other.status_code == 200


async def test_a_resource__is_taken_to_the_public_and_named_to_its_staff(person: Enter, later: Any) -> None:
    ali, stina, eva = [await person(f"{name}@demo.test") for name in ("ali", "stina", "eva")]
    made = await _book(ali, later)
    resource = made["resource"]["id"]

    open_to_all = await (await person(None)).http.get(f"/api/resources/{resource}/calendar.ics")
    evas = await _read(eva, await _feed(eva, kind="resource", resource_id=resource))
    stinas = await _read(stina, await _feed(stina, kind="resource", resource_id=resource))

    for answer in (open_to_all, evas):
        (event,) = _events(answer)
        assert str(event["SUMMARY"]) == "Upptaget"
        for secret in ("Nordmalings IBK", "Hemlig cup", made["id"], made["number"]):
            assert secret not in answer.text
    assert "Nordmalings IBK" in str(_events(stinas)[0]["DESCRIPTION"])


async def test_a_part_of_a_hall__is_taken_when_the_whole_is(person: Enter, later: Any) -> None:
    ali = await person("ali@demo.test")
    await _book(ali, later)
    part = (await resource_named(ali, "2401", "norrskenshallen halva"))["id"]

    answer = await ali.http.get(f"/api/resources/{part}/calendar.ics", params={"language": "en"})

    assert [str(one["SUMMARY"]) for one in _events(answer)] == ["Busy"]


async def test_who_leaves_the_association__loses_its_calendar(person: Enter, later: Any) -> None:
    ali = await person("ali@demo.test")
    made = await _book(ali, later)
    feed = await _feed(ali, kind="party", party_id=made["party"]["id"])
    assert len(_events(await _read(ali, feed))) == 1

    await db.run("UPDATE membership SET valid_to = $1", date(2026, 1, 1))

    assert _events(await _read(ali, feed)) == []


async def test_a_renewed_and_a_revoked_address__open_nothing(person: Enter) -> None:
    ali = await person("ali@demo.test")
    old = await _feed(ali, kind="account")

    new = (await ali.send("POST", f"/api/feeds/{old['id']}/renew")).json()
    assert (await _read(ali, old)).status_code == 404
    assert (await _read(ali, new)).status_code == 200
    assert (await ali.get("/api/feeds"))["feeds"][0]["url"] == new["url"] != old["url"]

    assert (await ali.send("DELETE", f"/api/feeds/{new['id']}")).status_code == 204
    gone = await _read(ali, new)
    assert (gone.status_code, gone.json()["code"]) == (410, "feed_revoked")
    assert (await ali.get("/api/feeds"))["feeds"] == []


async def test_a_guessed_address__is_404(person: Enter) -> None:
    ali = await person("ali@demo.test")
    feed = await _feed(ali, kind="account")
    name = feed["url"].rsplit("/", 1)[-1]

    for guess in (name[:-6] + "AA" + name[-4:], "A" * 64 + ".ics", name[::-1], "x.ics"):
        answer = await ali.http.get(f"/api/feeds/ics/{guess}")
        assert answer.status_code in (400, 404), guess


async def test_another_ones_feed__looks_absent(person: Enter) -> None:
    ali, eva = await person("ali@demo.test"), await person("eva@demo.test")
    feed = await _feed(ali, kind="account")
    club = next(one for one in (await ali.get("/api/me"))["identities"] if one["kind"] == "association")

    assert (await eva.send("DELETE", f"/api/feeds/{feed['id']}")).status_code == 404
    assert (await eva.send("POST", f"/api/feeds/{feed['id']}/renew")).status_code == 404
    foreign = await eva.send("POST", "/api/feeds", json={"kind": "party", "party_id": club["party_id"]})
    assert (foreign.status_code, foreign.json()["code"]) == (403, "may_not_act_for")
    assert (await eva.get("/api/feeds"))["feeds"] == []


async def test_a_feed_about_nothing_in_particular__is_refused(person: Enter) -> None:
    eva = await person("eva@demo.test")

    for body in ({"kind": "party"}, {"kind": "account", "resource_id": str(UUID(int=1))}):
        answer = await eva.send("POST", "/api/feeds", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "feed_subject")


async def test_a_code__is_in_no_calendar_and_no_secret_in_the_table(person: Enter, later: Any) -> None:
    ali, stina = await person("ali@demo.test"), await person("stina@demo.test")
    made = await _book(ali, later)
    pin = (await ali.get(f"/api/reservations/{made['id']}/access"))["pin"]
    feeds = [
        (ali, await _feed(ali, kind="account")),
        (stina, await _feed(stina, kind="resource", resource_id=made["resource"]["id"])),
    ]

    for who, feed in feeds:
        assert pin not in [word for event in _events(await _read(who, feed)) for word in str(event).split()]
        assert f" {pin}" not in (await _read(who, feed)).text
        secret = feed["url"].rsplit("/", 1)[-1].removesuffix(".ics")
        rows = await db.column(str, "SELECT row_to_json(f)::text FROM feed f")
        assert not any(secret[24:] in row for row in rows)


async def test_a_long_cancelled_booking__is_forgotten(person: Enter, later: Any) -> None:
    ali = await person("ali@demo.test")
    made = await _book(ali, later)
    feed = await _feed(ali, kind="account")
    await ali.send("POST", f"/api/reservations/{made['id']}/cancel", json={})

    await db.run("UPDATE reservation SET cancelled_at = $1", utc_now() - timedelta(days=31))

    assert _events(await _read(ali, feed)) == []


def test_the_access_log__has_no_secret_address() -> None:
    import logging

    path = "/api/feeds/ics/" + "A" * 64 + ".ics"
    record = logging.LogRecord("uvicorn.access", 20, "", 0, '%s - "%s %s HTTP/%s" %d', ("::1", "GET", path, "1.1", 200), None)  # fmt: skip

    assert hide_secret(record)
    assert "AAAA" not in record.getMessage()
    assert "GET /api/feeds/ics/…" in record.getMessage()


async def test_a_closure_and_a_request__are_in_the_calendar_as_what_they_are(person: Enter, later: Any) -> None:  # fmt: skip
    ali, stina = await person("ali@demo.test"), await person("stina@demo.test")
    resource = await resource_named(ali, "2401", "norrskenshallen hela")
    whole = await places.resource(UUID(resource["id"]))
    mine = next(one for one in (await ali.get("/api/me"))["identities"] if one["name"] == "Nordmalings IBK")
    block = UUID(int=7)
    await db.run(
        "INSERT INTO staff_block (id, municipality, category, title, created_at)"
        " VALUES ($1, '2401', 'closure', 'Golvslipning', now())",
        block,
    )
    at = [Span(_instant(later(days, 16)), _instant(later(days, 18))) for days in (5, 6, 7)]
    common: dict[str, Any] = {"municipality": "2401", "purpose": "other", "created_at": utc_now()}
    part = (Part(whole.id, tuple(whole.leaves)),)
    asks: dict[str, Any] = {
        "state": "requested",
        "party": UUID(mine["party_id"]),
        "method": "invoice",
        **common,
    }
    rows = [
        NewRow(
            id=UUID(int=1), parts=part, span=at[0], state="confirmed", kind="block", block=block, **common
        ),
        NewRow(id=UUID(int=2), parts=part, span=at[1], **asks),
        NewRow(id=UUID(int=3), parts=part, span=at[2], takes_time=False, **asks),
    ]
    await take(rows, now=utc_now())

    public = _events(await ali.http.get(f"/api/resources/{whole.id}/calendar.ics"))
    staff = _events(await _read(stina, await _feed(stina, kind="resource", resource_id=str(whole.id))))
    own = _events(await _read(ali, await _feed(ali, kind="account")))

    assert [(str(one["SUMMARY"]), one["DTSTART"].dt) for one in public] == [
        ("Upptaget", span.start) for span in at[:2]
    ]
    assert str(staff[0]["SUMMARY"]).startswith("Golvslipning")
    assert [str(one["STATUS"]) for one in own] == ["TENTATIVE", "TENTATIVE"]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)
