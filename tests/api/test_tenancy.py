"""Another municipality's private rows look absent, for every operation that the served OpenAPI names."""

import ast
import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar

from booking import billing, db, locks, messages, outbox, postgres
from booking.app import create_app
from booking.clock import SWEDEN
from booking.messages.owing import OWE
from booking.people import Actor, Role
from booking.people import actions as people_actions
from tests.api.conftest import Person, resource_named, running
from tests.conftest import settings_for

BOOKING = Path(__file__).parents[2] / "booking"
pytestmark = pytest.mark.asyncio(loop_scope="module")  # reads change nothing: one world serves them all

PIXEL = (  # a grey picture of one point
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg=="
)

# Operation → (addresses to ask, who may see them). {names} are filled in from the world below.
PRIVATE: dict[str, tuple[list[str], str]] = {
    "ListReservations": (["/api/reservations", "/api/reservations?party_id={party}", "/api/reservations?party_id={party}&when=past"], "ali"),
    "GetReservation": (["/api/reservations/{reservation}", "/api/reservations/{unpaid}"], "ali"),
    "GetAccess": (["/api/reservations/{reservation}/access"], "ali"),
    "GetHold": (["/api/holds/{hold}"], "ali"),
    "ListRequests": (["/api/requests?municipality=2401", "/api/requests?municipality=2401&state=decided"], "stina"),
    "GetTimeline": (["/api/timeline?municipality=2401&date={day}"], "stina"),
    "ListDoors": (["/api/doors?municipality=2401"], "stina"),
    "GetDoor": (["/api/doors/{door}"], "stina"),
    "GetCommand": (["/api/doors/{door}/commands/{command}"], "stina"),
    "ListAlarms": (["/api/door-alarms?municipality=2401", "/api/door-alarms?municipality=2401&open=false"], "stina"),
    "ListDoorEvents": (["/api/door-events?municipality=2401", "/api/door-events?municipality=2401&door_id={door}"], "stina"),
    "ExportDoorEvents": (["/api/door-events.csv?municipality=2401"], "stina"),
    "ListCredentials": (["/api/credentials?municipality=2401"], "stina"),
    "ListAssociations": (["/api/associations?municipality=2401"], "stina"),
    "ListControllers": (["/api/controllers?municipality=2401"], "stina"),
    "ListAccessRules": (["/api/access-rules?resource_id={resource}"], "stina"),
    "GetDoorPolicy": (["/api/door-policy?municipality=2401"], "stina"),
    "GetQuarantine": (["/api/controllers/{dark}/quarantine"], "admin"),
    "ListInvoices": (["/api/invoices", "/api/invoices?party_id={party}", "/api/invoices?municipality=2401", "/api/invoices?municipality=2401&party_id={party}"], "filip"),
    "GetInvoice": (["/api/invoices/{invoice}"], "ali"),
    "GetInvoicePdf": (["/api/invoices/{invoice}/pdf"], "ali"),
    "ListInvoiceRuns": (["/api/invoice-runs?municipality=2401"], "filip"),
    "ListUninvoiced": (["/api/uninvoiced?municipality=2401&month={later_month}"], "filip"),
    "GetTree": (["/api/settings/tree?municipality=2401"], "stina"),
    "GetResourceSettings": (["/api/settings/resources/{resource}"], "stina"),
    "ListTerms": (["/api/settings/municipalities/2401/terms"], "stina"),
    "ListTeams": (["/api/teams", "/api/teams?party_id={party}"], "ali"),
    "ListTeamTimes": (["/api/team-times", "/api/team-times?team_id={team}"], "ali"),
    "GetTeamPage": (["/api/team-times/{unpaid}"], "ali"),
    "GetDivision": (["/api/reservations/{unpaid}/team-times"], "ali"),
    "GetTrip": (["/api/reservations/{trip}/trip"], "ali"),
    "ListDrivers": (["/api/drivers?municipality=2401"], "stina"),
    "ListDamage": (["/api/resources/{resource}/damage"], "stina"),
    "GetDamagePhoto": (["/api/damage/{damage}/photo"], "stina"),
    "ListWaiting": (["/api/waiting"], "ali"),
    "ListWaitingQueue": (["/api/waiting/queue?municipality=2401"], "stina"),
    "ListFeeds": (["/api/feeds"], "ali"),
    "ListMessages": (["/api/messages?municipality=2401"], "stina"),
    "GetMessage": (["/api/messages/{message}"], "stina"),
    "ListWebhookEndpoints": (["/api/webhook-endpoints?municipality=2401"], "admin"),
    "GetWebhookSecrets": (["/api/webhook-endpoints/{endpoint}/secrets"], "admin"),
    "ListWebhookDeliveries": (["/api/webhook-deliveries?municipality=2401", "/api/webhook-deliveries?municipality=2401&endpoint_id={endpoint}"], "admin"),
    "ListSeries": (["/api/series", "/api/series?party_id={party}"], "ali"),
    "GetSeries": (["/api/series/{series}"], "ali"),
    "ListBlocks": (["/api/blocks?municipality=2401&from={day}&to={series_day}"], "stina"),
    "GetBlock": (["/api/blocks/{block}"], "stina"),
    "GetSeasonApplication": (["/api/season-rounds/{round}/application?party_id={party}"], "ali"),
    "GetSeasonPlan": (["/api/season-rounds/{round}/plan"], "stina"),
    "GetRules": (["/api/settings/municipalities/2401/rules", "/api/settings/facilities/{facility}/rules", "/api/settings/resources/{resource}/rules"], "stina"),
    "GetHours": (["/api/settings/municipalities/2401/hours", "/api/settings/facilities/{facility}/hours", "/api/settings/resources/{resource}/hours"], "stina"),
    "StreamEvents": (["/api/events?topics=reservation:{reservation}", "/api/events?topics=timeline:2401", "/api/events?topics=doors:2401", "/api/events?topics=invoices:2401"], "admin"),
}  # fmt: skip
PUBLIC = {  # operation → why anybody may read it; asked all the same, nothing private may show
    "GetFacility": ("/api/facilities/norrskenshallen", "what there is to book"),
    "GetResource": ("/api/resources/{resource}", "what there is to book"),
    "GetImage": ("/api/images/{image}", "what it looks like"),
    "GetTerms": ("/api/terms/2401/hemlig-1", "what everybody accepts"),
    "ListSchoolBreaks": ("/api/settings/municipalities/2401/school-breaks", "when school is out"),
    "ListMunicipalities": ("/api/municipalities", "the map"),
    "GetTheme": ("/api/theme?municipality=2401", "contacts of the municipality"),
    "GetMe": ("/api/me", "the caller's own"),
    "ListDemoLogins": ("/api/demo/logins", "only in the demonstration"),
    "GetAvailability": ("/api/resources/{resource}/availability?date={day}&party_id={party}", "taken or free, not by whom"),
    "GetPrice": ("/api/price?resource_id={resource}&start={start}&end={end}&party_id={party}", "the list is public; a foreign party counts as none"),
    "Search": ("/api/search?municipality=2401&date={day}&party_id={party}", "taken or free, not by whom"),
    "ReadFeed": ("/api/feeds/ics/{filips_feed}", "the address is the secret; this one is of somebody who has booked nothing"),
    "ReadResourceCalendar": ("/api/resources/{resource}/calendar.ics", "taken or free, not by whom"),
    "SearchSeries": ("/api/search/series?municipality=2401&weekday=1&from=18:00&to=20:00&first={day}&last=2027-03-31&party_id={party}", "taken or free, not by whom"),
    "ListSeasonRounds": ("/api/season-rounds?municipality=2401", "which seasons are shared out, not who applied"),
    "GetSeasonRound": ("/api/season-rounds/{round}", "which seasons are shared out, not who applied"),
    "GetMonth": ("/api/resources/{resource}/month?month={month}&party_id={party}", "taken or free, not by whom"),
    "ListSimulatedDoors": ("/api/simulation/doors", "only in the demonstration"),
    "IsAlive": ("/health/live", "no rows"),
    "IsReady": ("/health/ready", "no rows"),
}  # fmt: skip
OWN = {"GetMessageSettings": "/api/me/message-settings"}  # the caller's own, whoever asks
SERIES: dict[str, Any] = {"resource_id": "{resource}", "party_id": "{party}", "title": "Hemlig cup", "first": {"date": "{series_day}", "from": "18:00", "to": "20:00"}, "rrule": "FREQ=WEEKLY;COUNT=3"}  # fmt: skip
BLOCK: dict[str, Any] = {"municipality": "2401", "category": "closure", "title": "Hemlig stängning", "resource_ids": ["{resource}"], "start": "{start}", "end": "{end}"}  # fmt: skip
ROUND: dict[str, Any] = {"name": "Hösten", "starts_on": "2090-08-23", "ends_on": "2090-12-19", "applies_from": "2020-01-01T00:00:00Z", "applies_to": "2090-06-01T00:00:00Z", "resource_ids": ["{resource}"], "rules": {"classes": [{"sv": "Alla", "en": "All"}], "weekday": {"opens": 960, "closes": 1320}, "weekend": None}}  # fmt: skip
SEASON_WISH: dict[str, Any] = {"title": "Hemlig cup", "activity": "indoor_sport", "age_from": 8, "age_to": 10, "people": 20, "times": 1, "minutes": 60, "windows": [{"weekday": 0, "from": "18:00", "to": "20:00"}], "resource_ids": ["{resource}"]}  # fmt: skip
# Operations that change: asked by everybody the row is foreign to. Sign-up, log-in and webhooks name no row.
CHANGING: dict[str, tuple[str, str, dict[str, Any]]] = {
    "ChangeHold": ("PATCH", "/api/holds/{hold}", {"purpose": "match"}),
    "ExtendHold": ("POST", "/api/holds/{hold}/extend", {}),
    "ReleaseHold": ("DELETE", "/api/holds/{hold}", {}),
    "CreateReservation": ("POST", "/api/reservations", {"hold_id": "{hold}", "method": "invoice", "expected_price_ore": 14100, "terms_accepted": True}),
    "CreateHold": ("POST", "/api/holds", {"resource_id": "{resource}", "start": "{start}", "end": "{end}", "party_id": "{party}"}),
    "CancelReservation": ("POST", "/api/reservations/{reservation}/cancel", {}),
    "PreviewSeries": ("POST", "/api/series/preview", SERIES),
    "CreateSeries": ("POST", "/api/series", {"wish": SERIES, "method": "invoice", "occurrences": [{"start": "{start}", "end": "{end}"}], "expected_total_ore": 1}),
    "ChangeSeries": ("POST", "/api/series/{series}/change", {"scope": "all", "new": {"from": "19:00", "to": "21:00"}}),
    "CancelSeries": ("POST", "/api/series/{series}/cancel", {"scope": "all"}),
    "ApproveSeries": ("POST", "/api/series/{series}/approve", {}),
    "RejectSeries": ("POST", "/api/series/{series}/reject", {"reason": "Nej"}),
    "AddSeriesDate": ("POST", "/api/series/{series}/dates", {"date": "{series_day}", "from": "08:00", "to": "10:00"}),
    "PreviewBlock": ("POST", "/api/blocks/preview", BLOCK),
    "CreateBlock": ("POST", "/api/blocks", {"wish": BLOCK}),
    "LiftBlock": ("POST", "/api/blocks/{block}/lift", {}),
    "DisplaceReservation": ("POST", "/api/reservations/{unpaid}/displace", {"for": {"party_id": "{party}", "start": "{start}", "end": "{end}"}, "deed": "cancel", "reason": "Match"}),
    "CreateSeasonRound": ("POST", "/api/season-rounds", {"municipality": "2401", **ROUND}),
    "ChangeSeasonRound": ("PUT", "/api/season-rounds/{round}", ROUND),
    "OpenSeasonRound": ("POST", "/api/season-rounds/{round}/open", {}),
    "CloseSeasonRound": ("POST", "/api/season-rounds/{round}/close", {}),
    "ProposeSeason": ("POST", "/api/season-rounds/{round}/propose", {"seconds": 1}),
    "GiveSeasonTime": ("POST", "/api/season-rounds/{round}/allocations", {"wish_id": "{wish}", "at": {"resource_id": "{resource}", "weekday": 1, "from": "18:00", "to": "19:00"}}),
    "ChangeSeasonTime": ("PATCH", "/api/season-rounds/allocations/{allocation}", {"locked": False}),
    "RemoveSeasonTime": ("DELETE", "/api/season-rounds/allocations/{allocation}", {}),
    "PublishSeason": ("POST", "/api/season-rounds/{round}/publish", {"most": 1}),
    "SaveSeasonApplication": ("PUT", "/api/season-rounds/{round}/application", {"party_id": "{party}", "wishes": [SEASON_WISH]}),
    "SendSeasonApplication": ("POST", "/api/season-rounds/{round}/application/send", {"party_id": "{party}"}),
    "WithdrawSeasonApplication": ("POST", "/api/season-rounds/{round}/application/withdraw", {"party_id": "{party}"}),
    "WriteRules": ("PUT", "/api/settings/resources/{resource}/rules", {"valid_from": "2026-01-01", "notice_min": 60}),
    "DeleteRules": ("DELETE", "/api/settings/municipalities/2401/rules/2000-01-01", {}),
    "WriteSchedule": ("PUT", "/api/settings/facilities/{facility}/hours/schedules/new", {"name": "Stängt", "valid_from": "2026-01-01", "week": []}),
    "DeleteSchedule": ("DELETE", "/api/settings/facilities/{facility}/hours/schedules/{schedule}", {}),
    "AddException": ("POST", "/api/settings/municipalities/2401/hours/exceptions", {"from_day": "2026-12-24", "to_day": "2026-12-26", "reason": "Jul"}),
    "DeleteException": ("DELETE", "/api/settings/municipalities/2401/hours/exceptions/{exception}", {}),
    "ChangeResource": ("PATCH", "/api/settings/resources/{resource}", {"name": "Vår hall", "is_bookable": False}),
    "AddResource": ("POST", "/api/settings/facilities/{facility}/resources", {"name": "Hörnet", "kind": "hall_part", "tariff_class": "norrskenshallen.half", "parent_id": "{resource}", "own_leaf": True}),
    "AddImage": ("POST", "/api/settings/resources/{resource}/images", {"media_type": "image/png", "alt": "Bild", "content": PIXEL}),
    "DeleteImage": ("DELETE", "/api/settings/images/{image}", {}),
    "AddSchoolBreak": ("POST", "/api/settings/municipalities/2401/school-breaks", {"name": "Lov", "from_day": "2027-01-01", "to_day": "2027-01-02"}),
    "DeleteSchoolBreak": ("DELETE", "/api/settings/municipalities/2401/school-breaks/{break}", {}),
    "PublishTerms": ("POST", "/api/settings/municipalities/2401/terms", {"version": "9", "text_sv": "a", "text_en": "b"}),
    "HandOutReserve": ("POST", "/api/reservations/{reservation}/access/reserve", {}),
    "ShareAccess": ("POST", "/api/reservations/{reservation}/access/shares", {"label": "x"}),
    "ReplaceCode": ("POST", "/api/reservations/{reservation}/access/new-code", {}),
    "ReplaceSharedCode": ("POST", "/api/reservations/{reservation}/access/shares/{share}/new-code", {}),
    "UnshareAccess": ("DELETE", "/api/reservations/{reservation}/access/shares/{share}", {}),
    "OrderCommand": ("POST", "/api/doors/{door}/commands", {"op": "open", "reason": "because"}),
    "ConfirmCommand": ("POST", "/api/doors/{door}/commands/{command}/confirm", {}),
    "ChangeDoor": ("PATCH", "/api/doors/{door}", {"name": "Mitt"}),
    "RemoveDoor": ("POST", "/api/doors/{door}/remove", {"force": True}),
    "AddDoor": ("POST", "/api/controllers/{controller}/doors", {"wire_id": "d99", "name": "x"}),
    "WriteAccessRule": ("PUT", "/api/access-rules", {"resource_id": "{resource}", "door_id": "{door}", "before_min": 1, "after_min": 1}),
    "DeleteAccessRule": ("DELETE", "/api/access-rules/{access_rule}", {}),
    "WriteDoorPolicy": ("PUT", "/api/door-policy", {"municipality": "2401", "events_kept_days": 7, "reserve_per_day": 0, "alarm_lead_min": 5}),
    "AcknowledgeAlarm": ("POST", "/api/door-alarms/{alarm}/acknowledge", {"note": "x"}),
    "CreateCredential": ("POST", "/api/credentials", {"municipality": "2401", "role": "staff", "label": "x", "valid_from": "{start}"}),
    "RotateCredential": ("POST", "/api/credentials/{credential}/rotate", {"start": "{start}"}),
    "RevokeCredential": ("DELETE", "/api/credentials/{credential}", {}),
    "EnrolController": ("POST", "/api/controllers", {"name": "mitt-eget", "facility_id": "{facility}", "doors": [{"wire_id": "d1", "name": "x"}]}),
    "ReplaceController": ("POST", "/api/controllers/{controller}/replace", {}),
    "StageKey": ("POST", "/api/controllers/{controller}/key", {}),
    "ActivateKey": ("POST", "/api/controllers/{controller}/key/activate", {}),
    "RetireController": ("POST", "/api/controllers/{controller}/retire", {"force": True}),
    "EndQuarantine": ("POST", "/api/controllers/{dark}/quarantine/confirm", {}),
    "MoveReservation": ("POST", "/api/reservations/{reservation}/move", {"start": "{start}", "end": "{end}"}),
    "PreviewMove": ("POST", "/api/reservations/{reservation}/move/preview", {"start": "{start}", "end": "{end}"}),
    "WriteMessage": ("POST", "/api/reservations/{request}/messages", {"text": "Hej"}),
    "AnswerProposal": ("POST", "/api/reservations/{request}/proposals/1", {"answer": "accepted"}),
    "NoteUsage": ("POST", "/api/reservations/{reservation}/usage", {"used": "no_show"}),
    "ChargeOvertime": ("POST", "/api/reservations/{reservation}/overtime-fee", {"charged": True}),
    "ApproveRequest": ("POST", "/api/requests/{request}/approve", {}),
    "RejectRequest": ("POST", "/api/requests/{request}/reject", {"reason": "Nej"}),
    "ProposeChange": ("POST", "/api/requests/{request}/propose", {"text": "Hej", "start": "{start}", "end": "{end}"}),
    "CreateTeam": ("POST", "/api/teams", {"party_id": "{party}", "name": "P14"}),
    "RenameTeam": ("PATCH", "/api/teams/{team}", {"name": "P15"}),
    "RetireTeam": ("DELETE", "/api/teams/{team}", {}),
    "AddTeamMember": ("POST", "/api/teams/{team}/members", {"email": "sara@demo.test", "leads": True}),
    "RemoveTeamMember": ("DELETE", "/api/teams/{team}/members/{member}", {}),
    "GiveToTeam": ("PUT", "/api/reservations/{unpaid}/team", {"team_id": None}),
    "DivideAmongTeams": ("PUT", "/api/reservations/{unpaid}/team-times", {"times": []}),
    "PickUpVehicle": ("POST", "/api/reservations/{trip}/pickup", {"km": 1, "pct": 50}),
    "ReturnVehicle": ("POST", "/api/reservations/{trip}/return", {"km": 1, "pct": 50}),
    "RegisterDriver": ("PUT", "/api/drivers", {"municipality": "2401", "account_email": "eva@demo.test", "valid_to": "2090-01-01"}),
    "ReportDamage": ("POST", "/api/resources/{resource}/damage", {"text": "x"}),
    "MendDamage": ("POST", "/api/damage/{damage}/mended", {}),
    "JoinWaiting": ("POST", "/api/waiting", {"kind": "queue", "party_id": "{party}", "resource_id": "{resource}", "from_at": "{start}", "to_at": "{end}", "minutes": 120}),
    "LeaveWaiting": ("DELETE", "/api/waiting/{waiting}", {}),
    "RunInvoices": ("POST", "/api/invoice-runs", {"municipality": "2401", "month": "{month}"}),
    "CreateFeed": ("POST", "/api/feeds", {"kind": "party", "party_id": "{party}"}),
    "RenewFeed": ("POST", "/api/feeds/{feed}/renew", {}),
    "RevokeFeed": ("DELETE", "/api/feeds/{feed}", {}),
    "ResendMessage": ("POST", "/api/messages/{message}/resend", {}),
    "CreateWebhookEndpoint": ("POST", "/api/webhook-endpoints", {"municipality": "2401", "url": "https://hooks.example.org/", "events": ["reservation.*"]}),
    "ChangeWebhookEndpoint": ("PATCH", "/api/webhook-endpoints/{endpoint}", {"url": "https://hooks.example.net/"}),
    "DeleteWebhookEndpoint": ("DELETE", "/api/webhook-endpoints/{endpoint}", {}),
    "RotateWebhookSecret": ("POST", "/api/webhook-endpoints/{endpoint}/rotate", {}),
    "TestWebhookEndpoint": ("POST", "/api/webhook-endpoints/{endpoint}/test", {}),
    "ResendWebhookDelivery": ("POST", "/api/webhook-deliveries/{delivery}/resend", {}),
}  # fmt: skip
ROWLESS = {"ChangeMe", "CreateAccount", "LogIn", "LogOut", "ReceiveStripeEvent", "TrySimulatedDoor",
           "ChangeMessageSettings", "SetPhone", "ConfirmPhone", "ForgetPhone"}  # fmt: skip

