"""What people do to the calendar, as data: a deed is drawn, aimed at what is there, and then done or refused."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from hypothesis import strategies as st

from booking import db, people, places, reservations
from booking.billing import PaymentOutcome
from booking.clock import SWEDEN
from booking.people import Actor
from booking.people import actions as people_actions
from booking.places import Resource
from booking.reservations import (
    BlockWish,
    Chosen,
    Customer,
    Decision,
    SeriesOrder,
    SeriesPart,
    SeriesWish,
    Target,
    Wall,
    Wish,
)
from booking.span import Span
from tests.reservations.conftest import day_after, on, party, pool_of, rule, thing

OWNER = "2401"
VERBS = (
    "hold", "hold", "hold", "reserve", "reserve", "pay", "cancel", "release", "extend", "move", "approve", "reject",
    "propose", "answer", "block", "lift", "series", "approve_series", "reject_series", "cancel_series", "note_usage",
)  # fmt: skip


@dataclass(frozen=True)
class Deed:
    """One thing somebody does. `pick` chooses among what is there; the rest says where, when and how."""

    verb: str
    pick: int
    place: int
    day: int
    slot: int
    halves: int  # length in half hours
    yes: bool


deeds = st.builds(
    Deed,
    verb=st.sampled_from(VERBS),
    pick=st.integers(0, 11),
    place=st.integers(0, 5),
    day=st.integers(0, 1),
    slot=st.integers(0, 5),
    halves=st.integers(2, 5),
    yes=st.booleans(),
)
Act = Callable[[], Awaitable[object]]


@dataclass
class World:
    """Who acts, on what, and what time it is."""

    now: datetime
    first: date
    eva: Actor
    ali: Actor
    stina: Actor
    club: UUID
    things: list[Resource]
    served: dict[str, int] = field(default_factory=dict)

    def thing(self, deed: Deed) -> Resource:
        return self.things[deed.place % len(self.things)]

    def span(self, deed: Deed) -> Span:
        minute = 16 * 60 + 30 * deed.slot
        return on(self.first + timedelta(days=deed.day), f"{minute // 60}:{minute % 60:02}", 30 * deed.halves)


async def settle(now: datetime) -> World:
    """Return the town's people and six contested things: whole, halves (one by request in each way), room, cars, lanes."""

    async def enter(email: str) -> Actor:
        account = await db.value(UUID, "SELECT id FROM account WHERE email = $1", email)
        assert account
        token, _ = await people_actions.start_session(account, now)
        actor = await people.actor_of_session(token, now)
        assert actor
        return actor

    names = ("Hela hallen", "Halva hallen, öst", "Halva hallen, väst", "Cafeterian")
    things = [await thing("Norrskenshallen", name) for name in names]
    things += [await thing("Kommunhuset", "Minibuss, 9 platser")]
    things += [await pool_of(things[0], "Bana", "lane", 2, "norrskenshallen.badminton")]
    await rule(things[1], needs_approval=True, pending_holds=True)
    await rule(things[2], needs_approval=True, pending_holds=False)
    return World(
        now,
        day_after(now, 2),
        await enter("eva@demo.test"),
        await enter("ali@demo.test"),
        await enter("stina@demo.test"),
        await party("Nordmalings IBK"),
        things,
    )


class Lines(db.Record):
    """The leaves of one thing that can be had."""

    leaves: list[int]


class Aim(db.Record):
    """A reservation that a deed may be about."""

    id: UUID
    party: UUID | None
    price_ore: int
    resource: UUID
    starts_at: datetime


async def one_of(deed: Deed, *states: str, where: str = "true") -> Aim | None:
    found = await db.rows(
        Aim,
        "SELECT id, party, price_ore, resource, starts_at FROM reservation r WHERE kind = 'booking'"
        f" AND state = ANY($1) AND {where} ORDER BY number",
        list(states),
    )
    return found[deed.pick % len(found)] if found else None


async def aimed(world: World, deed: Deed) -> Act | None:
    """Return the deed ready to be done to what is there now, or None where there is nothing of the kind."""
    return await _AIMS[deed.verb](world, deed)


def whose(world: World, one: Aim, staff: bool = False) -> Actor:
    if staff:
        return world.stina
    return world.eva if one.party == world.eva.party else world.ali


