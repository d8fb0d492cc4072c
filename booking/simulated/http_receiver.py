"""Simulated receivers over HTTP: a 46elks-compatible SMS gateway, and a system that takes webhooks.

For tests and trying out. Never for production.
"""

import base64
import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


@dataclass(slots=True)
class Taken:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class SimulatedReceiver:
    """Takes webhooks. `answers` holds the coming status codes; 0 cuts the line, then 204 for ever."""

    taken: list[Taken] = field(default_factory=list)
    answers: deque[int] = field(default_factory=deque)
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0
    url: str = ""

    def post(self, request: Taken) -> tuple[int, bytes]:
        """Return the ordered status."""
        time.sleep(self.delay_s)
        self.taken.append(request)
        return (self.answers.popleft() if self.answers else 204), b""

    def get(self, _request: Taken) -> tuple[int, bytes]:
        """There is nothing to read."""
        return 404, b""


@dataclass(slots=True)
class SimulatedElks(SimulatedReceiver):
    """46elks' /a1/sms: sends nothing, keeps a history without the texts that were not to be kept."""

    history: list[dict[str, object]] = field(default_factory=list)
    login: tuple[str, str] = ("u1", "p1")
    now: datetime | None = None  # None = the clock of this machine

    def post(self, request: Taken) -> tuple[int, bytes]:
        """Take an SMS; an ordered 0 takes it and cuts the line before the answer."""
        if not self._known(request):
            return 401, b"Authentication required"
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        ordered = self.answers.popleft() if self.answers else 200
        if ordered not in (0, 200):
            return ordered, b"ordered"
        if not form.get("to", "").startswith("+"):
            return 400, b"Invalid to number"
        sms: dict[str, object] = {
            "id": f"s{len(self.history):032x}",
            "created": (self.now or datetime.now(UTC)).strftime(
                "%Y-%m-%dT%H:%M:%S.%f"
            ),  # theirs: UTC without saying so
            "direction": "outgoing",
            "from": form["from"],
            "to": form["to"],
            "status": "created",
        }
        kept = {} if form.get("dontlog") == "message" else {"message": form["message"]}
        self.history.append({**sms, **kept})
        self.taken.append(request)
        return (0, b"") if ordered == 0 else (200, json.dumps({**sms, "message": form["message"]}).encode())

    def get(self, request: Taken) -> tuple[int, bytes]:
        """Return the history, filtered by receiver."""
        if not self._known(request):
            return 401, b"Authentication required"
        to = parse_qs(urlsplit(request.path).query).get("to", [""])[0]
        return 200, json.dumps({"data": [one for one in self.history if one["to"] == to]}).encode()

    def _known(self, request: Taken) -> bool:
        wanted = base64.b64encode(":".join(self.login).encode()).decode()
        return request.headers.get("authorization") == f"Basic {wanted}"


@contextlib.contextmanager
def listening(receiver: SimulatedReceiver) -> Iterator[SimulatedReceiver]:
    """The receiver listens on a free port of this machine; `url` says where."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._answer(*receiver.post(self._request()))

        def do_GET(self) -> None:
            self._answer(*receiver.get(self._request()))

        def log_message(self, format: str, *args: object) -> None:
            del format, args

        def _request(self) -> Taken:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return Taken(self.path, {name.lower(): value for name, value in self.headers.items()}, body)

        def _answer(self, status: int, body: bytes) -> None:
            self.close_connection = True
            if status == 0:
                self.connection.close()
                return
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
