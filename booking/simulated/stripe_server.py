"""A Stripe-compatible server on one port: `python -m booking.simulated.stripe_server --port 12111`.

Speaks Stripe's wire format for the parts we use, checks requests against the `stripe` package's own types and
keeps its state in a file. Faults can be ordered over /_simulated/ (see `admin`). Never for production.
"""

import argparse
import contextlib
import json
import signal
import threading
import time
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from booking.settings import Settings
from booking.simulated import stripe_page
from booking.simulated.stripe_api import API_VERSION, Stripe, WebhookFaults
from booking.simulated.stripe_calls import Answer, answer_once, problem
from booking.simulated.stripe_store import Store, Thing
from booking.simulated.stripe_webhooks import Account, Sender

LONGEST_BODY = 1_000_000


class Dropped(Exception):
    """The connection is to be cut without an answer."""


class Simulator(ThreadingHTTPServer):
    """The server with its store, its accounts and the faults that were ordered."""

    daemon_threads = True

    def __init__(self, port: int, state: Path, accounts: list[Account], address: str | None = None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.stripe = Stripe(Store(state), address or f"http://127.0.0.1:{self.server_address[1]}")
        self.by_key = {account.key: account.name for account in accounts}
        self.sender = Sender(self.stripe, {account.name: account for account in accounts})
        self.faults: list[Thing] = []
        self.calls: list[str] = []

    def take_fault(self, call: str) -> Thing | None:
        """Return the next fault ordered for this call ("POST /v1/refunds"), using it up."""
        for fault in self.faults:
            if fault["match"] in call:
                fault["times"] -= 1
                if fault["times"] <= 0:
                    self.faults.remove(fault)
                return fault
        return None

    def start(self) -> None:
        """Serve in the background; used by tests."""
        self.sender.start()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def stop(self) -> None:
        """Nothing runs any more; the state is on disk."""
        self.shutdown()
        self.sender.stop()
        self.server_close()
        self.stripe.store.close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Simulator

    def do_GET(self) -> None:
        """Read."""
        self._handle("GET")

    def do_POST(self) -> None:
        """Change."""
        self._handle("POST")

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: bodies and keys must not reach a log."""

    def _handle(self, method: str) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        if length > LONGEST_BODY:
            self.close_connection = True
            return self._reply(413, problem("invalid_request_error", "Request too large"))
        body = self.rfile.read(length).decode("utf-8", "replace")
        if url.path.startswith("/_simulated/"):
            return self._reply(*admin(self.server, url.path, body))
        if url.path.startswith("/c/pay/"):
            return self._checkout(method, url.path.rsplit("/", 1)[-1], body)
        try:
            status, answer = self._api(method, url.path, url.query if method == "GET" else body)
        except Dropped:
            self.close_connection = True
            self.connection.close()
            return None
        return self._reply(status, answer)

    def _api(self, method: str, path: str, form: str) -> Answer:
        account = self._account()
        if account is None:
            return 401, problem("invalid_request_error", "Invalid API Key provided")
        call = f"{method} {path}"
        self.server.calls.append(call)
        fault = self.server.take_fault(call) or {"fault": None}
        match fault["fault"]:
            case "drop_before":
                raise Dropped
            case "slow":
                time.sleep(fault.get("seconds", 1))
            case "409":
                return 409, problem(
                    "invalid_request_error",
                    "Another request used the same idempotency key",
                    code="lock_timeout",
                )
            case "429":
                return 429, problem("invalid_request_error", "Too many requests", code="rate_limit")
            case "500":
                return 500, problem("api_error", "simulated fault")
        answer = answer_once(
            self.server.stripe,
            account,
            method,
            path,
            form,
            self.headers.get("Idempotency-Key"),
            saved_500=fault["fault"] == "500_saved",
        )
        if fault["fault"] == "drop_after":
            raise Dropped
        return answer

    def _account(self) -> str | None:
        scheme, _, key = (self.headers.get("Authorization") or "").partition(" ")
        return self.server.by_key.get(key) if scheme == "Bearer" else None

    def _checkout(self, method: str, session_id: str, body: str) -> None:
        stripe = self.server.stripe
        with stripe.store.change():
            account = stripe.store.account_of(session_id)
            session = None if account is None else stripe.session(account, session_id)
        if account is None or session is None or session["object"] != "checkout.session":
            return self._html(404, stripe_page.missing())
        wish = parse_qs(body).get("do", [""])[0]
        if method == "GET" or session["status"] != "open" or wish not in ("card", "swish", "decline"):
            return self._html(200, stripe_page.page(session))
        with stripe.store.change():
            session = stripe.pay(account, session_id, accepted=wish != "decline", method=wish)
        if wish == "decline":
            return self._html(200, stripe_page.page(session, declined=True))
        return self._send(
            303, b"", {"Location": session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id)}
        )

    def _html(self, status: int, text: str) -> None:
        policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        self._send(
            status,
            text.encode(),
            {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy},
        )

    def _reply(self, status: int, answer: Thing) -> None:
        headers = {
            "Content-Type": "application/json",
            "Stripe-Version": API_VERSION,
            "Request-Id": "req_simulated",
        }
        self._send(status, json.dumps(answer).encode(), headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def admin(server: Simulator, path: str, body: str) -> Answer:
    """Order faults, forget keys, look inside.

    faults: {"match","fault": drop_before|drop_after|409|429|500|500_saved|slow,"times","seconds"};
    webhooks: {"drop","duplicate","reorder","delay_s"}; forget_keys; reset; state.
    """
    wish: Thing = json.loads(body) if body else {}
    match path.removeprefix("/_simulated/"):
        case "faults":
            server.faults.append({"times": 1} | wish)
        case "webhooks":
            for name, count in wish.items():
                if name in ("drop", "duplicate", "reorder", "delay_s"):
                    setattr(server.stripe.faults, name, count)
        case "forget_keys":
            with server.stripe.store.change():
                server.stripe.store.forget_keys()
        case "reset":
            server.faults.clear()
            server.stripe.faults = WebhookFaults()
        case "state":
            pass
        case _:
            return 404, problem("invalid_request_error", admin.__doc__ or "")
    with server.stripe.store.change():
        owed = server.stripe.store.undelivered()
    faults = {name: value for name, value in asdict(server.stripe.faults).items() if name != "held"}
    return 200, {"faults": server.faults, "webhooks": faults, "undelivered": owed, "calls": len(server.calls)}


def accounts_from(settings: Settings, webhook_base: str | None) -> list[Account]:
    """Return one account per municipality that has a key, with the product's own webhook address."""
    base = webhook_base or settings.public_url
    return [
        Account(
            code,
            key,
            f"{base}/api/webhooks/stripe/{code}",
            settings.stripe_webhook_secrets.get(code, ("",))[0],
        )
        for code, key in settings.stripe_keys.items()
    ]


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--port", type=int, default=12111)
    options.add_argument("--state", type=Path, default=Path("var/stripe"), help="directory")
    options.add_argument("--webhook-base", help="where webhooks go; default PUBLIC_URL")
    options.add_argument("--address", help="how browsers reach this server; default http://127.0.0.1:PORT")
    chosen = options.parse_args()
    accounts = accounts_from(Settings.from_env(), chosen.webhook_base)
    server = Simulator(chosen.port, chosen.state / "state.sqlite", accounts, chosen.address)
    server.sender.start()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(
        f"simulated Stripe on {server.stripe.address} for {', '.join(a.name for a in accounts) or 'no account'}",
        flush=True,
    )
    with contextlib.suppress(KeyboardInterrupt):
        server.serve_forever(poll_interval=0.2)
    server.sender.stop()
    server.server_close()
    server.stripe.store.close()


if __name__ == "__main__":
    main()
