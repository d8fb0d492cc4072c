"""Recurring bookings on the wire."""

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from booking import reservations
from booking.api.auth import IdempotencyKey, once, once_if_keyed
from booking.api.errors import responses
from booking.api.series_bodies import (
    AddedDate,
    NewSeries,
    SeriesApproval,
    SeriesBody,
    SeriesCancel,
    SeriesChange,
    SeriesRejection,
)
from booking.api.shapes import HTTPRequest, LimitQuery, OffsetQuery, PartyQuery
from booking.people import Actor
from booking.reservations import SeriesOrder


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
        request: HTTPRequest,
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
        request: HTTPRequest,
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
        request: HTTPRequest,
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
        request: HTTPRequest,
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

    @post(
        "/{series_id:uuid}/approve",
        operation_id="ApproveSeries",
        status_code=200,
        responses=responses(403, 404, 409, 422),
    )
    async def approve(
        self,
        request: HTTPRequest,
        series_id: FromPath[UUID],
        data: JSONBody[SeriesApproval],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.SeriesDecision]:
        """Grant every time that is still asked for; those that somebody else has are named in the answer.

        If none of them can be had, 409 `slot_taken` and nothing has changed.
        """

        async def act() -> reservations.SeriesDecision:
            return await reservations.approve_series(
                series_id, by=actor, now=now, reason=data.reason, taken=data.taken, others=data.others
            )

        return await once_if_keyed(request, idempotency_key, now, act)

    @post(
        "/{series_id:uuid}/reject",
        operation_id="RejectSeries",
        status_code=200,
        responses=responses(403, 404, 409),
    )
    async def reject(
        self,
        request: HTTPRequest,
        series_id: FromPath[UUID],
        data: JSONBody[SeriesRejection],
        actor: NamedDependency[Actor],
        now: NamedDependency[datetime],
        idempotency_key: IdempotencyKey = None,
    ) -> Response[reservations.SeriesDecision]:
        """Refuse every time that is still asked for, for a reason that the customer reads."""

        async def act() -> reservations.SeriesDecision:
            return await reservations.reject_series(series_id, by=actor, now=now, reason=data.reason)

        return await once_if_keyed(request, idempotency_key, now, act)
