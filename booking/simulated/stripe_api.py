"""What the simulated Stripe does: checkout sessions, payment intents, refunds, events. Objects as Stripe shapes them."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from booking.simulated.stripe_store import Store, Thing

API_VERSION = "2026-10-28.endive"
LEAST_SEK = 300  # öre; Stripe's smallest SEK payment
HALF_HOUR, DAY = 1800, 86_400


class Refused(Exception):
    """Stripe's own kind of refusal."""

    def __init__(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.param = status, code, param


@dataclass(slots=True)
class WebhookFaults:
    """What will go wrong with the next events; each count falls by one per event."""

    drop: int = 0
    duplicate: int = 0
    reorder: int = 0
    delay_s: float = 0.0
    held: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Stripe:
    """The simulated Stripe of all accounts. `address` is where its own pages are reached."""

    store: Store
    address: str
    faults: WebhookFaults = field(default_factory=WebhookFaults)

    def create_session(self, account: str, given: Thing) -> Thing:
        """Return a fresh open Checkout Session in payment mode."""
        now = int(time.time())
        if given.get("mode") != "payment":
            raise Refused(400, "only mode payment is simulated", param="mode")
        currency, total = _total(given.get("line_items", []))
        expires = given.get("expires_at", now + DAY)
        if not now + HALF_HOUR - 5 <= expires <= now + DAY + 5:
            raise Refused(400, "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.",
                          param="expires_at")  # fmt: skip
        if "success_url" not in given:
            raise Refused(400, "Missing required param: success_url.", param="success_url")
        session_id = self.store.next_id("cs_test")
        session = {
            "id": session_id,
            "object": "checkout.session",
            "amount_subtotal": total,
            "amount_total": total,
            "cancel_url": given.get("cancel_url"),
            "client_reference_id": given.get("client_reference_id"),
            "created": now,
            "currency": currency,
            "customer_email": given.get("customer_email"),
            "expires_at": expires,
            "livemode": False,
            "locale": given.get("locale"),
            "metadata": given.get("metadata", {}),
            "mode": "payment",
            "payment_intent": None,
            "payment_status": "unpaid",
            "status": "open",
            "success_url": given["success_url"],
            "url": f"{self.address}/c/pay/{session_id}",
            "_text": [item["price_data"]["product_data"]["name"] for item in given["line_items"]],
            "_intent": given.get("payment_intent_data", {}),
        }
        return self.store.save(account, session)

    def session(self, account: str, session_id: str) -> Thing:
        """Return a session; one past its time is expired first."""
        session = self.find(account, "checkout.session", session_id)
        if session["status"] == "open" and session["expires_at"] <= time.time():
            return self._expire(account, session)
        return session

    def expire_session(self, account: str, session_id: str) -> Thing:
        """The session can no longer be paid. Only an open one can expire."""
        session = self.session(account, session_id)
        if session["status"] != "open":
            raise Refused(
                400,
                f'Only Checkout Sessions with a status in ["open"] can be expired. This session has a status of {session["status"]}.',
            )
        return self._expire(account, session)

    def pay(self, account: str, session_id: str, *, accepted: bool, method: str = "card") -> Thing:
        """The payer has pressed Pay: the payment succeeds, or is declined and may be tried again."""
        session = self.session(account, session_id)
        if session["status"] != "open":
            raise Refused(400, f"this session is {session['status']}")
        intent = self._intent(account, session, method)
        if not accepted:
            intent["status"] = "requires_payment_method"
            intent["last_payment_error"] = {
                "type": "card_error",
                "code": "card_declined",
                "message": "Your card was declined.",
            }
            self.store.save(account, intent)
            self.store.save(account, session)
            self.emit(account, "payment_intent.payment_failed", intent)
            return session
        charge = self._charge(account, intent)
        intent |= {
            "status": "succeeded",
            "amount_received": intent["amount"],
            "latest_charge": charge["id"],
            "last_payment_error": None,
        }
        session |= {"status": "complete", "payment_status": "paid"}
        self.store.save(account, intent)
        self.store.save(account, session)
        self.emit(account, "payment_intent.succeeded", intent)
        self.emit(account, "charge.succeeded", charge)
        self.emit(account, "checkout.session.completed", session)
        return session

    def refund(self, account: str, given: Thing) -> Thing:
        """Return a refund of a paid intent; never more than what is left of it."""
        intent_id = given.get("payment_intent") or self._charge_intent(account, given)
        intent = self.find(account, "payment_intent", intent_id)
        charge = self.find(account, "charge", intent.get("latest_charge") or "none")
        left = charge["amount"] - charge["amount_refunded"]
        amount = given.get("amount", left)
        if left == 0:
            raise Refused(
                400, f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
            )
        if amount <= 0:
            raise Refused(400, "Invalid positive integer", param="amount")
        if amount > left:
            raise Refused(
                400,
                f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
                param="amount",
            )
        refund = {
            "id": self.store.next_id("re"), "object": "refund", "amount": amount, "charge": charge["id"],
            "created": int(time.time()), "currency": charge["currency"], "metadata": given.get("metadata", {}),
            "payment_intent": intent_id, "reason": given.get("reason"), "status": "succeeded",
        }  # fmt: skip
        self.store.save(account, refund)
        charge["amount_refunded"] += amount
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        self.store.save(account, charge)
        self.emit(account, "refund.created", refund)
        self.emit(account, "charge.refunded", charge)
        return refund

    def listing(
        self, account: str, kind: str, url: str, given: Thing, keep: Callable[[Thing], bool]
    ) -> Thing:
        """Return one page of objects, newest first."""
        found = [
            thing for thing in self.store.all(account, kind) if keep(thing) and _created_in(thing, given)
        ]
        ids = [thing["id"] for thing in found]
        if after := given.get("starting_after"):
            found = found[ids.index(after) + 1 :] if after in ids else []
        limit = given.get("limit", 10)
        page = [public(thing) for thing in found[:limit]]
        return {"object": "list", "data": page, "has_more": len(found) > limit, "url": url}

    def emit(self, account: str, kind: str, about: Thing) -> None:
        """The event exists, and is owed to the account's webhook unless a fault eats it."""
        event: Thing = {
            "id": self.store.next_id("evt"), "object": "event", "api_version": API_VERSION,
            "created": int(time.time()), "data": {"object": public(about)}, "livemode": False,
            "pending_webhooks": 1, "request": {"id": None, "idempotency_key": None}, "type": kind,
        }  # fmt: skip
        self.store.save(account, event)
        faults, due = self.faults, time.time() + self.faults.delay_s
        if faults.drop > 0:
            faults.drop -= 1
            return
        if faults.reorder > 0:
            faults.reorder -= 1
            faults.held.append((account, event["id"]))
            return
        copies = 2 if faults.duplicate > 0 else 1
        faults.duplicate = max(0, faults.duplicate - 1)
        for _ in range(copies):
            self.store.owe(account, event["id"], due)
        for owner, earlier in reversed(faults.held):
            self.store.owe(owner, earlier, due + 0.01)
        faults.held.clear()

    def find(self, account: str, kind: str, thing_id: str) -> Thing:
        """Return an object of this account; refuses another one's as missing."""
        thing = self.store.find(account, kind, thing_id)
        if thing is None:
            raise Refused(404, f"No such {kind}: '{thing_id}'", code="resource_missing", param="id")
        return thing

    def _expire(self, account: str, session: Thing) -> Thing:
        session["status"] = "expired"
        self.store.save(account, session)
        self.emit(account, "checkout.session.expired", session)
        return session

    def _intent(self, account: str, session: Thing, method: str) -> Thing:
        if session["payment_intent"]:
            return self.find(account, "payment_intent", session["payment_intent"])
        intent = {
            "id": self.store.next_id("pi"), "object": "payment_intent", "amount": session["amount_total"],
            "amount_received": 0, "created": int(time.time()), "currency": session["currency"],
            "description": session["_intent"].get("description"), "last_payment_error": None, "latest_charge": None,
            "livemode": False, "metadata": session["_intent"].get("metadata", {}),
            "payment_method_types": [method], "status": "requires_payment_method",
        }  # fmt: skip
        session["payment_intent"] = intent["id"]
        return self.store.save(account, intent)

    def _charge(self, account: str, intent: Thing) -> Thing:
        charge = {
            "id": self.store.next_id("ch"), "object": "charge", "amount": intent["amount"], "amount_refunded": 0,
            "created": int(time.time()), "currency": intent["currency"], "livemode": False, "metadata": intent["metadata"],
            "paid": True, "payment_intent": intent["id"], "refunded": False, "status": "succeeded",
        }  # fmt: skip
        return self.store.save(account, charge)

    def _charge_intent(self, account: str, given: Thing) -> str:
        if "charge" not in given:
            raise Refused(
                400,
                "One of the following params should be provided for this request: payment_intent or charge.",
            )
        intent: str = self.find(account, "charge", given["charge"])["payment_intent"]
        return intent


def public(thing: Thing) -> Thing:
    """Return the object without our own notes."""
    return {name: value for name, value in thing.items() if not name.startswith("_")}


def _total(items: list[dict[str, Any]]) -> tuple[str, int]:
    if not items:
        raise Refused(400, "Missing required param: line_items.", param="line_items")
    total, currencies = 0, set()
    for item in items:
        price = item.get("price_data", {})
        if "unit_amount" not in price or "product_data" not in price:
            raise Refused(
                400, "only price_data with unit_amount and product_data is simulated", param="line_items"
            )
        total += price["unit_amount"] * item.get("quantity", 1)
        currencies.add(price["currency"])
    if currencies != {"sek"}:
        raise Refused(400, "only sek is simulated", param="line_items[0][price_data][currency]")
    if total < LEAST_SEK:
        raise Refused(
            400,
            "The Checkout Session's total amount due must add up to at least 3.00 kr sek",
            code="amount_too_small",
        )
    return "sek", total


def _created_in(thing: Thing, given: Thing) -> bool:
    bounds = given.get("created")
    if bounds is None:
        return True
    if isinstance(bounds, int):
        return bool(thing["created"] == bounds)
    at = thing["created"]
    return bool(
        bounds.get("gte", at) <= at <= bounds.get("lte", at)
        and bounds.get("gt", at - 1) < at < bounds.get("lt", at + 1)
    )
