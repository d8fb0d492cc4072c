"""Stripe, and the only module that imports it: checkout, refunds, signed events. Amounts in öre (SEK)."""

import contextlib
import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec

from booking.errors import NotAllowed, NotFound, Refusal, Unavailable

if TYPE_CHECKING:
    from stripe import HTTPXClient, PaymentIntent, StripeClient
    from stripe.checkout import Session

T = TypeVar("T")
TIMEOUT, RETRIES = 10, 3
TOLERANCE = timedelta(seconds=300)
LEAST_ORE = 300  # Stripe refuses a smaller SEK payment
SESSION_LIFE = timedelta(hours=3)  # Stripe allows 30 min to 24 h; the caller ends it earlier by a call

_STAMP = re.compile("[0-9]{1,12}")

PaymentState = Literal["pending", "paid", "failed", "expired"]


class GatewayRefused(Refusal):
    """Stripe answered, and the answer is no. Trying again would not help."""

    code = "payment_refused"


class BadSignature(NotAllowed):
    """The event was not signed by this municipality's Stripe account, or not now."""

    code = "bad_signature"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A Checkout Session as we need it. `intent` exists once somebody has tried to pay."""

    session_id: str
    url: str | None
    state: PaymentState
    intent: str | None
    amount_ore: int
    refunded_ore: int
    payment_id: str | None  # our own id, from the metadata


@dataclass(frozen=True, slots=True)
class Wanted:
    """A payment to be asked for."""

    payment_id: str
    amount_ore: int
    text: str
    return_url: str
    asked_at: datetime  # fixes the session's end, so that a repeated call has the same body


class EventFacts(msgspec.Struct, frozen=True):
    """What we keep of a verified event: which object to read again."""

    id: str
    type: str
    created: int
    object_id: str
    object_type: str
    payment_intent: str | None
    livemode: bool
    payment_id: str | None  # ours, from the metadata


@dataclass(slots=True)
class Gateway:
    """One process's way to Stripe: a client per municipality, each with that municipality's own key."""

    keys: Mapping[str, str] = field(repr=False)
    api_base: str | None = None
    _clients: dict[str, "StripeClient"] = field(default_factory=dict, repr=False)
    _http: list["HTTPXClient"] = field(default_factory=list, repr=False)

    def is_live(self, municipality: str) -> bool:
        """Tell whether the municipality's key moves real money."""
        return "_live_" in self.keys.get(municipality, "")

    async def create_checkout(self, municipality: str, wanted: Wanted, *, key: str) -> Checkout:
        """Return the session where the payer pays. The same key gives the same session."""
        stripe = self._client(municipality)
        metadata = {"payment": wanted.payment_id, "municipality": municipality}
        session = await _asked(
            stripe.v1.checkout.sessions.create_async(
                {
                    "mode": "payment",
                    "locale": "sv",
                    "client_reference_id": wanted.payment_id,
                    "metadata": metadata,
                    "payment_intent_data": {"metadata": metadata, "description": wanted.text},
                    "line_items": [
                        {
                            "quantity": 1,
                            "price_data": {
                                "currency": "sek",
                                "unit_amount": wanted.amount_ore,
                                "product_data": {"name": wanted.text},
                            },
                        }
                    ],
                    "success_url": wanted.return_url,
                    "cancel_url": wanted.return_url,
                    "expires_at": int((wanted.asked_at + SESSION_LIFE).timestamp()),
                },
                {"idempotency_key": key},
            )
        )
        return _checkout(session, refunded=0)

    async def read_checkout(self, municipality: str, session_id: str) -> Checkout:
        """Return the session as it is now, with what has been refunded of it."""
        stripe = self._client(municipality)
        session = await _asked(stripe.v1.checkout.sessions.retrieve_async(session_id))
        intent = _id_of(session.payment_intent)
        refunded = 0
        if intent and session.payment_status == "paid":
            found = await _asked(stripe.v1.refunds.list_async({"payment_intent": intent, "limit": 100}))
            refunded = sum(one.amount for one in found.data if one.status in ("succeeded", "pending"))
        return _checkout(session, refunded)

    async def expire_checkout(self, municipality: str, session_id: str) -> Checkout:
        """The session can't be paid any more; if it was paid first, the answer says so."""
        sessions = self._client(municipality).v1.checkout.sessions
        with contextlib.suppress(GatewayRefused):  # complete or expired already: the read below tells which
            await _asked(sessions.expire_async(session_id))
        return await self.read_checkout(municipality, session_id)

    async def refund(
        self, municipality: str, intent: str, amount_ore: int, *, refund_id: str, key: str
    ) -> str:
        """Return Stripe's id of the refund. The same key, or a refund that carries our id, is not repeated."""
        refunds = self._client(municipality).v1.refunds
        found = await _asked(refunds.list_async({"payment_intent": intent, "limit": 100}))
        for one in found.data:
            if _note(one.metadata, "refund") == refund_id:
                return one.id
        made = await _asked(
            refunds.create_async(
                {
                    "payment_intent": intent,
                    "amount": amount_ore,
                    "reason": "requested_by_customer",
                    "metadata": {"refund": refund_id},
                },
                {"idempotency_key": key},
            )
        )
        return made.id

    async def close(self) -> None:
        """Open connections are closed."""
        for http in self._http:
            await http.close_async()  # type: ignore[no-untyped-call]
        self._clients.clear()
        self._http.clear()

    def _client(self, municipality: str) -> "StripeClient":
        if municipality not in self._clients:
            self._clients[municipality] = self._open(municipality)
        return self._clients[municipality]

    def _open(self, municipality: str) -> "StripeClient":
        import stripe  # 0.8 s to import, and most processes never pay

        if municipality not in self.keys:
            raise NotFound(f"municipality {municipality} has no Stripe key (STRIPE_KEY_{municipality})")
        http = stripe.HTTPXClient(timeout=TIMEOUT)
        self._http.append(http)
        return stripe.StripeClient(
            self.keys[municipality],
            max_network_retries=RETRIES,
            http_client=http,
            base_addresses={"api": self.api_base} if self.api_base else {},
        )


