"""Everything that can be done to the calendar, in any order, by several at once: Hypothesis looks for the day it lies.

CI draws the same short stories every time. `BOOKING_MACHINE=500 pytest tests/machine` draws so many new, long ones.
"""

import asyncio
import os
import traceback
from collections import Counter
from collections.abc import Coroutine
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from booking import billing, db, feeds, locks, messages, places, postgres, reservations
from booking.errors import Refusal
from booking.reservations import SlotTaken
from booking.span import Span
from tests.conftest import NOW, settings_for
from tests.machine import truths
from tests.machine.deeds import Deed, Lines, aimed, deeds, settle
from tests.reservations.test_shown_is_bookable import CODES, WHO, answer_to

T = TypeVar("T")
MANY = int(os.environ.get("BOOKING_MACHINE", "0"))
_numbers = count(1)
tally = Counter[str]()
# A machine with too much to do: the API says 503 and nothing has changed. A deadlock is never excused.
BUSY = (asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError, TimeoutError)


class Calendar(RuleBasedStateMachine):
    """A town with a database of its own, and what is done to it."""

    server: postgres.Server
    template: str
    folder: Path

    def __init__(self) -> None:
        super().__init__()
        self.name = f"machine{next(_numbers)}"
        self.server.clone(self.template, self.name)
        address = self.server.url(postgres.APP, self.name)
        known = settings_for(address, self.folder)
        billing.configure(known)
        locks.configure(known)
        messages.configure(known, feeds.SOURCES)
        self.runner = asyncio.Runner()
        try:
            self.run(db.open_pool(address, 6))
            self.world = self.run(settle(NOW))
        except BaseException:  # nobody tears down what was never whole
            self.teardown()
            raise

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            return self.runner.run(work)
        except Exception:  # several at once may not do it again: Hypothesis then only says that it is flaky
            print(f"\nthe calendar lied:\n{traceback.format_exc()}")
            raise

    def teardown(self) -> None:
        self.run(db.close_pool())
        self.runner.close()
        self.server.drop(self.name)

    @rule(deed=deeds)
    def one_does(self, deed: Deed) -> None:
        self.run(self._done([deed]))

    @rule(several=st.lists(deeds, min_size=2, max_size=4))
    def several_do_at_once(self, several: list[Deed]) -> None:
        self.run(self._done(several))

    @rule(minutes=st.sampled_from((1, 6, 11, 35, 600, 1440)), tidied=st.booleans())
    def time_passes(self, minutes: int, tidied: bool) -> None:
        self.world.now += timedelta(minutes=minutes)
        self.run(self._tidied() if tidied else self._true())

    @rule(deed=deeds)
    def somebody_looks(self, deed: Deed) -> None:
        self.run(self._shown_is_bookable(deed))

    async def _done(self, several: list[Deed]) -> None:
        """The deeds are done at once; each succeeds by its rules or is refused, and the calendar is true."""
        acts = [act for one in several if (act := await aimed(self.world, one)) is not None]
        before, free = await truths.standing(), await self._free(several)
        answers = await asyncio.gather(*(act() for act in acts), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, (Refusal, *BUSY)):
                raise answer
        tally.update(_in_a_word(answer) for answer in answers)
        if free is not None and acts:  # alone: the answer is known beforehand
            assert isinstance(answers[0], SlotTaken) <= (not free), (several, answers)
            assert not (isinstance(answers[0], str) and not free), (several, answers)
        wrong = truths.illegal(before, await truths.standing(), [one.verb for one in several], self.world.now)
        assert not wrong, wrong
        await self._true()

    async def _free(self, several: list[Deed]) -> bool | None:
        """Say whether a single hold must find its time free; None for anything else."""
        if len(several) > 1 or several[0].verb != "hold":
            return None
        thing, span = self.world.thing(several[0]), self.world.span(several[0])
        units = await db.rows(Lines, _UNITS, thing.id)
        gap = (await places.rules_on([thing.id], self.world.first))[thing.id].gap_min
        until = span.end + timedelta(minutes=gap)
        busy = [await truths.taken(one.leaves, span.start, until, self.world.now) for one in units]
        return not all(busy)

    async def _tidied(self) -> None:
        before = await truths.standing()
        await reservations.expire_due(self.world.now)
        await reservations.complete_due(self.world.now)
        after = await truths.standing()
        assert not truths.illegal(before, after, ["expire", "complete"], self.world.now)
        late = [one for one in after.values() if one.hold_until and one.hold_until <= self.world.now]
        assert not [one for one in late if one.state in ("held", "awaiting_payment")]
        await self._true()

    async def _true(self) -> None:
        assert not (lies := await truths.lies(self.world.now)), lies

    async def _shown_is_bookable(self, deed: Deed) -> None:
        """Starts of the day view, some of them: free can be held, the others are refused for the reason shown."""
        thing, now = self.world.thing(deed), self.world.now
        day = self.world.first + timedelta(days=deed.day)
        shown = await reservations.availability(thing.id, day, 1, 30 * deed.halves, WHO, "private", now)
        starts = [one for each in shown.days for one in each.starts]
        busy = [one for one in starts if one.reason == "booked"]
        for start in (*starts[deed.pick :: 9], *busy[: deed.slot]):
            told = await answer_to(thing, Span(start.start, start.end), now)
            assert told == (None if start.free else CODES.get(start.reason or "", start.reason)), start
        tally.update("shown free" if one.free else "shown taken" for one in starts[deed.pick :: 9])


def _in_a_word(answer: object) -> str:
    if isinstance(answer, BUSY):
        return "busy"
    return answer.code if isinstance(answer, Refusal) else "done"


_UNITS = """
SELECT ARRAY(SELECT l.leaf FROM resource_leaf l WHERE l.resource = r.id) AS leaves FROM resource r
WHERE CASE WHEN (SELECT picks_unit FROM resource WHERE id = $1) THEN r.parent = $1 AND r.is_bookable ELSE r.id = $1 END
"""


@pytest.mark.timeout(3600 if MANY else 240)
def test_any_story_of_the_calendar__is_true_at_every_step(
    server: postgres.Server, peopled: str, tmp_path: Path
) -> None:
    Calendar.server, Calendar.template, Calendar.folder = server, peopled, tmp_path
    tally.clear()
    run_state_machine_as_test(
        Calendar,
        settings=settings(
            max_examples=MANY or 12,
            stateful_step_count=80 if MANY else 30,
            derandomize=not MANY,
            database=None,
            deadline=None,
            print_blob=True,
            phases=[
                Phase.generate
            ],  # what several did at once is not the shorter for being told in fewer words
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"\nmachine: {dict(tally.most_common())}")
    assert tally["done"] > 20, "nearly everything was refused: these stories prove nothing"
    assert tally["busy"] * 20 < tally["done"], "people wait for each other for seconds"
    assert tally["slot_taken"], "nobody ever met anybody: these stories prove nothing"