async def _hold(world: World, deed: Deed) -> Act:
    by, customer = [
        (world.eva, Customer(world.eva.party)),
        (world.ali, Customer(world.club)),
        (Actor(session=uuid4()), Customer(home=OWNER)),
    ][deed.pick % 3]
    wish = Wish(
        world.thing(deed).id, world.span(deed), "meeting" if deed.place == 3 else "training", customer
    )
    return lambda: reservations.hold(wish, by=by, now=world.now)


async def _reserve(world: World, deed: Deed) -> Act | None:
    one = await one_of(deed, "held", where="party IS NOT NULL")
    if one is None:
        return None
    day = one.starts_at.astimezone(SWEDEN).date()
    terms = (await places.rules_on([one.resource], day))[one.resource].terms
    by = whose(world, one)
    method = "card" if by is world.eva or deed.yes else "invoice"
    return lambda: reservations.reserve(
        one.id, method=method, expected_ore=one.price_ore, by=by, now=world.now,
        return_url="http://127.0.0.1:9/{id}", terms_version=terms,
    )  # fmt: skip


async def _pay(world: World, deed: Deed) -> Act | None:
    found = await db.column(UUID, "SELECT id FROM payment ORDER BY created_at, id")
    if not found:
        return None
    payment = found[deed.pick % len(found)]
    source = await db.value(UUID, "SELECT source FROM payment WHERE id = $1", payment)
    amount = await db.value(int, "SELECT amount_ore FROM payment WHERE id = $1", payment)
    assert source
    outcome = PaymentOutcome(
        payment,
        source,
        OWNER,
        "expired" if deed.pick % 4 == 3 else "paid",
        f"cs_{payment}",
        f"pi_{payment}",
        amount or 0,
    )
    return lambda: reservations.settle_payment(outcome, now=world.now)


async def _cancel(world: World, deed: Deed) -> Act | None:
    one = await one_of(deed, "confirmed", "awaiting_payment", "requested", "completed")
    return one and (lambda: reservations.cancel(one.id, by=whose(world, one, deed.yes), now=world.now))


async def _release(world: World, deed: Deed) -> Act | None:
    one = await one_of(deed, "held", "confirmed")
    return one and (lambda: reservations.release_hold(one.id, by=Actor.system(), now=world.now))


async def _extend(world: World, deed: Deed) -> Act | None:
    one = await one_of(deed, "held")
    return one and (lambda: reservations.extend_hold(one.id, by=Actor.system(), now=world.now))


async def _move(world: World, deed: Deed) -> Act | None:
    one = await one_of(deed, "confirmed", "requested", "awaiting_payment")
    target = Target(world.span(deed), world.thing(deed).id if deed.place % 2 else None)
    return one and (lambda: reservations.move(one.id, target, by=whose(world, one, deed.yes), now=world.now))


async def _approve(world: World, deed: Deed) -> Act | None:
    one = await one_of(deed, "requested", "cancelled")
    return one and (
        lambda: reservations.approve(
            one.id, by=world.stina, now=world.now, return_url="http://127.0.0.1:9/{id}",
            others="reject" if deed.yes else "keep",
        )
    )  # fmt: skip


async def _reject(world: World, deed: Deed) -> Act | None:
    one = await one_of(deed, "requested", "confirmed")
    return one and (lambda: reservations.reject(one.id, by=world.stina, now=world.now, reason="Upptaget"))


async def _propose(world: World, deed: Deed) -> Act | None:
    one = await one_of(deed, "requested")
    target = Target(world.span(deed), world.thing(deed).id) if deed.yes else Target(world.span(deed))
    return one and (lambda: reservations.propose(one.id, "Går detta?", target, by=world.stina, now=world.now))


async def _answer(world: World, deed: Deed) -> Act | None:
    one = await one_of(
        deed,
        "requested",
        "confirmed",
        where="EXISTS (SELECT FROM request_message m WHERE m.reservation = r.id)",
    )
    if one is None:
        return None
    message = await db.value(int, "SELECT max(id) FROM request_message WHERE reservation = $1", one.id)
    return lambda: reservations.answer_proposal(
        one.id, message or 0, "accepted" if deed.yes else "declined", by=whose(world, one), now=world.now,
        return_url="http://127.0.0.1:9/{id}",
    )  # fmt: skip


