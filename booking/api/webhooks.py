"""Stripe's webhook: verify the signature, store the event once, answer. The worker does the rest."""

from datetime import datetime
from typing import Annotated

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import PathParameter

from booking import billing
from booking.api.errors import responses
from booking.api.shapes import HTTPRequest


class WebhookController(Controller):
    """Events from Stripe, one address per municipality."""

    path = "/webhooks"
    tags = ("Webhooks",)

    @post(
        "/stripe/{municipality:str}",
        operation_id="ReceiveStripeEvent",
        status_code=200,
        responses=responses(403, 404),
    )
    async def stripe(
        self,
        request: HTTPRequest,
        municipality: Annotated[str, PathParameter(pattern=r"^[0-9]{4}$")],
        now: NamedDependency[datetime],
    ) -> None:
        """Store a signed event; a forged, old, future or foreign one is refused and leaves no row."""
        signature = request.headers.get("stripe-signature", "")
        await billing.store_event(municipality, await request.body(), signature, now=now)
