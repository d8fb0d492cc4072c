"""Webhooks to other systems on the wire, for administrators. Stripe's webhooks to us: webhooks.py."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from booking import messages
from booking.api.auth import IdempotencyKey, once
from booking.api.errors import responses
from booking.api.shapes import (
    NO_CONTROLS,
    CodeRequired,
    HTTPRequest,
    LimitQuery,
    MunicipalityCode,
    OffsetQuery,
)
from booking.people import Actor

Url = Annotated[
    str, Meta(min_length=10, max_length=500, pattern=r"^[!-~]+$", examples=["https://example.org/hooks"])
]
Events = Annotated[
    list[Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[a-z_]+\.([a-z_]+|\*)$")]],
    Meta(min_length=1, max_length=60, examples=[["reservation.*", "invoice.issued"]]),
]
Words = Annotated[str, Meta(max_length=120, pattern=NO_CONTROLS)]


class NewEndpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where to post which events."""

    municipality: MunicipalityCode
    url: Url
    events: Events
    description: Words = ""


class EndpointChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays."""

    url: Url | None = None
    events: Events | None = None
    description: Words | None = None
    state: Literal["on", "off"] | None = None


class EndpointList(msgspec.Struct, frozen=True):
    """A municipality's endpoints, and the events there are."""

    endpoints: list[messages.EndpointView]
    event_types: list[str]
    total: int


class Secrets(msgspec.Struct, frozen=True):
    """The secrets that sign now, newest first."""

    secrets: list[str]

    def __repr__(self) -> str:
        return "Secrets(…)"


class DeliveryList(msgspec.Struct, frozen=True):
    """A page of deliveries."""

    deliveries: list[messages.DeliveryView]
    total: int


class OutgoingWebhookController(Controller):
    """Endpoints of other systems, signed by Standard Webhooks."""

    tags = ("Outgoing webhooks",)

    @get("/webhook-endpoints", operation_id="ListWebhookEndpoints", responses=responses(404))
    async def index(self, municipality: CodeRequired, actor: NamedDependency[Actor]) -> EndpointList:
        """Return the endpoints of a municipality where the caller is an administrator."""
        found = await messages.endpoints(municipality, by=actor)
        return EndpointList(found, [*messages.GROUPS, *messages.TYPES], len(found))

    @post("/webhook-endpoints", operation_id="CreateWebhookEndpoint", responses=responses(403, 404, 409, 422))
    async def create(
        self,
        request: HTTPRequest,
        data: JSONBody[NewEndpoint],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[messages.EndpointView]:
        """Subscribe an address to events. Read its secret at /secrets."""

        async def act() -> messages.EndpointView:
            return await messages.subscribe(
                data.municipality, data.url, data.events, data.description, by=actor, now=now
            )

        return await once(request, idempotency_key, now, act)

    @patch(
        "/webhook-endpoints/{endpoint_id:uuid}",
        operation_id="ChangeWebhookEndpoint",
        responses=responses(403, 404, 422),
    )
    async def change(
        self,
        endpoint_id: FromPath[UUID],
        data: JSONBody[EndpointChange],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
    ) -> messages.EndpointView:
        """Change an endpoint; turning it on again forgives earlier failures."""
        return await messages.change(
            endpoint_id,
            url=data.url,
            wishes=data.events,
            description=data.description,
            state=data.state,
            by=actor,
            now=now,
        )

    @delete(
        "/webhook-endpoints/{endpoint_id:uuid}",
        operation_id="DeleteWebhookEndpoint",
        responses=responses(403, 404),
    )
    async def remove(
        self, endpoint_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> None:
        """Delete an endpoint with what is owed to it."""
        await messages.unsubscribe(endpoint_id, by=actor, now=now)

    @get(
        "/webhook-endpoints/{endpoint_id:uuid}/secrets",
        operation_id="GetWebhookSecrets",
        responses=responses(404),
    )
    async def secrets(
        self, endpoint_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> Response[Secrets]:
        """Return the secrets that sign now; the look is journalled."""
        shown = Secrets(await messages.secrets(endpoint_id, by=actor, now=now))
        return Response(shown, headers={"Cache-Control": "no-store"})

    @post(
        "/webhook-endpoints/{endpoint_id:uuid}/rotate",
        operation_id="RotateWebhookSecret",
        status_code=200,
        responses=responses(403, 404, 409),
    )
    async def rotate(
        self, endpoint_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> messages.EndpointView:
        """Change the secret; for a day both the new and the old one sign."""
        return await messages.rotate(endpoint_id, by=actor, now=now)

    @post(
        "/webhook-endpoints/{endpoint_id:uuid}/test",
        operation_id="TestWebhookEndpoint",
        status_code=200,
        responses=responses(403, 404, 409),
    )
    async def test(
        self, endpoint_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> messages.DeliveryView:
        """Post a `webhook.test` to the endpoint."""
        return await messages.try_out(endpoint_id, by=actor, now=now)

    @get("/webhook-deliveries", operation_id="ListWebhookDeliveries", responses=responses(404))
    async def deliveries(
        self,
        municipality: CodeRequired,
        actor: NamedDependency[Actor],
        endpoint_id: Annotated[UUID | None, QueryParameter(required=False)] = None,
        wanted: Annotated[messages.DeliveryState | None, QueryParameter(name="state", required=False)] = None,
        limit: LimitQuery = 30,
        offset: OffsetQuery = 0,
    ) -> DeliveryList:
        """Return deliveries, newest first; `state=dead` are those that were given up."""
        found, total = await messages.delivered(
            municipality, endpoint_id, wanted, by=actor, limit=limit, offset=offset
        )
        return DeliveryList(found, total)

    @post(
        "/webhook-deliveries/{delivery_id:uuid}/resend",
        operation_id="ResendWebhookDelivery",
        status_code=200,
        responses=responses(403, 404, 409),
    )
    async def resend(
        self, delivery_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> messages.DeliveryView:
        """Send a delivery that was given up again, with the same id and body."""
        return await messages.send_again(delivery_id, by=actor, now=now)
