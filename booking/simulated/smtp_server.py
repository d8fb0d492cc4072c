"""A simulated mail server for tests and trying out: takes every mail and keeps it in memory. Never for production."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from email.message import EmailMessage

_ANSWERS = {"EHLO": "250-simulated\r\n250 8BITMIME", "HELO": "250 simulated", "MAIL": "250 ok", "RSET": "250 ok",
            "NOOP": "250 ok", "QUIT": "221 bye"}  # fmt: skip


class SimulatedSmtp:
    """Listens on a free port of this machine. `refuse` holds answers to coming RCPTs; `drop` cuts after DATA."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse: deque[str] = deque()
        self.drop = 0
        self.url = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await self._say(writer, "220 simulated")
            while line := (await reader.readline()).decode("utf-8", "replace").strip():
                verb = line[:4].upper()
                if verb == "DATA":
                    if not await self._take(reader, writer):
                        break
                elif verb == "RCPT":
                    await self._say(writer, self.refuse.popleft() if self.refuse else "250 ok")
                else:
                    await self._say(writer, _ANSWERS.get(verb, "502 not simulated"))
                if verb == "QUIT":
                    break
        writer.close()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await self._say(writer, "354 go on")
        octets = await reader.readuntil(b"\r\n.\r\n")
        self.mails.append(message_from_bytes(octets[:-5].replace(b"\r\n..", b"\r\n."), policy=policy.default))
        if self.drop > 0:  # taken, but the sender never hears of it
            self.drop -= 1
            return False
        await self._say(writer, "250 taken")
        return True

    async def _say(self, writer: asyncio.StreamWriter, text: str) -> None:
        writer.write(text.encode() + b"\r\n")
        await writer.drain()


@contextlib.asynccontextmanager
async def simulated_smtp() -> AsyncIterator[SimulatedSmtp]:
    """A simulated mail server runs; `url` is for BOOKING_SMTP_URL."""
    box = SimulatedSmtp()
    server = await asyncio.start_server(box, "127.0.0.1", 0)
    async with server:
        box.url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield box
