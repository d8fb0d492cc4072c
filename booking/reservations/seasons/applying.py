"""An association's application in a round: saved, sent, withdrawn, until the last day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from booking import db
from booking.errors import NotFound, Rejected
from booking.ids import new_id
from booking.people import Actor
from booking.reservations.seasons.ground import Window
from booking.reservations.seasons.rounds import RoundRow, RoundState, round_row, tell
from booking.reservations.seasons.rules import Activity

MOST_WISHES, MOST_WINDOWS = 40, 60


@dataclass(frozen=True, slots=True)
class NewWish:
    """A team's or an activity's weekly times. Resources in the order in which they are liked."""

    title: str
    activity: Activity
    age_from: int
    age_to: int
    people: int
    whole_season: bool
    times: int
    minutes: int
    windows: tuple[Window, ...]
    resources: tuple[UUID, ...]


async def save_application(
    round_id: UUID, party: UUID, wishes: Sequence[NewWish], note: str, *, by: Actor, now: datetime
) -> None:
    """The party's application has these wishes and no other. One that was sent stays sent.

    Raises RoundState (`round_not_accepting`), NotFound, NotAllowed, Rejected naming the `wish`.
    """
    by.must_be_known()
    by.must_act_for(party)
    async with db.transaction():
        row = await _accepting(round_id, by, now)
        for number, wish in enumerate(wishes):
            _must_make_sense(row, number, wish)
        application = await db.value(
            UUID,
            "INSERT INTO season_application (id, round, party, account, note, changed_at)"
            " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (round, party) DO UPDATE SET account = excluded.account,"
            " note = excluded.note, changed_at = excluded.changed_at,"
            " state = CASE season_application.state WHEN 'withdrawn' THEN 'draft' ELSE season_application.state END"
            " RETURNING id",
            new_id(),
            round_id,
            party,
            by.account,
            note,
            now,
        )
        await _write(application, wishes)
        await tell("season.application_saved", round_id, row.municipality, by, now, party=party)


async def send_application(round_id: UUID, party: UUID, *, by: Actor, now: datetime) -> None:
    """Staff will see it. Sending again is a no-op. Raises RoundState, NotFound, Rejected (`no_wishes`)."""
    by.must_act_for(party)
    async with db.transaction():
        row = await _accepting(round_id, by, now)
        application = await _own(round_id, party)
        if not await db.value(int, "SELECT count(*) FROM season_wish WHERE application = $1", application):
            raise Rejected("an application has one wish at least", code="no_wishes")
        await db.run(
            "UPDATE season_application SET state = 'sent', sent_at = $2, account = $3 WHERE id = $1 AND state <> 'sent'",
            application,
            now,
            by.account,
        )
        await tell("season.application_sent", round_id, row.municipality, by, now, party=party)


async def withdraw_application(round_id: UUID, party: UUID, *, by: Actor, now: datetime) -> None:
    """Staff no longer count with it; saving it again makes it a draft. Raises RoundState, NotFound."""
    by.must_act_for(party)
    async with db.transaction():
        row = await _accepting(round_id, by, now)
        application = await _own(round_id, party)
        await _forget(application)
        await db.run("UPDATE season_application SET state = 'withdrawn' WHERE id = $1", application)
        await tell("season.application_withdrawn", round_id, row.municipality, by, now, party=party)


async def _accepting(round_id: UUID, by: Actor, now: datetime) -> RoundRow:
    row = await round_row(round_id, by, lock=True)
    begun = await db.value(
        bool, "SELECT EXISTS (SELECT FROM season_allocation WHERE round = $1 AND state = 'final')", round_id
    )
    if begun or not row.accepts(now):
        raise RoundState(
            "one can't apply now",
            code="round_not_accepting",
            applies_from=row.applies_from,
            applies_to=row.applies_to,
        )
    return row


async def _own(round_id: UUID, party: UUID) -> UUID:
    found = await db.value(
        UUID,
        "SELECT id FROM season_application WHERE round = $1 AND party = $2 FOR NO KEY UPDATE",
        round_id,
        party,
    )
    if found is None:
        raise NotFound("there is no such application")
    return found


def _must_make_sense(row: RoundRow, number: int, wish: NewWish) -> None:
    """Raise Rejected for a wish that the round can't answer."""
    rules = row.terms
    if not rules.shortest <= wish.minutes <= rules.longest:
        text = f"a time lasts {rules.shortest} to {rules.longest} minutes in this round"
        raise Rejected(text, code="wish_length", wish=number, shortest=rules.shortest, longest=rules.longest)
    if not wish.resources or not set(wish.resources) <= set(row.resources):
        raise Rejected("choose places of this round", code="wish_resources", wish=number)
    if not wish.windows or any(one.closes <= one.opens for one in wish.windows):
        raise Rejected("say when it would suit", code="wish_windows", wish=number)
    if wish.age_to < wish.age_from:
        raise Rejected("the oldest are younger than the youngest", code="wish_ages", wish=number)
    if len({one.weekday for one in wish.windows}) < wish.times:
        raise Rejected("at most one time a day: choose as many days as times", code="wish_days", wish=number)


async def _write(application: UUID | None, wishes: Sequence[NewWish]) -> None:
    await _forget(application)
    await db.run("DELETE FROM season_wish WHERE application = $1", application)
    for number, wish in enumerate(wishes):
        made = new_id()
        await db.run(
            "INSERT INTO season_wish (id, application, position, title, activity, age_from, age_to, people,"
            " whole_season, times, minutes, windows) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            made,
            application,
            number,
            wish.title,
            wish.activity,
            wish.age_from,
            wish.age_to,
            wish.people,
            wish.whole_season,
            wish.times,
            wish.minutes,
            msgspec.json.encode(wish.windows).decode(),
        )
        await db.run(
            "INSERT INTO season_wish_resource (wish, resource, position)"
            " SELECT $1, r, n FROM unnest($2::uuid[]) WITH ORDINALITY AS t(r, n)",
            made,
            list(dict.fromkeys(wish.resources)),
        )


async def _forget(application: UUID | None) -> None:
    """What had been proposed for the wishes is gone: the round was opened again after a proposal."""
    await db.run(
        "DELETE FROM season_allocation WHERE wish IN (SELECT id FROM season_wish WHERE application = $1)",
        application,
    )
