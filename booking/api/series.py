"""Recurring bookings on the wire."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from booking import reservations
from booking.api.auth import IdempotencyKey, once, once_if_keyed
from booking.api.errors import responses
from booking.api.search import must_be_sane
from booking.api.shapes import LimitQuery, Line, Note, OffsetQuery, PartyQuery, minute_of_day
from booking.errors import Rejected
from booking.people import Actor
from booking.reservations import Chosen, NewTimes, Purpose, SeriesOrder, SeriesPart, SeriesWish, Wall
from booking.span import Span

Clock = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$", examples=["18:00"])]
Instant = Annotated[datetime, Meta(tz=True, examples=["2026-12-01T17:00:00Z"])]
RuleText = Annotated[
    str,
    Meta(
        min_length=1, max_length=300, pattern=r"^[A-Z0-9=;,:+-]*$", examples=["FREQ=WEEKLY;BYDAY=TU;COUNT=10"]
    ),
]
Money = Annotated[int, Meta(ge=0, le=10_000_000_000)]
EARLIEST, LATEST = date(2000, 1, 1), date(2099, 12, 31)


class WallTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A local date with a stretch of the wall clock; one that ends at or before its start ends the day after."""

    date: date
    from_: Clock = msgspec.field(name="from")
    to: Clock

    @property
    def wall(self) -> Wall:
        """As the calendar knows it."""
        if not EARLIEST <= self.date <= LATEST:
            raise Rejected("the date is outside the calendar", code="bad_time")
        opens, closes = minute_of_day(self.from_, 0), minute_of_day(self.to, 0)
        if opens == 1440:
            raise Rejected("a time starts before 24:00", code="bad_time")
        return Wall(self.date, opens, closes if closes > opens else closes + 1440)


class SeriesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What recurs: the first time, an RFC 5545 rule (with COUNT or UNTIL), dates left out and times added.

    `reason` is for staff of the owner: why they book for somebody else, beyond notice, horizon and quota.
    """

    resource_id: UUID
    party_id: UUID
    first: WallTime
    rrule: RuleText
    purpose: Purpose = "training"
    title: Line | None = None
    exdates: Annotated[list[date], Meta(max_length=400)] = []
    rdates: Annotated[list[WallTime], Meta(max_length=100)] = []
    skip_school_breaks: bool = False
    reason: Annotated[str, Meta(min_length=1, max_length=500, pattern=r"^[^\x00]*$")] | None = None

    @property
    def wish(self) -> SeriesWish:
        """As the calendar knows it."""
        return SeriesWish(
            self.resource_id,
            self.party_id,
            self.purpose,
            self.title,
            self.first.wall,
            self.rrule,
            frozenset(self.exdates),
            tuple(one.wall for one in self.rdates),
            self.skip_school_breaks,
            self.reason,
        )


class ChosenTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One time to book: the series' own, or an alternative to the one that began at `instead_of`."""

    start: Instant
    end: Instant
    resource_id: UUID | None = None
    instead_of: Instant | None = None

    @property
    def chosen(self) -> Chosen:
        """As the calendar knows it."""
        span = Span(self.start, self.end)
        must_be_sane(span)
        return Chosen(span, self.resource_id, self.instead_of)


class NewSeries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Book these times of the series, all or none, at the sum that was shown (öre)."""

    wish: SeriesBody
    method: Literal["invoice", "free"]
    occurrences: Annotated[list[ChosenTime], Meta(min_length=1, max_length=400)]
    expected_total_ore: Money
    terms_version: Annotated[str, Meta(min_length=1, max_length=20)] | None = None


class PartBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which times: the one `from`, it and those after it, or all that are ahead."""

    scope: Literal["this", "following", "all"]
    from_: UUID | None = msgspec.field(name="from", default=None)

    @property
    def part(self) -> SeriesPart:
        """As the calendar knows it."""
        if self.scope != "all" and self.from_ is None:
            raise Rejected("say from which booking", code="from_missing")
        return SeriesPart(self.scope, self.from_)


class NewTimesBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What changes; what is left out stays."""

    resource_id: UUID | None = None
    from_: Clock | None = msgspec.field(name="from", default=None)
    to: Clock | None = None
    weekday_shift: Annotated[int, Meta(ge=-6, le=6)] = 0

    @property
    def times(self) -> NewTimes:
        """As the calendar knows it."""
        opens = None if self.from_ is None else minute_of_day(self.from_, 0)
        if opens == 1440:
            raise Rejected("a time starts before 24:00", code="bad_time")
        closes = None if self.to is None else minute_of_day(self.to, 0)
        return NewTimes(self.resource_id, opens, closes, self.weekday_shift)


class SeriesChange(PartBody, frozen=True, forbid_unknown_fields=True):
    """Another place, clock or weekday; with `dry_run` only looked at. `skip` names bookings that stay as they are."""

    new: NewTimesBody = msgspec.field(default_factory=NewTimesBody)
    dry_run: bool = False
    expected_total_ore: Money | None = None
    skip: Annotated[list[UUID], Meta(max_length=400)] = []


class SeriesCancel(PartBody, frozen=True, forbid_unknown_fields=True):
    """End these times; with `dry_run` only what it costs."""

    reason: Note | None = None
    dry_run: bool = False


class AddedDate(WallTime, frozen=True, forbid_unknown_fields=True):
    """One more time, at the price that was shown."""

    expected_price_ore: Money | None = None


class SeriesList(msgspec.Struct, frozen=True):
    """A page of series."""

    series: list[reservations.SeriesCard]
    total: int


class SeriesController(Controller):
    """Recurring bookings."""

    path = "/series"
    tags = ("Series",)

    @post("/preview", operation_id="PreviewSeries", status_code=200, responses=responses(401, 403, 404, 422))
    async def preview(
        self, data: JSONBody[SeriesBody], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> reservations.SeriesPreview:
        """Return every time with status, reason, price and the best alternative; nothing is booked."""
        return await reservations.preview_series(data.wish, by=actor, now=now)

    @post("/", operation_id="CreateSeries", responses=responses(401, 403, 404, 409, 422))
    async def create(
        self,
        request: Request[Any, Any, Any],
        data: JSONBody[NewSeries],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.SeriesPage]:
        """Book an explicit list of times at once. One that was taken meanwhile is named, and nothing is booked."""
        actor.must_be_known()
        chosen = [one.chosen for one in data.occurrences]
        order = SeriesOrder(data.wish.wish, chosen, data.method, data.expected_total_ore, data.terms_version)

        async def act() -> reservations.SeriesPage:
            made = await reservations.book_series(order, by=actor, now=now)
            return await reservations.series_page(made, actor, now)

        return await once(request, idempotency_key, now, act)

    @get("/", operation_id="ListSeries", responses=responses(401))
    async def index(
        self,
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        party_id: PartyQuery = None,
        limit: LimitQuery = 30,
        offset: OffsetQuery = 0,
    ) -> SeriesList:
        """Return the series of the parties the caller acts for."""
        actor.must_be_known()
        found, total = await reservations.series_of(
            actor, party=party_id, now=now, limit=limit, offset=offset
        )
        return SeriesList(found, total)

    @get("/{series_id:uuid}", operation_id="GetSeries", responses=responses(404))
    async def read(
        self, series_id: FromPath[UUID], actor: NamedDependency[Actor], now: NamedDependency[datetime]
    ) -> reservations.SeriesPage:
        """Return one series with its bookings to those it concerns; to everybody else it is absent."""
        return await reservations.series_page(series_id, actor, now)

    @post(
        "/{series_id:uuid}/change",
        operation_id="ChangeSeries",
        status_code=200,
        responses=responses(403, 404, 409, 422),
    )
    async def change(
        self,
        request: Request[Any, Any, Any],
        series_id: FromPath[UUID],
        data: JSONBody[SeriesChange],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.ChangePreview | reservations.SeriesPage]:
        """Move this, this and the following, or all times ahead; with `dry_run` show what it would mean.

        Answers with the preview, or with the series that the times belong to afterwards.
        """
        part, new = data.part, data.new.times

        async def look() -> reservations.ChangePreview | reservations.SeriesPage:
            return await reservations.preview_change(series_id, part, new, by=actor, now=now)

        async def act() -> reservations.ChangePreview | reservations.SeriesPage:
            made = await reservations.change_series(
                series_id,
                part,
                new,
                by=actor,
                now=now,
                expected_ore=data.expected_total_ore,
                skip=frozenset(data.skip),
            )
            return await reservations.series_page(made, actor, now)

        if data.dry_run:
            return await once_if_keyed(request, None, now, look)
        return await once_if_keyed(request, idempotency_key, now, act)

    @post(
        "/{series_id:uuid}/cancel",
        operation_id="CancelSeries",
        status_code=200,
        responses=responses(403, 404, 409, 422),
    )
    async def cancel(
        self,
        request: Request[Any, Any, Any],
        series_id: FromPath[UUID],
        data: JSONBody[SeriesCancel],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.CancelPreview | reservations.SeriesPage]:
        """End this, this and the following, or all times ahead; with `dry_run` show what it would cost."""
        part = data.part

        async def look() -> reservations.CancelPreview | reservations.SeriesPage:
            return await reservations.preview_cancel(series_id, part, by=actor, now=now)

        async def act() -> reservations.CancelPreview | reservations.SeriesPage:
            await reservations.cancel_series(series_id, part, by=actor, now=now, reason=data.reason)
            return await reservations.series_page(series_id, actor, now)

        if data.dry_run:
            return await once_if_keyed(request, None, now, look)
        return await once_if_keyed(request, idempotency_key, now, act)

    @post("/{series_id:uuid}/dates", operation_id="AddSeriesDate", responses=responses(403, 404, 409, 422))
    async def add_date(
        self,
        request: Request[Any, Any, Any],
        series_id: FromPath[UUID],
        data: JSONBody[AddedDate],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.SeriesPage]:
        """Book one more time in the series."""
        wall = data.wall

        async def act() -> reservations.SeriesPage:
            expected = data.expected_price_ore
            await reservations.add_date(series_id, wall, by=actor, now=now, expected_ore=expected)
            return await reservations.series_page(series_id, actor, now)

        return await once(request, idempotency_key, now, act)
