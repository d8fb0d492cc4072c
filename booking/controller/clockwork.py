"""Asking for the time and believing the answer: only fresh, only within 5 s (lock protocol §9)."""

import hmac
import secrets
from dataclasses import dataclass
from typing import Final

import msgspec

from booking.controller import timepiece
from booking.controller.store import Store, Version
from booking.controller.timepiece import Moment, Reading
from booking.controller.voice import Voice
from booking.lockwire.envelope import Opened
from booking.lockwire.messages import TimeAnswer, TimeRequest
from booking.lockwire.strict import StrictError, parse

ASK_EVERY_MS: Final = 900_000
ANSWER_WITHIN_MS: Final = 5_000


@dataclass(frozen=True, slots=True)
class _Asked:
    nonce: str
    at: Moment


class Clockwork:
    """What this controller takes the time to be. Used under its lock."""

    def __init__(self, store: Store, voice: Voice, moment: Moment, floor_ms: int) -> None:
        self._store, self._voice = store, voice
        floor = max(floor_ms, store.get("answered_ms", int) or 0)
        self._piece = timepiece.start(moment, floor)
        self._asked: _Asked | None = None
        self._last_ask = -ASK_EVERY_MS
        self._seen = (moment, self.reading(moment))
        self.floor: Version | None = None  # the version a fresh answer named (§9.3)

    def reading(self, moment: Moment) -> Reading:
        """Return the time, its source and its error."""
        return timepiece.read(self._piece, moment)

    def now_s(self, moment: Moment) -> int | None:
        """Return UTC seconds, None while the clock is untrusted."""
        return self.reading(moment).utc_s

    def steady_s(self, moment: Moment) -> int:
        """Return seconds for lock-outs: the clock if trusted, else time since power-on after the last seen."""
        now = self.now_s(moment)
        return now if now is not None else self._piece.floor_ms // 1_000 + moment.mono_ms // 1_000

    def ask(self, moment: Moment) -> None:
        """The server is asked; only the answer to the last question counts."""
        self._last_ask = moment.mono_ms
        self._asked = _Asked(secrets.token_urlsafe(16), moment)
        reading = self.reading(moment)
        request = TimeRequest(n=self._asked.nonce, utc_ms=reading.utc_ms, err_ms=reading.err_ms)
        self._voice.publish("time", msgspec.json.encode(request), qos=0)

    def ask_if_due(self, moment: Moment) -> None:
        """The server is asked every 15 minutes, every 5 seconds until it has answered once."""
        wait = ASK_EVERY_MS if self.floor is not None else ANSWER_WITHIN_MS
        if moment.mono_ms - self._last_ask >= wait:
            self.ask(moment)

    def take(self, opened: Opened, moment: Moment) -> bool:
        """The clock is set; False if the answer does not count (wrong nonce, late, not an answer)."""
        try:
            answer = parse(opened.plain, TimeAnswer)
        except StrictError:
            return False
        asked = self._asked
        if asked is None or not hmac.compare_digest(answer.n, asked.nonce):
            return False
        self._asked = None
        if moment.mono_ms - asked.at.mono_ms > ANSWER_WITHIN_MS:
            return False
        self._piece = timepiece.answered(self._piece, answer.utc_ms, asked.at, moment)
        with self._store.change():
            self._store.put("answered_ms", answer.utc_ms)
        self.floor = max(self.floor or (0, 0), (opened.epoch, opened.ver))
        return True

    def not_before(self, iat_s: int, moment: Moment) -> None:
        """The clock is never below this instant, when a snapshot was built."""
        self._piece = timepiece.raised(self._piece, iat_s * 1_000, moment)

    def has_jumped(self, moment: Moment) -> bool:
        """True once after each change of source or step of more than 30 s: that is an event (§7)."""
        self._piece = timepiece.noticed(self._piece, moment)
        (then, before), after = self._seen, self.reading(moment)
        self._seen = (moment, after)
        if before.utc_ms is None or after.utc_ms is None or before.src != after.src:
            return before.src != after.src
        passed = moment.mono_ms - then.mono_ms
        return abs(after.utc_ms - before.utc_ms - passed) > timepiece.STEP_MS
