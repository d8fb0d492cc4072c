"""create_app(settings): routes, dependencies, problem documents, life span. Wiring, no decisions."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from litestar import Litestar, Router
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.di import Provide
from litestar.openapi.config import OpenAPIConfig

from booking import billing, db, feeds, locks, messages, places
from booking.api.access import AccessController
from booking.api.auth import provide_actor, provide_now
from booking.api.billing import InvoiceController, RunController
from booking.api.blocks import BlockController
from booking.api.controllers import ControllerController
from booking.api.credentials import CredentialController
from booking.api.door_rules import AccessRuleController, DoorPolicyController
from booking.api.doors import AlarmController, DoorController, DoorEventController
from booking.api.errors import HANDLERS
from booking.api.events import EventController, Hub
from booking.api.feeds import FeedController, hide_secret
from booking.api.gate import before_request
from booking.api.health import HealthController
from booking.api.holds import HoldController
from booking.api.messages import MessageController
from booking.api.openapi import TidyJson
from booking.api.outgoing_webhooks import OutgoingWebhookController
from booking.api.people import PeopleController
from booking.api.places import PlacesController
from booking.api.requests import RequestController
from booking.api.reservations import ReservationController
from booking.api.resources import ResourceController
from booking.api.search import SearchController
from booking.api.season_applications import SeasonApplicationController
from booking.api.seasons import SeasonController
from booking.api.series import SeriesController
from booking.api.settings import HourController, RuleController
from booking.api.simulation import SimulationController
from booking.api.teams import TeamController, TeamTimeController
from booking.api.timeline import TimelineController
from booking.api.towns import TownController
from booking.api.vehicles import DamageController, DriverController, TripController
from booking.api.waiting import WaitingController
from booking.api.webhooks import WebhookController
from booking.clock import utc_now
from booking.settings import Settings
from booking.web import serve

MAX_BODY = 256 * 1024
CONTROLLERS = [
    PlacesController,
    ResourceController,
    TownController,
    RuleController,
    HourController,
    PeopleController,
    SearchController,
    HoldController,
    ReservationController,
    SeriesController,
    SeasonController,
    SeasonApplicationController,
    BlockController,
    RequestController,
    TimelineController,
    WaitingController,
    TeamController,
    TeamTimeController,
    TripController,
    DriverController,
    DamageController,
    AccessController,
    DoorController,
    AlarmController,
    AccessRuleController,
    DoorPolicyController,
    DoorEventController,
    CredentialController,
    ControllerController,
    InvoiceController,
    RunController,
    EventController,
    WebhookController,
    SimulationController,
    FeedController,
    MessageController,
    OutgoingWebhookController,
]


def create_app(settings: Settings) -> Litestar:
    """Return the web process's application."""

    @contextlib.asynccontextmanager
    async def life(app: Litestar) -> AsyncIterator[None]:
        await asyncio.to_thread(
            places.public_holidays, utc_now().year
        )  # or the first price imports 280 modules
        await db.open_pool(settings.database_url, settings.pool_size)
        await app.state.hub.start()
        try:
            yield
        finally:
            await app.state.hub.stop()
            await db.close_pool()

    billing.configure(settings)
    locks.configure(settings)
    messages.configure(settings, feeds.SOURCES)
    return Litestar(
        route_handlers=[
            Router("/api", route_handlers=list(CONTROLLERS)),
            HealthController,
            *serve.routes(settings.map_tile_url),
        ],
        dependencies={
            "now": Provide(provide_now, sync_to_thread=False),
            "actor": Provide(provide_actor),
            "settings": Provide(lambda: settings, sync_to_thread=False),
        },
        exception_handlers=HANDLERS,
        before_request=before_request,
        lifespan=[life],
        state=State({"settings": settings, "hub": Hub()}),
        request_max_body_size=MAX_BODY,
        compression_config=CompressionConfig(backend="gzip", minimum_size=1000, exclude=["/api/events"]),
        openapi_config=OpenAPIConfig(
            title="Booking",
            version="2026.11.0",
            description="Municipal booking: halls, premises and vehicles, priced, invoiced and unlocked.",
            path="/api",
            render_plugins=[TidyJson(path="/openapi.json")],
            use_handler_docstrings=True,
        ),
        logging_config=None,
        debug=False,
    )


def configure_logging() -> None:
    """Log lines carry time, level and name; never a secret."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("uvicorn.access").addFilter(hide_secret)
