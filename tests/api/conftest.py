"""The real application over ASGI, in the test's own event loop, with one browser per person."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar

from booking.app import create_app
from booking.simulated.people import PASSWORD
from tests.conftest import settings_for


@asynccontextmanager
async def running(app: Litestar) -> AsyncIterator[None]:
    """The application is up; its life span runs in one task, as anyio demands."""
    up, down = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            up.set()
            await down.wait()

    task = asyncio.create_task(live())
    ready = asyncio.create_task(up.wait())
    await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
    if task.done():
        await task
    try:
        yield
    finally:
        down.set()
        await task


class Person:
    """A browser: keeps cookies, sends the CSRF token and fresh idempotency keys."""

    def __init__(self, app: Litestar) -> None:
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False), base_url="http://test"
        )
        self.csrf = ""

    async def enter(self) -> dict[str, Any]:
        me = (await self.http.get("/api/me")).json()
        self.csrf = me["csrf"]
        return dict(me)

    async def log_in(self, email: str) -> dict[str, Any]:
        await self.enter()
        answer = await self.send("POST", "/api/session", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        self.csrf = answer.json()["csrf"]
        return dict(answer.json())

    async def send(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = httpx.Headers({"X-CSRF-Token": self.csrf, "Idempotency-Key": str(uuid.uuid4())})
        headers.update(request.pop("headers", {}))
        return await self.http.request(method, path, headers=headers, **request)

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, body: dict[str, Any], status: int = 201) -> Any:
        answer = await self.send("POST", path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


Enter = Callable[[str | None], Awaitable[Person]]


@pytest.fixture
async def app(world: str, tmp_path: Path) -> AsyncIterator[Litestar]:
    app = create_app(settings_for(world, tmp_path))
    async with running(app):
        yield app


@pytest.fixture
async def person(app: Litestar) -> AsyncIterator[Enter]:
    """Opens a browser, logged in as the demonstration's `email`, or a visitor's."""
    opened: list[Person] = []

    async def enter(email: str | None) -> Person:
        one = Person(app)
        opened.append(one)
        await (one.enter() if email is None else one.log_in(email))
        return one

    yield enter
    for one in opened:
        await one.http.aclose()


@pytest.fixture
def later() -> Callable[[int, int], str]:
    """Returns the instant of a UTC hour some days from now, as JSON."""

    def at(days: int, hour: int) -> str:
        day = (datetime.now(UTC) + timedelta(days=days)).replace(hour=hour, minute=0, second=0, microsecond=0)
        return day.isoformat().replace("+00:00", "Z")

    return at


async def resource_named(who: Person, town: str, text: str) -> dict[str, Any]:
    """Return the first resource of a municipality that a search for the text finds."""
    found = await who.get(
        "/api/search", municipality=town, neighbours="false", q=text, sort="name", date="2027-01-04"
    )
    return dict(found["results"][0]["resource"])
