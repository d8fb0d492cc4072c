"""Every event, numbered without gaps and dated by the clock of its moment (lock protocol §7)."""

import hashlib
import hmac
import secrets

import msgspec

from booking.controller.clockwork import Clockwork
from booking.controller.store import Store
from booking.controller.timepiece import Moment
from booking.controller.voice import Voice
from booking.lockwire.messages import Event

DAY_MS = 86_400_000
TELL_STALE_MS = 60_000


class Diary:
    """Used under the controller's lock, inside the caller's change of the store."""

    def __init__(self, store: Store, voice: Voice, clock: Clockwork) -> None:
        self._store, self._voice, self._clock = store, voice, clock
        self._tag_key, self._tag_day = secrets.token_bytes(32), 0
        self._stale_told: tuple[tuple[int, int], int] | None = None

    def note(
        self, moment: Moment, e: str, door: str | None, *, at: int | None = None, **more: str | int | None
    ) -> None:
        """The event is kept; `more` are its optional members. `at` (epoch s) is simulated hardware's."""
        reading = self._clock.reading(moment)
        event = Event(
            boot=self._voice.boot,
            seq=(self._store.get("seq", int) or 0) + 1,
            t=reading.utc_s if at is None else at,
            mono=moment.mono_ms,
            clk=reading.src,
            d=door,
            e=e,
        )
        known = {name: value for name, value in more.items() if value is not None}
        self._voice.keep(msgspec.structs.replace(event, **known))

    def note_stale(self, payload: bytes, moment: Moment) -> None:
        """An older snapshot came: an event of its own, but not one for each of a thousand copies."""
        told, digest = self._stale_told, (hash(payload), len(payload))
        if told is not None and told[0] == digest and moment.mono_ms - told[1] < TELL_STALE_MS:
            return
        self._stale_told = (digest, moment.mono_ms)
        with self._store.change():
            self.note(moment, "stale", None)

    def tag(self, pin: str, moment: Moment) -> str:
        """Return what lets the server see that the same wrong PIN came twice, without telling which."""
        day = moment.mono_ms // DAY_MS
        if day != self._tag_day:
            self._tag_key, self._tag_day = secrets.token_bytes(32), day
        return hmac.new(self._tag_key, pin.encode(), hashlib.sha256).hexdigest()[:16]
