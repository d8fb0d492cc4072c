"""Billing's fixtures: four municipalities with their lists, a person and an association, a simulated Stripe."""

import json
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from booking import billing, db, outbox
from booking.billing.price_lists import tariff_in_force
from booking.clock import SWEDEN
from booking.ids import new_id
from booking.outbox import Debt
from booking.people import Actor, Role
from booking.settings import Settings
from booking.simulated.stripe_server import Simulator
from tests.stripe_help import SECRET, receiver, simulator

__all__ = ["receiver", "simulator"]

UMEA, VANNAS = "2480", "2460"
FINANCE = Actor(account=UUID(int=1), roles=frozenset({(UMEA, Role.FINANCE)}))


@dataclass(frozen=True)
class Town:
    """Who there is to bill."""

    person: UUID
    association: UUID


async def party(kind: str, name: str, home: str, now: datetime, org_number: str | None = None) -> UUID:
    found = new_id()
    await db.run(
        "INSERT INTO party (id, kind, name, org_number, home_municipality, email, address, may_be_invoiced, created_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, true, $8)",
        found, kind, name, org_number, home, "kassor@example.se", "Storgatan 1, 903 26 Umeå", now,
    )  # fmt: skip
    return found


@pytest.fixture
async def town(pool: str, now: datetime) -> Town:
    """Umeå and Vännäs with published lists and legal entities; a person and a grant-entitled association in Umeå."""
    for code, name in ((UMEA, "Umeå"), (VANNAS, "Vännäs")):
        await db.run(
            "INSERT INTO municipality (code, name, lat, lon, contact_email, contact_phone, on_call_phone)"
            " VALUES ($1, $2, 63.8, 20.3, 'a@example.se', '090-1', '090-2')", code, name,
        )  # fmt: skip
        await billing.publish(billing.shipped(code), now=now)
        await billing.found_entity(
            code, name=f"{name} kommun (demo)", org_number="212000-0019", bankgiro="5050-1055",
            address="Box 1, 900 01 Ort", email="faktura@example.se",
        )  # fmt: skip
    association = await party("association", "IFK Umeå", UMEA, now, "802400-1234")
    await billing.record_evidence(
        party=association, municipality=UMEA, category="grant_entitled", valid_from=now.date(), now=now
    )
    return Town(await party("person", "Åsa Öberg", UMEA, now), association)


async def price(
    party_id: UUID, starts: datetime, minutes: int = 120, resource: str = "hall_a"
) -> billing.Quote:
    """What the association or person pays in Umeå."""
    day = starts.astimezone(SWEDEN).date()
    facts = await billing.customer_facts(party_id, UMEA, day, None)
    usage = billing.Usage(resource, starts, starts + timedelta(minutes=minutes), "training")
    return billing.quote(await tariff_in_force(UMEA, day), usage, facts)


async def charged(
    party_id: UUID, starts: datetime, now: datetime, source: UUID | None = None, minutes: int = 120,
    resource: str = "hall_a", paid_by: UUID | None = None,
) -> UUID:  # fmt: skip
    """Charge a use; returns its source."""
    source = source or new_id()
    quote = await price(party_id, starts, minutes, resource)
    async with db.transaction():
        await billing.charge(
            source=source, party=party_id, municipality=UMEA, kind="usage", quote=quote, service_at=starts,
            text="Umeå sporthall, A-hall", paid_by=paid_by, now=now,
        )  # fmt: skip
    return source


def paying(database: str, stripe: str) -> Settings:
    """Settings of a process that pays through the simulated Stripe."""
    return Settings(
        database_url=database,
        secret_key=bytes(32),
        stripe_api_base=stripe,
        stripe_keys={UMEA: "sk_test_umea", VANNAS: "sk_test_vannas"},
        stripe_webhook_secrets={UMEA: (SECRET,), VANNAS: ("whsec_test_vannas",)},
    )


@pytest.fixture
async def rail(town: Town, simulator: Simulator, database: str) -> AsyncIterator[Simulator]:
    """Billing is configured to pay through the simulated Stripe."""
    billing.configure(paying(database, simulator.stripe.address))
    yield simulator
    await billing.close()


def clock() -> datetime:
    return datetime.now(UTC)


async def drained(seconds_ahead: float = 0) -> list[str]:
    """Pay every due debt once, as the worker does; returns what failed."""
    failed: list[str] = []

    def note(debt: Debt, error: Exception) -> None:
        failed.append(f"{debt.kind}: {error}")

    await outbox.drain(
        billing.HANDLERS,
        lambda: clock() + timedelta(seconds=seconds_ahead),
        note,
    )
    return failed


def signed_event(simulator: Simulator, kind: str) -> dict[str, object]:
    """The latest event of a type at the simulated Stripe."""
    request = urllib.request.Request(
        f"{simulator.stripe.address}/v1/events?type={kind}", headers={"Authorization": "Bearer sk_test_umea"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        found: dict[str, object] = json.load(answer)["data"][0]
    return found
