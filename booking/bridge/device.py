"""One lock: brought from what it may hold to what it should hold, one wish at a time, every answer waited for.

What a slot may hold is written down before the lock is told, so a crash leaves nothing forgotten. A wish that
fails is tried again after 5 s, then twice as long each time up to 5 minutes. A code the lock refused is not tried
again until its grant is another.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Literal

import msgspec

from booking.bridge import plan
from booking.bridge.contract import (
    Ask,
    Driver,
    Held,
    Message,
    Refused,
    Sighting,
    Steps,
    Survey,
    Surveying,
    TimedOut,
    Trouble,
    Why,
)
from booking.bridge.wanted import Code

FIRST_WAIT_MS, LONGEST_WAIT_MS = 5_000, 300_000
SURVEY_EVERY_MS, PREPARE_EVERY_MS = 6 * 3_600_000, 86_400_000
_SURVEY, _PREPARE = -1, -2  # places in the table of waits that are no slots

Save = Callable[[list[Held]], None]


class Device:
    """Used under the bridge's lock."""

    def __init__(self, door: str, driver: Driver, held: Sequence[Held], save: Save, say: Callable[[str], None],
                 send: Callable[[Message], None]) -> None:  # fmt: skip
        self.door, self.driver = door, driver
        self.held = {row.slot: row for row in held}
        self.wanted: list[Code] = []
        self._save, self._say, self._send = save, say, send
        self._steps: Steps | Surveying | None = None
        self._doing: plan.Task | Literal["survey", "prepare"] | None = None
        self._ask: Ask | None = None
        self._deadline_ms = 0
        self._tries: dict[int, int] = {}
        self._not_before: dict[int, int] = {}
        self._is_online = self._is_ready = False
        self._refused: dict[str, Why] = {}

    # -- what it should do ----------------------------------------------------------------------

    def want(self, codes: Sequence[Code]) -> None:
        """The lock should hold exactly these codes, nearest first. Codes of refused grants are left out by the caller."""
        self.wanted = list(codes)
        for row in plan.regranted(self.wanted, self.held):
            self._keep(row)

    def reconsider(self, grants: Collection[str]) -> None:
        """These grants have changed or gone: what the lock refused of them no longer counts."""
        self._refused = {id: why for id, why in self._refused.items() if id not in grants}

    def connected(self, is_online: bool, mono_ms: int) -> None:
        """The broker next to the lock is there, or gone; what was asked meanwhile is asked anew."""
        self._is_online = is_online
        if is_online:
            self._not_before, self._tries = {_SURVEY: mono_ms}, {}
        elif self._steps is not None:
            self._steps.close()
            self._steps = self._ask = self._doing = None

    def tick(self, mono_ms: int, now: int | None) -> None:
        """Time-outs are acted on, and the next wish is begun if the lock is idle."""
        if self._steps is not None and mono_ms >= self._deadline_ms:
            self._advance(TimedOut("no answer"), mono_ms)
        while self._steps is None and self._is_online and self._begin(mono_ms, now):
            pass

    def hear(self, message: Message, mono_ms: int) -> list[Sighting]:
        """Return what the message tells; if it answers the wish under way, that goes on."""
        seen = self.driver.heard(message, list(self.held.values()))
        if any(sighting.what == "changed" for sighting in seen):
            self._not_before[_SURVEY] = mono_ms
        if self._ask is not None and self._ask.hears(message):
            self._advance(message, mono_ms)
        return seen

    def due_ms(self, mono_ms: int) -> int | None:
        """Return when `tick` next has something to do, in milliseconds since power-on."""
        if self._steps is not None:
            return self._deadline_ms
        return min((at for at in self._not_before.values() if at > mono_ms), default=None)

    # -- what is true ---------------------------------------------------------------------------

    def proved(self) -> set[str]:
        """Return grants whose code is confirmed in the lock as it should be now."""
        return plan.proved(self.held.values(), self.wanted)

    def lingering(self) -> set[str]:
        """Return grants the lock may still open for although it should not."""
        return plan.lingering(self.held.values(), self.wanted)

    def refusals(self) -> dict[str, Why]:
        """Return the grants this lock itself refused."""
        return dict(self._refused)

    # -- wishes ---------------------------------------------------------------------------------

    def _begin(self, mono_ms: int, now: int | None) -> bool:
        """Start the next wish that is due; False if there is none."""
        driver = self.driver
        if self._may(_SURVEY, mono_ms):
            self._start("survey", driver.survey(list(self.held.values())), mono_ms)
            return True
        slots, held = driver.declared.slots, self.held
        task = plan.next_task(self.wanted, held, slots, lambda slot: self._may(slot, mono_ms))
        if (task is None or task.what == "put") and self._may(_PREPARE, mono_ms):
            self._start("prepare", driver.prepare(now), mono_ms)
            return True
        if task is None or (task.what == "put" and not self._is_ready):
            return False
        self._keep(task.held)
        steps = driver.put(task.held) if task.what == "put" else driver.clear(task.held)
        self._start(task, steps, mono_ms)
        return True

    def _may(self, place: int, mono_ms: int) -> bool:
        return mono_ms >= self._not_before.get(place, 0)

    def _start(
        self, doing: plan.Task | Literal["survey", "prepare"], steps: Steps | Surveying, mono_ms: int
    ) -> None:
        self._doing, self._steps, self._ask = doing, steps, None
        self._advance(None, mono_ms)

    def _advance(self, news: Message | TimedOut | None, mono_ms: int) -> None:
        """Hand the answer, or its absence, to the wish under way and say what it says next."""
        steps = self._steps
        if steps is None:
            return
        try:
            if news is None:
                ask = next(steps)
            elif isinstance(news, Message):
                ask = steps.send(news)
            else:
                ask = steps.throw(news)
        except StopIteration as ended:
            self._finish(ended.value, mono_ms)
        except Trouble as trouble:
            self._fail(trouble, mono_ms)
        else:
            self._ask, self._deadline_ms = ask, mono_ms + ask.within_ms
            for message in ask.says:
                self._send(message)

    def _finish(self, result: str | Survey | None, mono_ms: int) -> None:
        doing, self._doing, self._steps, self._ask = self._doing, None, None, None
        if isinstance(doing, plan.Task):
            slot = doing.held.slot
            self._tries.pop(slot, None)
            self._not_before.pop(slot, None)
            if doing.what == "clear":
                self._drop(slot)
            else:
                key = result if isinstance(result, str) else None
                self._keep(msgspec.structs.replace(doing.held, state="in", key=key, grants=doing.grants))
                caveat = self.driver.caveat(doing.held)
                if caveat:
                    self._say(f"door {self.door}: WARNING: {caveat}")
        elif doing == "survey" and isinstance(result, Survey):
            self._wait(_SURVEY, mono_ms + SURVEY_EVERY_MS)
            self._take(result)
        elif doing == "prepare":
            self._is_ready = True
            self._wait(_PREPARE, mono_ms + PREPARE_EVERY_MS)

    def _take(self, survey: Survey) -> None:
        rows = plan.surveyed(self.held, survey, self.driver.declared.slots)
        for slot, row in rows.items():
            if self.held.get(slot) != row:
                self._not_before.pop(_PREPARE, None)  # what forgets codes may have lost its clock as well
                what = "has lost a code" if row.state == "putting" else "holds a code nobody wanted"
                self._say(f"door {self.door}: the lock {what}")
                self._keep(row)

    def _fail(self, trouble: Trouble, mono_ms: int) -> None:
        doing, self._doing, self._steps, self._ask = self._doing, None, None, None
        place = (
            doing.held.slot if isinstance(doing, plan.Task) else _SURVEY if doing == "survey" else _PREPARE
        )
        what = doing.what if isinstance(doing, plan.Task) else doing
        self._say(f"door {self.door}: {what} failed: {self._without_pin(str(trouble), doing)}")
        if isinstance(trouble, Refused) and isinstance(doing, plan.Task) and doing.what == "put":
            self._refuse(doing.held, trouble.why)
            return
        tries = self._tries[place] = self._tries.get(place, 0) + 1
        self._wait(place, mono_ms + min(FIRST_WAIT_MS * 2 ** (tries - 1), LONGEST_WAIT_MS))

    def _without_pin(self, text: str, doing: object) -> str:
        """What a gateway says may quote what it was asked."""
        pin = doing.held.pin if isinstance(doing, plan.Task) else ""
        return text.replace(pin, "[PIN]") if pin else text

    def _refuse(self, row: Held, why: Why) -> None:
        """The lock will not have this code; what it may have taken of it is cleared.

        If the code has become another while the lock was asked, nothing of that one has been refused.
        """
        codes = [code for code in self.wanted if (code.pin, code.windows) == (row.pin, row.windows)]
        self._refused |= {id: why for code in codes for id in code.grants}
        self.wanted = [code for code in self.wanted if code not in codes]
        self._keep(msgspec.structs.replace(row, state="clearing"))

    def _wait(self, place: int, until_ms: int) -> None:
        self._not_before[place] = until_ms

    def _keep(self, row: Held) -> None:
        self.held[row.slot] = row
        self._save(list(self.held.values()))

    def _drop(self, slot: int) -> None:
        del self.held[slot]
        self._save(list(self.held.values()))
