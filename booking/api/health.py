"""Is the process alive, and can it serve?"""

import msgspec
from litestar import Controller, get

from booking import db
from booking.api.errors import responses


class Health(msgspec.Struct, frozen=True):
    """`ok`."""

    status: str


class HealthController(Controller):
    """For load balancers and supervisors."""

    path = "/health"
    tags = ("Health",)

    @get("/live", operation_id="IsAlive")
    async def live(self) -> Health:
        """Return ok while the event loop turns."""
        return Health("ok")

    @get("/ready", operation_id="IsReady", responses=responses(503))
    async def ready(self) -> Health:
        """Return ok when the database answers and its schema is there; 503 otherwise."""
        await db.value(int, "SELECT count(*) FROM municipality")
        return Health("ok")
