"""The simulated Stripe's webhook sender: signed, at least once, retried with growing waits."""

import hashlib
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field

from booking.simulated.stripe_api import Stripe

WAITS = (0.5, 1, 2, 5, 10, 30)  # seconds; then every minute
TIMEOUT = 10


@dataclass(frozen=True, slots=True)
class Account:
    """One merchant of the simulated Stripe."""

    name: str
    key: str = field(repr=False)
    webhook_url: str | None = None
    webhook_secret: str = field(repr=False, default="")


def sign(body: bytes, secret: str, at: int) -> str:
    """Return the Stripe-Signature header for a body sent at a time (seconds since the epoch)."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


class Sender(threading.Thread):
    """Sends what is owed until stopped."""

    def __init__(self, stripe: Stripe, accounts: dict[str, Account]) -> None:
        super().__init__(name="webhooks", daemon=True)
        self._stripe, self._accounts = stripe, accounts
        self._stopped = threading.Event()

    def stop(self) -> None:
        """The thread has ended; what is still owed stays on disk."""
        self._stopped.set()
        self.join()

    def run(self) -> None:
        """Send due events, forever."""
        while not self._stopped.wait(0.05):
            with self._stripe.store.change():
                due = self._stripe.store.owed(time.time())
            for seq, event, account, attempts in due:
                self._deliver(seq, event, account, attempts)

    def _deliver(self, seq: int, event: str, account: str, attempts: int) -> None:
        known = self._accounts.get(account)
        with self._stripe.store.change():
            body = self._stripe.store.find(account, "event", event)
        sent = (
            known is None
            or known.webhook_url is None
            or body is None
            or _post(known, json.dumps(body).encode())
        )
        with self._stripe.store.change():
            if sent:
                self._stripe.store.delivered(seq)
            else:
                wait = WAITS[attempts] if attempts < len(WAITS) else 60
                self._stripe.store.try_later(seq, time.time() + wait)


def _post(account: Account, body: bytes) -> bool:
    """Send one event; False when the receiver did not answer 2xx."""
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": sign(body, account.webhook_secret, int(time.time())),
        "User-Agent": "Stripe/1.0 (simulated)",
    }
    request = urllib.request.Request(account.webhook_url or "", body, headers)  # noqa: S310 - our own configuration
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310
            return 200 <= int(answer.status) < 300
    except (urllib.error.URLError, OSError):
        return False
