"""A simulated Stripe with two merchants and a webhook receiver, over real HTTP."""

import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stripe

from booking.simulated.stripe_server import Simulator
from booking.simulated.stripe_webhooks import Account

SECRET = "whsec_test_umea"


@dataclass
class Receiver:
    """Collects what is sent to a webhook address; answers `status`."""

    bodies: list[tuple[bytes, str]] = field(default_factory=list)
    status: int = 200
    url: str = ""

    def types(self) -> list[str]:
        return [json.loads(body)["type"] for body, _ in self.bodies]


def until(true: Callable[[], object], seconds: float = 20) -> None:
    """Wait until the condition holds, with a deadline."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.01)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    got = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.bodies.append((body, self.headers["Stripe-Signature"]))
            self.send_response(got.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    got.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield got
    server.shutdown()
    server.server_close()


@pytest.fixture
def simulator(tmp_path: Path, receiver: Receiver) -> Iterator[Simulator]:
    accounts = [
        Account("2480", "sk_test_umea", receiver.url, SECRET),
        Account("2460", "sk_test_vannas", receiver.url, "whsec_test_vannas"),
    ]
    server = Simulator(0, tmp_path / "stripe.sqlite", accounts)
    server.start()
    yield server
    server.stop()


def client(simulator: Simulator, key: str = "sk_test_umea", retries: int = 3) -> stripe.StripeClient:
    return stripe.StripeClient(
        key, base_addresses={"api": simulator.stripe.address}, max_network_retries=retries
    )


def ask(simulator: Simulator, what: str, **wish: Any) -> dict[str, Any]:
    """Order a fault, or read the state."""
    data = json.dumps(wish).encode()
    request = urllib.request.Request(f"{simulator.stripe.address}/_simulated/{what}", data, method="POST")
    with urllib.request.urlopen(request, timeout=5) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def press(url: str, button: str) -> int:
    """Press a button of the hosted page; returns the status without following the redirect."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *args: Any) -> None:
            return None

    data = urllib.parse.urlencode({"do": button}).encode()
    try:
        with urllib.request.build_opener(Stay).open(url, data, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