def verify(raw: bytes, signature: str, secrets: tuple[str, ...], *, now: datetime) -> EventFacts:
    """Return the facts of an event signed with one of the secrets. Raises BadSignature.

    Stripe's package checks only that a timestamp is not too old; one from the future is refused here.
    """
    import stripe

    stamp = next((part[2:] for part in signature.split(",") if part.startswith("t=")), "")
    if not _STAMP.fullmatch(stamp) or abs(int(stamp) - now.timestamp()) > TOLERANCE.total_seconds():
        raise BadSignature("the signature's time is missing, too old or in the future")
    for secret in filter(None, secrets):
        try:
            stripe.WebhookSignature.verify_header(raw.decode(), signature, secret, None)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            continue
        try:
            return _facts(msgspec.json.decode(raw, type=_Event))
        except msgspec.DecodeError as error:
            raise BadSignature("the event is not one of Stripe's") from error
    raise BadSignature("no secret of this municipality fits the signature")


async def _asked(call: Awaitable[T]) -> T:
    """Await one call. Raises Unavailable when it may be tried again, GatewayRefused when not."""
    import stripe

    try:
        return await call
    except (stripe.APIConnectionError, stripe.RateLimitError) as error:
        raise Unavailable(f"Stripe can't be reached now: {error.user_message or error}") from error
    except stripe.StripeError as error:
        if error.http_status is None or error.http_status >= 500 or error.http_status == 409:
            raise Unavailable(f"Stripe failed: {error.user_message or error}") from error
        raise GatewayRefused(str(error.user_message or error)) from error


def _checkout(session: "Session", refunded: int) -> Checkout:
    return Checkout(
        session_id=session.id,
        url=session.url,
        state=_state(session),
        intent=_id_of(session.payment_intent),
        amount_ore=session.amount_total or 0,
        refunded_ore=refunded,
        payment_id=_note(session.metadata, "payment"),
    )


def _state(session: "Session") -> PaymentState:
    if session.payment_status == "paid":
        return "paid"
    return "expired" if session.status == "expired" else "pending"


def _id_of(reference: "str | PaymentIntent | None") -> str | None:
    return reference if reference is None or isinstance(reference, str) else reference.id


def _note(metadata: object, name: str) -> str | None:
    """Return one entry of the metadata, which is no dict in the package."""
    found = getattr(metadata, name, None) if metadata is not None else None
    return None if found is None else str(found)


class _About(msgspec.Struct, frozen=True):
    id: str
    object: str
    payment_intent: str | None = None
    metadata: dict[str, str] = {}


class _Data(msgspec.Struct, frozen=True):
    object: _About


class _Event(msgspec.Struct, frozen=True):
    id: str
    type: str
    created: int
    livemode: bool
    data: _Data


def _facts(event: _Event) -> EventFacts:
    about = event.data.object
    intent = about.id if about.object == "payment_intent" else about.payment_intent
    return EventFacts(
        event.id,
        event.type,
        event.created,
        about.id,
        about.object,
        intent,
        event.livemode,
        about.metadata.get("payment"),
    )
