"""The story itself, step by step, as its people would live it. Amounts are the published lists' golden examples."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from booking.check.client import Answer, Browser, StepFailed, until
from booking.clock import SWEDEN, utc_now
from booking.simulated.people import PASSWORD

HOME, NEIGHBOUR = "2401", "2284"  # Nordmaling is full; Örnsköldsvik has a small hall
NON_RESIDENT_ORE = 2 * 389_00  # O5: two hours of a small hall for a private person from Nordmaling
GRANTED_ORE = 141_00  # N2: two hours of Norrskenshallen at a quarter of 282 kr


class Story:
    """What the steps hand to each other."""

    def __init__(self, url: str) -> None:
        self.eva, self.ali, self.filip = Browser(url), Browser(url), Browser(url)
        self.url = url
        self.day = _cup_evening()
        self.hold: Answer = {}
        self.paid: Answer = {}
        self.cancelled: Answer = {}
        self.club: Answer = {}
        self.invoice: Answer = {}

    def close(self) -> None:
        """Everybody has closed their browser."""
        for browser in (self.eva, self.ali, self.filip):
            browser.close()

    def steps(self) -> list[tuple[str, Callable[[], None]]]:
        """Return the story's steps in order, each with the name it fails under."""
        return [
            ("own_municipality_is_full", self.own_municipality_is_full),
            ("neighbour_has_time", self.neighbour_has_time),
            ("hold_before_log_in", self.hold_before_log_in),
            ("loser_gets_alternatives", self.loser_gets_alternatives),
            ("log_in_keeps_hold", self.log_in_keeps_hold),
            ("pay", self.pay),
            ("code_applied", self.code_applied),
            ("door_follows_window", self.door_follows_window),
            ("cancel_takes_code_back", self.cancel_takes_code_back),
            ("association_books_at_grant_price", self.association_books),
            ("month_run_invoices_once", self.month_run_invoices_once),
            ("pdf_equals_ledger", self.pdf_equals_ledger),
        ]

    def own_municipality_is_full(self) -> None:
        """Eva finds no hall in Nordmaling on the evening of the cup."""
        self.eva.enter()
        found = self._search(neighbours=False)
        _equal("halls free in Nordmaling", 0, found["total_free"])

    def neighbour_has_time(self) -> None:
        """The same search with neighbours shows Örnsköldsvik's small hall at the price a neighbour pays."""
        found = self._search(neighbours=True)
        small = [
            hit
            for hit in found["results"]
            if hit["resource"]["facility"]["municipality"]["code"] == NEIGHBOUR
        ]
        hit = next((one for one in small if one["from_price_ore"] == NON_RESIDENT_ORE and one["free"]), None)
        if hit is None:
            raise StepFailed(f"no small hall at {NON_RESIDENT_ORE} öre among {len(small)} of the neighbour's")
        _equal("marked as a neighbour's", True, hit["neighbour"])
        self.hold = {"resource_id": hit["resource"]["id"], **{k: hit["free"][0][k] for k in ("start", "end")}}

    def hold_before_log_in(self) -> None:
        """Tapping a time holds it, before any log-in."""
        wish = {**self.hold, "purpose": "private", "home": HOME}
        self.hold = {**wish, **self.eva.post("/api/holds", wish)}
        _equal("price of the hold", NON_RESIDENT_ORE, self.hold["price"]["total_ore"])
        _equal("log-in still needed", True, self.hold["needs_login"])

    def loser_gets_alternatives(self) -> None:
        """Somebody else who wants the same time is told so at once, with alternatives."""
        self.ali.log_in("ali@demo.test", PASSWORD)
        wish = {"resource_id": self.hold["resource_id"], "start": self.hold["start"], "end": self.hold["end"]}
        refusal = self.ali.refused("/api/holds", wish)
        _equal("status of the loser", 409, refusal["status"])
        _equal("code of the loser", "slot_taken", refusal["code"])
        if not refusal["alternatives"]["same_resource"]:
            raise StepFailed("the loser got no other time of the same hall")

    def log_in_keeps_hold(self) -> None:
        """Eva logs in; the hold is still hers."""
        self.eva.log_in("eva@demo.test", PASSWORD)
        hold = self.eva.get(f"/api/holds/{self.hold['id']}")
        _equal("log-in still needed", False, hold["needs_login"])
        _equal("price after log-in", NON_RESIDENT_ORE, hold["price"]["total_ore"])

    def pay(self) -> None:
        """She pays on the (simulated) checkout page; the webhook confirms the booking."""
        self.paid = self._reserve(self.eva, self.hold["id"], "card", NON_RESIDENT_ORE)
        _equal("state before payment", "awaiting_payment", self.paid["state"])
        url = until(
            "the checkout page exists", lambda: self._booking(self.eva, self.paid)["payment"]["checkout_url"]
        )
        self.eva.press(url, do="card")
        until("the booking is paid", lambda: self._is(self.eva, self.paid, "confirmed", "paid"))

    def code_applied(self) -> None:
        """The page says that the code is in the door, and it is the door that said so."""
        access = until("the code is applied", lambda: self._access(self.eva, self.paid, "applied", "active"))
        if not access["confirmed_at"] or not access["pin"]:
            raise StepFailed(f"applied without a time or a code: {sorted(access)}")

    def door_follows_window(self) -> None:
        """The code is denied before the window, opens within it, and is denied after it."""
        access = self.eva.get(f"/api/reservations/{self._id(self.paid)}/access")
        door = access["doors"][0]
        opens, closes = (datetime.fromisoformat(door[name]) for name in ("opens_at", "closes_at"))
        for moment, expected in (
            (opens - timedelta(seconds=1), False),
            (opens, True),
            (closes - timedelta(seconds=1), True),
            (closes, False),
        ):
            _equal(
                f"door opens at {moment:%H:%M:%S}", expected, self._type(door["id"], access["pin"], moment)
            )

    def cancel_takes_code_back(self) -> None:
        """Another booking is cancelled: the door confirms that the code is gone, and denies it."""
        body = self._hold_later(self.ali, "small_hall", NEIGHBOUR, party=self._party("Nordmalings IBK"))
        made = self._reserve(self.ali, body["id"], "invoice", body["price"]["total_ore"])
        access = until("the code is applied", lambda: self._access(self.ali, made, "applied", "active"))
        self.cancelled = self.ali.post(f"/api/reservations/{self._id(made)}/cancel", {}, status=200)
        until("the removal is confirmed", lambda: self._access(self.ali, made, "removed_confirmed"))
        door = access["doors"][0]
        inside = datetime.fromisoformat(door["opens_at"]) + timedelta(minutes=1)
        _equal("door opens for a cancelled code", False, self._type(door["id"], access["pin"], inside))

    def association_books(self) -> None:
        """A grant-entitled association books at a quarter of the list price, to be invoiced."""
        hold = self._hold_later(self.ali, "norrskenshallen.whole", HOME, party=self._party("Nordmalings IBK"))
        _equal("grant-aided price", GRANTED_ORE, hold["price"]["total_ore"])
        self.club = self._reserve(self.ali, hold["id"], "invoice", GRANTED_ORE)
        _equal("state", "confirmed", self.club["state"])

    def month_run_invoices_once(self) -> None:
        """The month's run puts it on one invoice; running it again issues nothing."""
        self.filip.log_in("filip@demo.test", PASSWORD)
        body = {"municipality": HOME, "month": f"{utc_now().astimezone(SWEDEN):%Y-%m}"}
        first = self.filip.post("/api/invoice-runs", body)
        if (
            first["issued"] + first["already"] < 1
        ):  # a run that was cut short and sent again finds its own work
            raise StepFailed("the run issued no invoice")
        again = self.filip.post("/api/invoice-runs", body)
        _equal("invoices of the second run", 0, again["issued"])
        money = "invoiced" if self._is_this_month(self.club) else "to_invoice"  # a month's last evening
        until(f"the booking is {money}", lambda: self._is(self.ali, self.club, "confirmed", money))

    def pdf_equals_ledger(self) -> None:
        """Each of the association's invoices adds up, and its PDF says the ledger's total."""
        party = self._party("Nordmalings IBK")
        found = self.ali.get("/api/invoices", party_id=party)["invoices"]
        text = self.club["resource"]["facility"]["name"]
        mine = [self.ali.get(f"/api/invoices/{one['id']}") for one in found]
        hits = [one for one in mine if any(text in line["text"] for line in one["lines"])]
        if not hits and self._is_this_month(self.club):
            raise StepFailed("no invoice carries the association's booking")
        for one in mine:
            parts = one["net_ore"] + sum(group["vat_ore"] for group in one["vat"]) + one["rounding_ore"]
            _equal(f"sum of invoice {one['number']}", one["total_ore"], parts)
        self.invoice = (hits or mine)[0]
        _equal(
            "total in the PDF", True, _kronor(self.invoice["total_ore"]) in _pdf_text(self.ali, self.invoice)
        )

    # What the steps use.

    def _search(self, *, neighbours: bool) -> Answer:
        return self.eva.get(
            "/api/search",
            municipality=HOME,
            neighbours=str(neighbours).lower(),
            kind="hall",
            date=f"{self.day:%Y-%m-%d}",
            **{"from": "17:00", "to": "21:00"},
            duration_min=120,
            home=HOME,
            limit=100,
        )

    def _reserve(self, who: Browser, hold_id: str, method: str, ore: int) -> Answer:
        body = {"hold_id": hold_id, "method": method, "expected_price_ore": ore, "terms_accepted": True}
        return who.post("/api/reservations", body)

    def _hold_later(self, who: Browser, tariff_class: str, town: str, *, party: str) -> Answer:
        """Hold the first free two hours of a resource of the class from today on."""
        text = {"small_hall": "gymnastiksal", "norrskenshallen.whole": "norrskenshallen hela"}[tariff_class]
        for day in _days_of_this_run(self.day):
            found = who.get(
                "/api/search", municipality=town, neighbours="false", q=text, date=f"{day:%Y-%m-%d}",
                duration_min=120, party_id=party, purpose="training", sort="name",
            )  # fmt: skip
            for hit in found["results"]:
                for free in hit["free"]:
                    wish = {"resource_id": hit["resource"]["id"], "start": free["start"], "end": free["end"]}
                    return who.post("/api/holds", {**wish, "party_id": party, "purpose": "training"})
        raise StepFailed(f"nothing free in {town} for {text}")

    def _is_this_month(self, booking: Answer) -> bool:
        start = datetime.fromisoformat(booking["start"]).astimezone(SWEDEN)
        return f"{start:%Y-%m}" == f"{utc_now().astimezone(SWEDEN):%Y-%m}"

    def _party(self, name: str) -> str:
        me = self.ali.get("/api/me")
        return next(str(one["party_id"]) for one in me["identities"] if one["name"] == name)

    def _id(self, booking: Answer) -> str:
        return str(booking["id"])

    def _booking(self, who: Browser, booking: Answer) -> Answer:
        return who.get(f"/api/reservations/{self._id(booking)}")

    def _is(self, who: Browser, booking: Answer, state: str, money: str) -> bool:
        card = self._booking(who, booking)
        return bool(card["state"] == state and card["payment_state"] == money)

    def _access(self, who: Browser, booking: Answer, *states: str) -> Answer | None:
        access = who.get(f"/api/reservations/{self._id(booking)}/access")
        return access if access["state"] in states else None

    def _type(self, door: str, pin: str, at: datetime) -> bool:
        body: dict[str, Any] = {"pin": pin, "at": at.isoformat()}
        return bool(self.eva.post(f"/api/simulation/doors/{door}/try", body, status=200)["granted"])


def _cup_evening() -> datetime:
    """Return the local day on which the demonstration's cup fills every hall of Nordmaling."""
    from booking.demo.bookings import CUP_IN_DAYS

    return utc_now().astimezone(SWEDEN) + timedelta(days=CUP_IN_DAYS)


def _days_of_this_run(cup: datetime) -> list[datetime]:
    first = utc_now().astimezone(SWEDEN)
    return [first + timedelta(days=n) for n in range(14) if (first + timedelta(days=n)).date() != cup.date()]


def _equal(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise StepFailed(f"{what}: expected {expected!r}, got {found!r}")


def _kronor(ore: int) -> str:
    return f"{ore // 100:,}".replace(",", " ") + f",{ore % 100:02d}"


def _pdf_text(who: Browser, invoice: Answer) -> str:
    from io import BytesIO

    from pypdf import PdfReader

    reader = PdfReader(BytesIO(who.fetch(f"/api/invoices/{invoice['id']}/pdf")))
    text = " ".join(page.extract_text() for page in reader.pages)
    return " ".join(text.replace("\u00a0", " ").replace("\u202f", " ").split())