async def _block(world: World, deed: Deed) -> Act:
    ids = tuple(world.things[n % len(world.things)].id for n in {deed.place, deed.pick} if n != 4)
    wish = BlockWish(
        OWNER, "closure", "Stängt", "Golvet lagas", ids or (world.things[0].id,), world.span(deed)
    )

    async def close() -> object:
        seen = await reservations.preview_block(wish, by=world.stina, now=world.now)
        decisions = [
            Decision(one.reservation.id, "cancel")
            if deed.yes or one.best is None or one.reservation.state != "confirmed"
            else Decision(
                one.reservation.id, "move", Span(one.best.start, one.best.end), one.best.resource.id
            )
            for one in seen.affected
        ]
        return await reservations.create_block(wish, decisions, by=world.stina, now=world.now)

    return close


async def _lift(world: World, deed: Deed) -> Act | None:
    found = await db.column(UUID, "SELECT id FROM staff_block ORDER BY created_at, id")
    return (
        (lambda: reservations.lift_block(found[deed.pick % len(found)], by=world.stina, now=world.now))
        if found
        else None
    )


async def _series(world: World, deed: Deed) -> Act | None:
    start, end = (one.astimezone(SWEDEN) for one in (world.span(deed).start, world.span(deed).end))
    opens = start.hour * 60 + start.minute
    first = Wall(start.date(), opens, opens + int((end - start) / timedelta(minutes=1)))
    thing = world.thing(deed) if deed.place == 5 else world.things[deed.place % 3]
    wish = SeriesWish(thing.id, world.club, "training", None, first, "FREQ=DAILY;COUNT=2")
    seen = await reservations.preview_series(wish, by=world.ali, now=world.now)
    chosen = [Chosen(Span(one.start, one.end)) for one in seen.occurrences if one.reason is None]
    order = SeriesOrder(wish, chosen, "invoice", seen.total_ore)
    return (lambda: reservations.book_series(order, by=world.ali, now=world.now)) if chosen else None


async def _approve_series(world: World, deed: Deed) -> Act | None:
    series = await _asked_series(deed)
    taken: Literal["keep", "reject"] = "reject" if deed.pick % 2 else "keep"
    others: Literal["keep", "reject"] = "reject" if deed.yes else "keep"
    return series and (
        lambda: reservations.approve_series(series, by=world.stina, now=world.now, taken=taken, others=others)
    )


async def _reject_series(world: World, deed: Deed) -> Act | None:
    series = await _asked_series(deed)
    return series and (
        lambda: reservations.reject_series(series, by=world.stina, now=world.now, reason="Upptaget")
    )


async def _asked_series(deed: Deed) -> UUID | None:
    one = await one_of(deed, "requested", where="series IS NOT NULL")
    return one and await db.value(UUID, "SELECT series FROM reservation WHERE id = $1", one.id)


async def _cancel_series(world: World, deed: Deed) -> Act | None:
    one = await one_of(deed, "confirmed", "requested", where="series IS NOT NULL")
    if one is None:
        return None
    series = await db.value(UUID, "SELECT series FROM reservation WHERE id = $1", one.id)
    assert series
    part = SeriesPart("following" if deed.yes else "this", one.id)
    return lambda: reservations.cancel_series(series, part, by=world.ali, now=world.now)


async def _note_usage(world: World, deed: Deed) -> Act | None:
    one = await one_of(deed, "confirmed", "completed")
    used = "used" if deed.yes else "no_show"
    return one and (lambda: reservations.note_usage(one.id, used, by=world.stina, now=world.now))


_AIMS: dict[str, Callable[[World, Deed], Awaitable[Act | None]]] = {
    "hold": _hold, "reserve": _reserve, "pay": _pay, "cancel": _cancel, "release": _release, "extend": _extend,
    "move": _move, "approve": _approve, "reject": _reject, "propose": _propose, "answer": _answer, "block": _block,
    "lift": _lift, "series": _series, "approve_series": _approve_series, "reject_series": _reject_series,
    "cancel_series": _cancel_series, "note_usage": _note_usage,
}  # fmt: skip
