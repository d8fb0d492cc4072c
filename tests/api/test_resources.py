"""What there is: pages for everybody, and how staff describe, divide and picture it."""

import base64
import struct
import zlib
from typing import Any

from booking import db
from tests.api.conftest import Enter, Person, resource_named


async def hall(who: Person) -> dict[str, Any]:
    return await resource_named(who, "2401", "norrskenshallen hela")


def picture(note: bytes = b"") -> bytes:
    """A PNG of one grey point, with what a camera might note."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    notes = chunk(b"tEXt", b"Author\0" + note) if note else b""
    drawn = chunk(b"IHDR", head) + notes + chunk(b"IDAT", zlib.compress(b"\0\x80")) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + drawn


async def test_a_page__says_what_there_is_and_when_it_is_open(person: Enter) -> None:
    guest = await person(None)
    whole = await hall(guest)

    page = await guest.get(f"/api/resources/{whole['id']}")

    assert [one["name"] for one in page["parts"]] == ["Halva hallen, öst", "Halva hallen, väst"]
    assert page["rules"]["needs_approval"] is False
    assert page["hours"][0] == {"weekday": 0, "opens": "07:00", "closes": "22:00"}
    assert page["units"] == []
    assert {"features", "surface", "picks_unit", "image"} <= whole.keys()


async def test_staff_describe_a_hall__everybody_reads_it_but_the_instructions(person: Enter) -> None:
    stina, guest = await person("stina@demo.test"), await person(None)
    path = f"/api/settings/resources/{(await hall(stina))['id']}"
    words = {"description": "Parkett.", "instructions": "Släck.", "features": ["stands"], "surface": "parquet", "capacity": 410}  # fmt: skip

    changed = await stina.send("PATCH", path, json=words)

    assert changed.status_code == 200, changed.text
    page = await guest.get(path.replace("/settings", ""))
    assert {name: page.get(name) for name in words} == words | {"instructions": None}
    settings = await stina.get(path)
    assert (settings["instructions"], settings["name"]) == ("Släck.", "Hela hallen")
    assert len(settings["shares_floor_with"]) == 2
    unsaid = await stina.send("PATCH", path, json={"surface": None})
    assert (unsaid.json()["surface"], unsaid.json()["description"]) == (None, "Parkett.")


async def test_a_resource_out_of_use__is_gone_for_those_who_book(person: Enter) -> None:
    stina, guest = await person("stina@demo.test"), await person(None)
    path = f"/api/settings/resources/{(await hall(stina))['id']}"

    assert (await stina.send("PATCH", path, json={"is_bookable": False})).status_code == 200

    assert (await guest.http.get(path.replace("/settings", ""))).status_code == 404
    assert (await stina.get(path))["is_bookable"] is False
    tree = await stina.get("/api/settings/tree", municipality="2401")
    (house,) = [one for one in tree["facilities"] if one["name"] == "Norrskenshallen"]
    assert [one["is_bookable"] for one in house["resources"] if one["name"] == "Hela hallen"] == [False]
    assert "hammarhallen.half" in [one["code"] for one in tree["tariff_classes"]]


async def test_a_new_part__is_booked_like_any_other(person: Enter, later: Any) -> None:
    stina, ali = await person("stina@demo.test"), await person("ali@demo.test")
    whole = await hall(stina)
    new = {"name": "Hörnet", "kind": "hall_part", "tariff_class": "norrskenshallen.half", "parent_id": whole["id"], "own_leaf": True}  # fmt: skip

    made = await stina.post(f"/api/settings/facilities/{whole['facility']['id']}/resources", new)

    assert (made["part_of"], made["parent_id"]) == ("Hela hallen", whole["id"])
    when = {"start": later(9, 17), "end": later(9, 18)}
    await ali.post("/api/holds", when | {"resource_id": made["id"]})
    refused = await ali.send("POST", "/api/holds", json=when | {"resource_id": whole["id"]})
    assert refused.json()["code"] == "slot_taken"


async def test_a_picture__is_shown_to_everybody_without_what_the_camera_noted(person: Enter) -> None:
    stina, guest = await person("stina@demo.test"), await person(None)
    whole = await hall(stina)
    content = base64.b64encode(picture(b"Stina, 63.56 N 19.50 E")).decode()
    new = {"media_type": "image/png", "alt": "Hallen från läktaren", "content": content}

    page = await stina.post(f"/api/settings/resources/{whole['id']}/images", new)

    (image,) = page["images"]
    assert page["image"] == image["url"] == (await hall(guest))["image"]
    answer = await guest.http.get(image["url"])
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.content == picture()
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    gone = await stina.send("DELETE", f"/api/settings/images/{image['id']}")
    assert (gone.status_code, gone.json()["images"], gone.json()["image"]) == (200, [], None)
    assert (await guest.http.get(image["url"])).status_code == 404


async def test_the_eleventh_picture__is_refused(person: Enter) -> None:
    stina = await person("stina@demo.test")
    path = f"/api/settings/resources/{(await hall(stina))['id']}/images"
    new = {"media_type": "image/png", "alt": "Hallen", "content": base64.b64encode(picture()).decode()}
    for _ in range(10):
        await stina.post(path, new)

    eleventh = await stina.send("POST", path, json=new)

    assert (eleventh.status_code, eleventh.json()["code"]) == (409, "too_many_images")


async def test_terms__are_published_once_and_asked_for_by_rules(person: Enter) -> None:
    stina, guest = await person("stina@demo.test"), await person(None)
    town = "/api/settings/municipalities/2401"
    new = {"version": "2031-1", "text_sv": "Släck lyset.", "text_en": "Switch off the lights."}
    await stina.post(town + "/terms", new)

    twin = await stina.send("POST", town + "/terms", json=new | {"text_sv": "Annat."})

    assert (twin.status_code, twin.json()["code"]) == (409, "terms_exist")
    assert (await guest.get("/api/terms/2401/2031-1"))["text_sv"] == "Släck lyset."
    assert "2031-1" in [one["version"] for one in (await stina.get(town + "/terms"))["terms"]]
    page = await stina.send("PUT", town + "/rules", json={"valid_from": "2026-01-01", "terms": "2031-1"})
    assert page.json()["in_force"]["terms"] == "2031-1"


async def test_school_breaks__are_added_read_and_taken_back(person: Enter) -> None:
    stina, guest = await person("stina@demo.test"), await person(None)
    path = "/api/settings/municipalities/2401/school-breaks"
    new = {"name": "Rymdlov", "from_day": "2031-03-03", "to_day": "2031-03-07"}

    made = (await stina.post(path, new))["school_breaks"]

    (found,) = [one for one in made if one["name"] == "Rymdlov"]
    assert found == new | {"id": found["id"]}
    assert found in (await guest.get(path))["school_breaks"]
    gone = await stina.send("DELETE", f"{path}/{found['id']}")
    assert found not in gone.json()["school_breaks"]
    assert await db.value(int, "SELECT count(*) FROM journal WHERE action LIKE 'break.%'") == 2
