"""A stream lasts no longer than the right to it."""

import asyncio

import pytest

from booking import db
from booking.api import events
from tests.api.conftest import Enter


@pytest.mark.parametrize("end", ["log out", "lose the role"])
async def test_who_may_no_longer_see__hears_no_more(
    person: Enter, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.05)
    monkeypatch.setattr(events, "RECHECK", 0.1)
    stina = await person("stina@demo.test")
    stream = asyncio.create_task(stina.http.get("/api/events?topics=timeline:2401"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(stream), 0.5)  # it is open for as long as she may see

    if end == "log out":
        await stina.send("DELETE", "/api/session")
    else:
        await db.run("DELETE FROM role WHERE role = 'facility_staff'")

    assert (await asyncio.wait_for(stream, 5)).status_code == 200


@pytest.mark.parametrize("last", ["\u00b2", "9" * 25, "9" * 5000])
async def test_an_impossible_last_event__is_no_event(
    person: Enter, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    monkeypatch.setattr(events, "HEARTBEAT", 0.05)
    monkeypatch.setattr(events, "RECHECK", 0.1)
    stina = await person("stina@demo.test")
    headers = [(b"last-event-id", last.encode("latin-1"))]
    stream = asyncio.create_task(stina.http.get("/api/events?topics=timeline:2401", headers=headers))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(stream), 0.5)

    await stina.send("DELETE", "/api/session")

    assert (await asyncio.wait_for(stream, 5)).status_code == 200


@pytest.mark.parametrize("turns", range(5))
async def test_news_at_the_very_end__does_not_keep_the_process_from_ending(pool: str, turns: int) -> None:
    """The listener has been told of a row, and is so many turns of the loop from having taken it up."""
    hub = events.Hub()
    await hub.start()
    while not hub._ids._getters:  # type: ignore[attr-defined]  # it listens
        await asyncio.sleep(0.01)
    hub._ids.put_nowait(1)
    for _ in range(turns):
        await asyncio.sleep(0)

    ending = asyncio.create_task(hub.stop())
    _, late = await asyncio.wait([ending], timeout=5)
    ending.cancel()

    assert not late
