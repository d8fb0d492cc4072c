"""/api/events: one stream per browser tells which things have changed; the page then reads them again."""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import asyncpg
import msgspec
from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import ServerSentEvent, ServerSentEventMessage

from booking import db, journal, reservations
from booking.api.auth import provide_now
from booking.api.errors import responses
from booking.api.gate import SESSION_COOKIE
from booking.api.shapes import HTTPRequest
from booking.errors import NotFound, Refusal, Rejected
from booking.people import Actor, Role, actor_of_session

log = logging.getLogger("booking.events")
QUEUE, HEARTBEAT, RECHECK, OVERLAP, MOST_TOPICS = 200, 15.0, 30.0, timedelta(seconds=30), 20
_ENTRY = re.compile("[0-9]{1,18}")  # a journal row, as a bigint
KINDS = {"reservation", "timeline", "doors", "invoices"}


@dataclass(eq=False, slots=True)
class Listener:
    """One open stream."""

    topics: frozenset[str]
    queue: asyncio.Queue[journal.Entry | None] = field(default_factory=lambda: asyncio.Queue(QUEUE))
    overflowed: bool = False

    def offer(self, entry: journal.Entry) -> None:
        """Hand the entry over, or note that the reader was too slow and must read everything again."""
        if not self.topics.isdisjoint(entry.topics):
            try:
                self.queue.put_nowait(entry)
            except asyncio.QueueFull:
                self.overflowed = True


class Hub:
    """One LISTEN connection per process, reconnecting, fanned out to bounded queues."""

    def __init__(self) -> None:
        self._listeners: set[Listener] = set()
        self._ids: asyncio.Queue[int] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """The hub listens from now on."""
        self._task = asyncio.create_task(self._listen(), name="journal-listener")

    async def stop(self) -> None:
        """Every stream has been told to end."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        for one in self._listeners:
            one.overflowed = True
            with contextlib.suppress(asyncio.QueueFull):
                one.queue.put_nowait(None)

    def join(self, topics: frozenset[str]) -> Listener:
        """Return a listener that gets every later entry of its topics."""
        listener = Listener(topics)
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """The listener gets no more."""
        self._listeners.discard(listener)

    async def _listen(self) -> None:
        while True:
            try:
                await self._listen_once()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("journal listener lost: %s", type(error).__name__)
                for one in self._listeners:
                    one.overflowed = True
            await asyncio.sleep(1)

    async def _listen_once(self) -> None:
        ids = self._ids = asyncio.Queue()
        connection = await db.dedicated()
        try:
            await connection.add_listener("journal", lambda *args: ids.put_nowait(int(args[-1])))
            while not connection.is_closed():
                try:
                    async with asyncio.timeout(HEARTBEAT):
                        batch = [await ids.get()]
                except TimeoutError:
                    await connection.execute("SELECT 1")
                    continue
                while not ids.empty():
                    batch.append(ids.get_nowait())
                if not self._listeners:  # nobody has a page open here: nothing to read
                    continue
                for entry in await journal.entries(batch):
                    for one in self._listeners:
                        one.offer(entry)
            raise ConnectionError("the journal's connection was closed")
        finally:
            await connection.close(timeout=2)


class EventController(Controller):
    """Live changes."""

    tags = ("Events",)

    @get("/events", operation_id="StreamEvents", responses=responses(403, 404, 422))
    async def stream(
        self,
        request: HTTPRequest,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        topics: Annotated[str, QueryParameter(max_length=2000, pattern=r"^[a-z0-9:,_-]*$")],
    ) -> ServerSentEvent:
        """Stream which of the topics changed (`reservation:ID`, `timeline:CODE`, `doors:CODE`, `invoices:CODE`).

        `Last-Event-ID` replays what a broken connection missed; `resync` says: read everything again.
        """
        wanted = await _allowed(topics, actor)
        last = request.headers.get("last-event-id", "")
        hub: Hub = request.app.state.hub
        token = request.cookies.get(SESSION_COOKIE, "")

        async def still_allowed() -> bool:
            at = provide_now()
            try:
                return await _allowed(topics, await actor_of_session(token, at) or Actor()) == wanted
            except Refusal:
                return False

        missed_from = int(last) if _ENTRY.fullmatch(last) else None
        return ServerSentEvent(_messages(hub, wanted, missed_from, now, still_allowed))


async def _messages(
    hub: Hub,
    topics: frozenset[str],
    last: int | None,
    now: datetime,
    still_allowed: Callable[[], Awaitable[bool]],
) -> AsyncIterator[ServerSentEventMessage]:
    listener = hub.join(topics)
    try:
        yield ServerSentEventMessage(retry=2000, comment="open")
        if last is not None:
            for missed in await journal.entries_after(last, now - OVERLAP, sorted(topics)):
                yield _message(missed, topics)
        checked = time.monotonic()
        while True:
            if time.monotonic() - checked >= RECHECK:  # logged out, or no longer staff: the stream ends
                if not await still_allowed():
                    return
                checked = time.monotonic()
            if listener.overflowed:
                yield ServerSentEventMessage(event="resync", data="{}")
                return
            try:
                async with asyncio.timeout(HEARTBEAT):
                    entry = await listener.queue.get()
            except TimeoutError:
                yield ServerSentEventMessage(comment="alive")
                continue
            if entry is None:
                return
            yield _message(entry, topics)
    finally:
        hub.leave(listener)


def _message(entry: journal.Entry, topics: frozenset[str]) -> ServerSentEventMessage:
    hit = next(one for one in entry.topics if one in topics)
    data = {"topic": hit, "kind": entry.action, "id": None if entry.about is None else str(entry.about)}
    return ServerSentEventMessage(id=str(entry.id), event="change", data=msgspec.json.encode(data).decode())


async def _allowed(topics: str, actor: Actor) -> frozenset[str]:
    wanted = [one for one in topics.split(",") if one]
    if not wanted or len(wanted) > MOST_TOPICS:
        raise Rejected(f"name one to {MOST_TOPICS} topics", code="bad_topics")
    for topic in wanted:
        kind, _, key = topic.partition(":")
        if kind not in KINDS:
            raise Rejected(f"there is no topic {kind}", code="bad_topics")
        if kind == "reservation":
            await _must_see(key, actor)
        else:
            actor.must_have(key, Role.FINANCE if kind == "invoices" else Role.STAFF)
    return frozenset(wanted)


async def _must_see(key: str, actor: Actor) -> None:
    try:
        reservation = UUID(key)
    except ValueError as error:
        raise NotFound("there is no such reservation") from error
    await reservations.must_see(reservation, actor)
