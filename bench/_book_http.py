"""Bookings over HTTP by clients that cost hardly anything."""

import asyncio
import json
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench._book_people import Person, Slot, headers, order, wish


@dataclass
class Thin:
    """A keep-alive HTTP/1.1 client for answers with a Content-Length; costs hardly anything."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    person: Person
    answers: list[float] = field(default_factory=list)

    @classmethod
    async def open(cls, address: str, person: Person) -> "Thin":
        """Return a client with its connection open."""
        host, _, port = address.removeprefix("http://").partition(":")
        return cls(*await asyncio.open_connection(host, int(port)), person)

    async def post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return status and body of the answer."""
        data = json.dumps(body).encode()
        head = [f"POST {path} HTTP/1.1", "Host: bench", f"Content-Length: {len(data)}"]
        head += [f"{name}: {value}" for name, value in headers(self.person).items()]
        began = time.perf_counter()
        self.writer.write("\r\n".join([*head, "", ""]).encode() + data)
        top = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        size = re.search(r"content-length: (\d+)", top)
        told = json.loads(await self.reader.readexactly(int(size[1]) if size else 0) or b"{}")
        self.answers.append((time.perf_counter() - began) * 1000)
        return int(top[9:12]), told


async def over_http(
    webs: Sequence[str], persons: Sequence[Person], slots: Iterator[Slot], seconds: float
) -> tuple[float, list[float]]:
    """Return bookings a second and how long each request took (ms)."""
    clients = [await Thin.open(webs[n % len(webs)], one) for n, one in enumerate(persons)]
    ends, done = time.perf_counter() + seconds, 0

    async def keep_booking(client: Thin) -> None:
        nonlocal done
        while time.perf_counter() < ends:
            slot = next(slots)
            status, hold = await client.post("/api/holds", wish(slot, client.person))
            if status != 201:
                raise SystemExit(f"a hold was refused: {status} {hold}")
            status, made = await client.post("/api/reservations", order(slot, hold))
            if status != 201 or made["state"] != "confirmed":
                raise SystemExit(f"a booking was refused: {status} {made}")
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(keep_booking(one) for one in clients))
    took = time.perf_counter() - began
    for one in clients:
        one.writer.close()
    return done / took, [answer for one in clients for answer in one.answers]