OUTSIDERS = (
    "visitor",
    "eva",
    "sara",
    "olle",
)  # nobody; a resident; another club; another town's staff, finance, admin


@dataclass
class World:
    """One association's booking, code, hold and invoices in Nordmaling, and who asks for them."""

    app: Litestar
    people: dict[str, Person]
    names: dict[str, str] = field(default_factory=dict)
    secrets: list[str] = field(default_factory=list)

    def fill(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {key: self.fill(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.fill(one) for one in value]
        return value.format(**self.names) if isinstance(value, str) else value


@pytest.fixture(scope="module")
def address(server: postgres.Server, peopled: str) -> Iterator[str]:
    server.clone(peopled, "tenancy")
    yield server.url(postgres.APP, "tenancy")
    server.drop("tenancy")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(address: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    app = create_app(settings_for(address, tmp_path_factory.mktemp("keypads")))
    async with running(app):
        await make_admin("olle@demo.test", "2284")
        people = {"visitor": Person(app)}
        await people["visitor"].enter()
        for name in ("ali", "eva", "sara", "stina", "filip", "olle", "admin"):
            people[name] = Person(app)
            await people[name].log_in(f"{name}@demo.test")
        made = World(app, people)
        await furnish(made)
        yield made
        for one in people.values():
            await one.http.aclose()


async def make_admin(email: str, municipality: str) -> None:
    account = await db.value(UUID, "SELECT id FROM account WHERE email = $1", email)
    assert account
    await people_actions.give_role(account, municipality, Role.ADMIN)


async def furnish(world: World) -> None:
    """Nordmalings IBK has a booking that is invoiced, one that is not, a hold and a code."""
    ali = world.people["ali"]
    me = await ali.get("/api/me")
    party = next(one["party_id"] for one in me["identities"] if one["name"] == "Nordmalings IBK")
    hall = await resource_named(ali, "2401", "norrskenshallen hela")
    resource, facility = hall["id"], hall["facility"]["id"]
    first = datetime.now(UTC).replace(hour=16, minute=0, second=0, microsecond=0) + timedelta(days=1)
    spans = [(first + timedelta(days=days), first + timedelta(days=days, hours=2)) for days in (0, 54, 5, 6)]
    wishes = [
        {"resource_id": resource, "start": start.isoformat(), "end": end.isoformat(), "party_id": party, "purpose": "training", "title": "Hemlig cup"}
        for start, end in spans
    ]  # fmt: skip
    booked, later = [await reserve(ali, await ali.post("/api/holds", wish), "invoice") for wish in wishes[:2]]
    hold = await ali.post("/api/holds", wishes[2])
    asked_for = (await resource_named(ali, "2401", "hammarhallen hela"))["id"]
    await db.run("UPDATE effective_rule SET needs_approval = true WHERE resource = $1", UUID(asked_for))
    request = await reserve(
        ali, await ali.post("/api/holds", {**wishes[2], "resource_id": asked_for}), "invoice"
    )
    feed = await ali.post("/api/feeds", {"kind": "party", "party_id": party})
    filips = await world.people["filip"].post("/api/feeds", {"kind": "account"})
    admin = world.people["admin"]
    hook = {"municipality": "2401", "url": "https://hooks.example.org/hemlig", "events": ["reservation.*"]}
    endpoint = await admin.post("/api/webhook-endpoints", hook)
    secret = (await admin.get(f"/api/webhook-endpoints/{endpoint['id']}/secrets"))["secrets"][0]
    delivery = (await admin.send("POST", f"/api/webhook-endpoints/{endpoint['id']}/test")).json()
    await outbox.drain({OWE: messages.HANDLERS[OWE]}, lambda: datetime.now(UTC), lambda _debt, error: None)
    message = await db.value(UUID, "SELECT id FROM message WHERE about = $1", UUID(booked["id"]))
    month = f"{first.astimezone(SWEDEN):%Y-%m}"
    await billing.run_invoices("2401", month, by=Actor.system(), now=first)
    (invoice,) = (await ali.get("/api/invoices", party_id=party))["invoices"]
    access = await ali.get(f"/api/reservations/{booked['id']}/access")
    closed = {"from_day": f"{first + timedelta(days=2):%Y-%m-%d}", "to_day": f"{first + timedelta(days=55):%Y-%m-%d}", "reason": "Stängt"}  # fmt: skip
    made = await world.people["stina"].post("/api/settings/municipalities/2401/hours/exceptions", closed)
    exception = made["exceptions"][0]
    staff = "/api/settings/municipalities/2401"
    photo = {"media_type": "image/png", "alt": "Hallen", "content": PIXEL}
    image = (await world.people["stina"].post(f"/api/settings/resources/{resource}/images", photo))["images"][
        0
    ]
    day_off = {"name": "Lov", "from_day": "2090-01-01", "to_day": "2090-01-02"}
    holiday = (await world.people["stina"].post(staff + "/school-breaks", day_off))["school_breaks"][0]
    agreed = {"version": "hemlig-1", "text_sv": "Var snäll.", "text_en": "Be kind."}
    await world.people["stina"].post(staff + "/terms", agreed)
    series_day = f"{first.astimezone(SWEDEN) + timedelta(days=60):%Y-%m-%d}"
    world.names = {"party": party, "resource": resource, "series_day": series_day}
    shown = await ali.post("/api/series/preview", world.fill(SERIES), 200)
    series = await ali.post(
        "/api/series",
        {
            "wish": world.fill(SERIES),
            "method": "invoice",
            "occurrences": [{"start": one["start"], "end": one["end"]} for one in shown["occurrences"]],
            "expected_total_ore": shown["total_ore"],
        },
    )
    waiting = await ali.post(
        "/api/waiting",
        {"kind": "queue", "party_id": party, "resource_id": resource, "from_at": spans[0][0].isoformat(), "to_at": spans[0][1].isoformat(), "minutes": 120, "purpose": "training"},
    )  # fmt: skip
    at = {
        "start": f"{spans[1][1]:%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{spans[1][1] + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}",
    }
    kept = {**BLOCK, "resource_ids": [resource], **at}
    block = await world.people["stina"].post("/api/blocks", {"wish": kept})
    driver = await world.people["stina"].send(
        "PUT", "/api/drivers", json={"municipality": "2401", "account_email": "ali@demo.test", "valid_to": "2090-01-01"}
    )  # fmt: skip
    broken = await world.people["stina"].post(
        f"/api/resources/{resource}/damage",
        {"text": "Hemlig cup", "photo": {"media_type": "image/png", "content": PIXEL}},
    )
    team = await ali.post("/api/teams", {"party_id": party, "name": "Hemlig cup"})
    team = await ali.post(f"/api/teams/{team['id']}/members", {"email": "filip@demo.test"}, 200)
    stretch = {"team_id": team["id"], "start": spans[1][0].isoformat(), "end": spans[1][1].isoformat()}
    divided = await ali.send("PUT", f"/api/reservations/{later['id']}/team-times", json={"times": [stretch]})
    assert divided.status_code == 200, divided.text
    van = (await resource_named(ali, "2401", "minibuss"))["id"]
    trip = await reserve(ali, await ali.post("/api/holds", {**wishes[0], "resource_id": van}), "invoice")
    round_ = await stina_shares_out(world)
    world.names = {
        **round_,
        "waiting": waiting["id"],
        "damage": broken["id"],
        "trip": trip["id"],
        "team": team["id"],
        "member": team["members"][0]["account_id"],
        "block": block["id"],
        "series": series["id"],
        "series_day": series_day,
        "party": party,
        "resource": resource,
        "facility": facility,
        "schedule": str(
            await db.value(UUID, "SELECT id FROM opening_schedule WHERE facility = $1", UUID(facility))
        ),
        "exception": exception["id"],
        "image": image["id"],
        "break": holiday["id"],
        "reservation": booked["id"],
        "unpaid": later["id"],
        "hold": hold["id"],
        "request": request["id"],
        "feed": feed["id"],
        "endpoint": endpoint["id"],
        "delivery": delivery["id"],
        "message": str(message),
        "filips_feed": filips["url"].rsplit("/", 1)[-1],
        "invoice": invoice["id"],
        "door": access["doors"][0]["id"],
        "day": f"{first.astimezone(SWEDEN):%Y-%m-%d}",
        "month": month,
        "later_month": f"{spans[1][0].astimezone(SWEDEN):%Y-%m}",
        "start": spans[3][0].isoformat().replace("+00:00", "Z"),
        "end": spans[3][1].isoformat().replace("+00:00", "Z"),
    }
    world.names |= await furnish_doors(world, booked["id"], party, spans[0][0])
    world.secrets = [
        booked["id"], booked["number"], later["id"], hold["id"], invoice["id"], access["pin"],
        feed["id"], feed["url"], endpoint["id"], endpoint["url"], secret, delivery["id"], str(message),
        team["id"], waiting["id"], driver.json()["id"], broken["id"], feed["id"], feed["url"], series["id"], series["occurrences"][0]["id"],
        feed["id"], feed["url"], series["id"], series["occurrences"][0]["id"],
        block["id"], "Hemlig stängning",
        invoice["ocr"], "Nordmalings IBK", "Hemlig cup",
    ]  # fmt: skip


async def stina_shares_out(world: World) -> dict[str, str]:
    """A season with a wish of the association and a time that staff have given it."""
    stina, ali = world.people["stina"], world.people["ali"]
    made = await stina.post("/api/season-rounds", {"municipality": "2401", **world.fill(ROUND)})
    path = f"/api/season-rounds/{made['id']}"
    await stina.post(f"{path}/open", {}, 200)
    body = world.fill({"party_id": "{party}", "wishes": [SEASON_WISH]})
    saved = (await ali.send("PUT", f"{path}/application", json=body)).json()
    await ali.post(f"{path}/application/send", {"party_id": body["party_id"]}, 200)
    wish = saved["wishes"][0]["id"]
    allocation = await db.value(
        UUID,
        "INSERT INTO season_allocation (id, round, wish, resource, weekday, opens, closes, changed_at)"
        " VALUES (gen_random_uuid(), $1, $2, $3, 0, 1080, 1140, now()) RETURNING id",
        UUID(made["id"]),
        UUID(wish),
        UUID(world.names["resource"]),
    )
    return {"round": made["id"], "wish": wish, "allocation": str(allocation)}


async def furnish_doors(world: World, reservation: str, party: str, start: datetime) -> dict[str, str]:
    """A shared code, a standing one, an order, an event, an alarm, a controller in quarantine."""
    ali, admin, stina = (world.people[name] for name in ("ali", "admin", "stina"))
    access = await ali.get(f"/api/reservations/{reservation}/access")
    door = access["doors"][0]["id"]
    page = await stina.get(f"/api/doors/{door}")
    shares = f"/api/reservations/{reservation}/access/shares"
    share = (await ali.post(shares, {"label": "Hemlig cup"}))["share"]["id"]
    order = await stina.post(f"/api/doors/{door}/commands", {"op": "open", "reason": "Hemlig cup"})
    wish = {"municipality": "2401", "role": "association", "label": "Hemlig cup", "party_id": party, "valid_from": start.isoformat()}  # fmt: skip
    code = (await admin.post("/api/credentials", wish))["credential"]["id"]
    grant = await db.value(
        UUID, "SELECT id FROM access_grant WHERE reservation = $1 LIMIT 1", UUID(reservation)
    )
    await db.run(
        "INSERT INTO door_event (controller, gen, boot, seq, at, clock, door, kind, access_grant, received_at)"
        " VALUES ($1, 1, 1, 1, $3, 'ntp', $2, 'opened', $4, $3)",
        page["controller"],
        door,
        start,
        grant,
    )
    await locks.watch_alarms(start)
    alarms = await stina.get("/api/door-alarms", municipality="2401")
    dark = await db.value(
        str,
        "UPDATE controller SET quarantine = true WHERE id = (SELECT id FROM controller WHERE id <> $1"
        " AND facility IN (SELECT id FROM facility WHERE municipality = '2401') LIMIT 1) RETURNING id",
        page["controller"],
    )
    return {
        "share": share,
        "command": order["id"],
        "credential": code,
        "alarm": alarms["alarms"][0]["id"],
        "controller": page["controller"],
        "facility": page["facility"]["id"],
        "dark": dark or "",
        "access_rule": str(await db.value(UUID, "SELECT id FROM access_rule WHERE door = $1 LIMIT 1", door)),
    }


async def reserve(who: Person, hold: dict[str, Any], method: str) -> dict[str, Any]:
    body = {"hold_id": hold["id"], "method": method, "expected_price_ore": hold["price"]["total_ore"], "terms_accepted": True}  # fmt: skip
    return dict(await who.post("/api/reservations", body))


def operations(world: World) -> dict[str, str]:
    """Return operation → method of everything that is served."""
    paths = world.app.openapi_schema.to_schema()["paths"]
    methods = ("get", "post", "put", "patch", "delete")
    return {item[one]["operationId"]: one for item in paths.values() for one in methods if one in item}


async def test_every_operation__has_a_row_in_a_table(world: World) -> None:
    served = operations(world)
    assert {name for name, method in served.items() if method == "get"} == {*PRIVATE, *PUBLIC, *OWN}
    assert {name for name, method in served.items() if method != "get"} == {*CHANGING, *ROWLESS}


@pytest.mark.parametrize("who", OUTSIDERS)
@pytest.mark.parametrize("operation", PRIVATE)
async def test_an_outsider_reads__sees_nothing(world: World, operation: str, who: str) -> None:
    for path in PRIVATE[operation][0]:
        answer = await world.people[who].http.get(world.fill(path))
        assert answer.status_code in (200, 401, 403, 404), answer.text
        if answer.status_code == 200:
            assert "total" in answer.json(), f"{who} may read {path}"
            assert answer.json()["total"] == 0
        assert not leaks(world, answer)


@pytest.mark.parametrize("operation", sorted({*PRIVATE} - {"StreamEvents"}))
async def test_those_it_concerns__see_it(world: World, operation: str) -> None:
    paths, who = PRIVATE[operation]
    shown = []
    for path in paths:
        answer = await world.people[who].http.get(world.fill(path))
        assert answer.status_code == 200, (path, answer.text)
        shown += leaks(world, answer)
    assert shown or operation in (
        "ListDoors",
        "ListControllers",
        "GetQuarantine",
        "ListInvoiceRuns",
        "GetInvoicePdf",
        "GetTrip",
        "GetDamagePhoto",
        "GetRules",
        "GetTree",
        "GetResourceSettings",
        "ListTerms",
        "ListAccessRules",
        "GetDoorPolicy",
    )  # which name no row of ours


async def test_those_it_concerns__are_streamed_its_changes(world: World) -> None:
    paths, who = PRIVATE["StreamEvents"]
    for path in paths:
        with pytest.raises(TimeoutError):  # it streams until somebody leaves
            await asyncio.wait_for(world.people[who].http.get(world.fill(path)), 0.5)


@pytest.mark.parametrize("who", OUTSIDERS)
@pytest.mark.parametrize("operation", PUBLIC)
async def test_what_is_public__shows_nobodys_rows(world: World, operation: str, who: str) -> None:
    answer = await world.people[who].http.get(world.fill(PUBLIC[operation][0]))
    assert answer.status_code == 200, answer.text
    assert operation == "ListDemoLogins" or not leaks(world, answer)


@pytest.mark.parametrize("who", OUTSIDERS)
@pytest.mark.parametrize("operation", OWN)
async def test_what_is_ones_own__shows_nobody_elses(world: World, operation: str, who: str) -> None:
    answer = await world.people[who].http.get(OWN[operation])
    assert answer.status_code == (401 if who == "visitor" else 200)
    assert not leaks(world, answer)


@pytest.mark.parametrize("who", OUTSIDERS)
@pytest.mark.parametrize("operation", CHANGING)
async def test_an_outsider_acts_on_it__nothing_happens(world: World, operation: str, who: str) -> None:
    before = await footprint()
    method, path, body = CHANGING[operation]
    asked = {"json": world.fill(body)} if body or method != "DELETE" else {}
    answer = await world.people[who].send(method, world.fill(path), **asked)
    if operation == "ReleaseHold":
        assert answer.status_code == 204  # a no-op, whatever it names
    else:
        assert answer.status_code in (401, 403, 404), (answer.status_code, answer.text)
    assert not leaks(world, answer)
    assert await footprint() == before


@pytest.mark.parametrize(
    ("who", "operation"),
    [
        ("stina", "ListInvoices"),  # staff is not finance
        ("stina", "GetInvoice"),
        ("stina", "GetInvoicePdf"),
        ("stina", "ListInvoiceRuns"),
        ("stina", "ListUninvoiced"),
        ("stina", "GetQuarantine"),  # staff is not admin
        ("filip", "ListAlarms"),
        ("filip", "ListDoorEvents"),
        ("filip", "ListCredentials"),
        ("ali", "ListAssociations"),
        ("ali", "ListControllers"),
        ("ali", "ExportDoorEvents"),
        ("filip", "GetTimeline"),  # finance is not staff
        ("filip", "ListRequests"),
        ("ali", "ListRequests"),
        ("filip", "ListDoors"),
        ("filip", "GetDoor"),
        ("filip", "GetAccess"),
        ("filip", "GetRules"),
        ("filip", "GetHours"),
        ("filip", "GetTree"),
        ("filip", "GetResourceSettings"),
        ("filip", "ListTerms"),
        ("ali", "GetTimeline"),  # who books is neither
        ("ali", "ListDoors"),
        ("ali", "GetDoor"),
        ("ali", "GetRules"),
        ("ali", "GetHours"),
        ("ali", "GetTree"),
        ("ali", "GetResourceSettings"),
        ("ali", "ListInvoiceRuns"),
        ("ali", "ListUninvoiced"),
        ("admin", "GetHold"),  # a hold is its browser's alone
    ],
)
async def test_the_wrong_role_at_home__sees_nothing_either(world: World, who: str, operation: str) -> None:
    for path in PRIVATE[operation][0]:
        if who == "stina" and "municipality" not in path and operation == "ListInvoices":
            continue  # her own list, empty
        answer = await world.people[who].http.get(world.fill(path))
        assert answer.status_code == 404 or answer.json().get("total") == 0, (path, answer.text)
        assert not leaks(world, answer)


async def test_the_pin__is_in_no_answer_but_its_own(world: World) -> None:
    pin = world.secrets[5]
    for operation, (paths, who) in PRIVATE.items():
        if operation not in ("GetAccess", "StreamEvents", "GetInvoicePdf"):
            for path in paths:
                for reader in (who, "admin"):
                    answer = await world.people[reader].http.get(world.fill(path))
                    assert f'"{pin}"' not in answer.text, operation
    for table in ("journal", "outbox", "access_grant", "grant_window"):
        rows = await db.column(str, f"SELECT row_to_json(t)::text FROM {table} t")
        assert not any(pin in row for row in rows if f'"{pin}"' in row), table


def leaks(world: World, answer: httpx.Response) -> list[str]:
    """Return what the answer gives away, beside what the caller asked with."""
    return [secret for secret in world.secrets if secret in answer.text]


FOOTPRINT = [  # what an unwanted change would change
    "SELECT id || state || version || purpose || coalesce(hold_until::text, '') FROM reservation",
    "SELECT id || state FROM invoice",
    "SELECT id || version::text || coalesce(ended_at::text, '') FROM series",
    "SELECT id || coalesce(lifted_at::text, '') FROM staff_block",
    "SELECT id || state FROM charge",
    "SELECT id || state FROM waiting",
    "SELECT id || name || coalesce(retired_on::text, '') FROM team",
    "SELECT team || account::text || leads FROM team_member",
    "SELECT id::text FROM team_time",
    "SELECT id || valid_to::text FROM driver",
    "SELECT id || coalesce(mended_at::text, '') FROM damage_note",
    "SELECT reservation || coalesce(in_at::text, '') FROM trip",
    "SELECT id::text FROM invoice_run",
    "SELECT id::text FROM rule_set",
    "SELECT id || name || is_bookable FROM resource",
    "SELECT id::text FROM resource_image",
    "SELECT id::text FROM school_break",
    "SELECT id::text FROM terms",
    "SELECT id::text FROM opening_schedule",
    "SELECT id::text FROM opening_exception",
    "SELECT id || generation::text || coalesce(revoked_at::text, '') FROM feed",
    "SELECT id || state || url || generation::text FROM webhook_endpoint",
    "SELECT id || state FROM webhook_delivery",
    "SELECT id || state FROM message",
    "SELECT id || coalesce(confirmed_at::text, '') FROM door_command",
    "SELECT id || name || hint || mode FROM door",
    "SELECT id || coalesce(acknowledged_at::text, '') FROM door_alarm",
    "SELECT id || coalesce(revoked_at::text, '') || coalesce(successor::text, '') FROM access_credential",
    "SELECT id || gen || epoch || quarantine || coalesce(next_gen, 0) || coalesce(retired_at::text, '') FROM controller",
]


async def footprint() -> list[str]:
    """Return what an unwanted change would change."""
    return await db.column(str, " UNION ALL ".join(FOOTPRINT) + " ORDER BY 1")
    return await db.column(
        str,
        "SELECT id || state || version || purpose || coalesce(hold_until::text, '') || coalesce(used, '') FROM reservation"
        " UNION ALL SELECT id || text FROM request_message"
        " UNION ALL SELECT id || state FROM invoice UNION ALL SELECT id || state FROM charge"
        " UNION ALL SELECT id::text FROM invoice_run UNION ALL SELECT id::text FROM rule_set"
        " UNION ALL SELECT id || name || is_bookable FROM resource UNION ALL SELECT id::text FROM resource_image"
        " UNION ALL SELECT id::text FROM school_break UNION ALL SELECT id::text FROM terms"
        " UNION ALL SELECT id::text FROM opening_schedule UNION ALL SELECT id::text FROM opening_exception"
        " UNION ALL SELECT id || generation::text || coalesce(revoked_at::text, '') FROM feed"
        " UNION ALL SELECT id || state || url || generation::text FROM webhook_endpoint"
        " UNION ALL SELECT id || state FROM webhook_delivery UNION ALL SELECT id || state FROM message"
        " UNION ALL SELECT id || coalesce(confirmed_at::text, '') FROM door_command"
        " UNION ALL SELECT id || name || hint || mode FROM door"
        " UNION ALL SELECT id || coalesce(acknowledged_at::text, '') FROM door_alarm"
        " UNION ALL SELECT id || coalesce(revoked_at::text, '') || coalesce(successor::text, '') FROM access_credential"
        " UNION ALL SELECT id || gen || epoch || quarantine || coalesce(next_gen, 0) || coalesce(retired_at::text, '')"
        " FROM controller ORDER BY 1",
    )


# --- the same rule in the code ---

READERS = (
    "queries.py",
    "billing/invoice_pages.py",
    "locks/access_rules.py",
    "locks/alarm_pages.py",
    "locks/controllers.py",
    "locks/credential_pages.py",
    "locks/door_setup.py",
    "locks/event_log.py",
    "locks/lines.py",
    "locks/policy.py",
    "locks/quarantine.py",
    "locks/staff.py",
    "places/hour_pages.py",
    "places/pages.py",
    "places/rule_pages.py",
    "seasons/pages.py",
)
WITHOUT_ACTOR = {
    "places.resource": "what there is to book is public",
    "places.resources_by_id": "public",
    "places.resources": "public",
    "places.facility": "public",
    "places.facility_page": "public",
    "places.parts": "public",
    "places.equipment": "public",
    "places.leaves_of": "numbers of floors, which say nothing",
    "places.resource_page": "what there is to book is public",
    "places.picture": "public",
    "places.terms": "what everybody accepts",
    "places.breaks": "when school is out is public",
    "places.ordinary_hours": "opening hours are public",
    "places.different_ahead": "public",
    "places.rules_shown_on": "rules are public",
    "places.shown_rules": "pure",
    "people.actor_of_session": "makes the actor",
    "people.actor_of_account": "makes the actor",
    "reservations.trip_of": "the meter of a booking that the caller has filtered",
    "reservations.late_before": "when a vehicle was expected back, for a booking that the caller has filtered",
    "feeds.read": "makes the actor: who has the address reads as its owner",
    "feeds.of_resource": "taken or free, not by whom",
    "feeds.party_name": "of a feed that its owner has been allowed to make",
    "people.municipalities": "public",
    "locks.is_in_force": "pure",
    "locks.is_online": "pure",
    "seasons.clock": "pure",
    "locks.needs_reserve": "pure",
    "locks.forget_events": "the worker's; shows nothing",
    "locks.states_of": "states without codes, of bookings that the caller has filtered",
    "locks.add_door": "for the seed and the enrolment, which has asked who may",
    "locks.allow": "for the seed; write_rule asks who may",
    "locks.door_places": "names of doors for the demonstration's keypads",
    "locks.doors_of_resources": "which doors a public resource has",
}


async def test_every_query__takes_the_actor_or_is_listed_with_a_reason() -> None:
    files = [path for path in BOOKING.rglob("*.py") if any(path.as_posix().endswith(one) for one in READERS)]
    assert {path.parent.name for path in files} == {
        "billing", "feeds", "locks", "messages", "people", "places", "reservations", "seasons"
    }  # fmt: skip
    assert {name for path in files for name in without_actor(path)} == set(WITHOUT_ACTOR)


def without_actor(path: Path) -> Iterator[str]:
    """Yield package.function of every public function that does not take `by: Actor`."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            kinds = {one.arg: ast.unparse(one.annotation) if one.annotation else "" for one in (*node.args.args, *node.args.kwonlyargs)}  # fmt: skip
            if not kinds.get("by", "").startswith("Actor"):
                yield f"{path.parent.name}.{node.name}"
