"""The messages we send: who gets which by default, and their texts in templates/{sv,en}/NAME.txt."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Literal, get_args

from booking.messages import words
from booking.people import Language

Channel = Literal["email", "sms"]
Template = Literal[
    "booking_confirmed",
    "booking_cancelled",
    "booking_moved",
    "hold_offer",
    "time_free",
    "request_received",
    "request_decided",
    "request_changes",
    "series_confirmed",
    "season_decided",
    "closure_affects_you",
    "code_ready",
    "code_changed",
    "codes_changed",
    "code_withdrawn",
    "vehicle_late",
    "invoice_issued",
    "staff_alert",
]
TEMPLATES: tuple[Template, ...] = get_args(Template)
CHANNELS: tuple[Channel, ...] = get_args(Channel)
PHONE_CODE = "phone_code"  # confirms a number; nobody can choose or refuse it

BY_SMS = {
    "booking_moved",
    "hold_offer",
    "time_free",
    "closure_affects_you",
    "code_changed",
    "codes_changed",
    "code_withdrawn",
    "vehicle_late",
}
# What costs somebody their time or their way in is always said at least once.
FIXED = {
    ("booking_cancelled", "email"),
    ("closure_affects_you", "email"),
    ("code_changed", "email"),
    ("codes_changed", "email"),
    ("code_withdrawn", "email"),
}
WITH_PIN = {"code_ready", "code_changed"}
HIDDEN_PIN = "••••••"
_FOLDER = Path(__file__).parent / "templates"


class TemplateError(Exception):
    """The text asks for a fact that nobody gave; says which."""


@dataclass(frozen=True, slots=True)
class Text:
    """A message in words. The SMS is one paragraph."""

    subject: str
    body: str
    sms: str

    def __repr__(self) -> str:
        return f"Text({len(self.body)} characters)"  # it may hold a PIN


def is_default(template: str, channel: str) -> bool:
    """True if those who have chosen nothing get it this way."""
    return channel == "email" or template in BY_SMS


def render(template: str, language: Language, facts: Mapping[str, object]) -> Text:
    """Return the message's words. `…_at` facts are instants or lists of them, `…_ore` facts are öre. Raises TemplateError."""
    shown = {name: _shown(name, value, language) for name, value in facts.items() if value not in (None, "")}
    subject, sms, body = _parts(template, language)
    return Text(_filled(subject, shown), _filled(body, shown), _filled(sms, shown))


@cache
def _parts(template: str, language: Language) -> tuple[str, str, str]:
    """Return subject, SMS and body of a file: two headed lines, an empty line, the rest."""
    head, _, body = (_FOLDER / language / f"{template}.txt").read_text().partition("\n\n")
    lines = dict(line.split(": ", 1) for line in head.splitlines())
    return lines["subject"], lines["sms"], body.strip()


def _filled(text: str, facts: Mapping[str, str]) -> str:
    """Put the facts in. A line that begins with `?name ` is there only if there is such a fact."""
    kept = []
    for line in text.splitlines():
        if line.startswith("?"):
            name, _, line = line[1:].partition(" ")
            if name not in facts:
                continue
        kept.append(line)
    try:
        return "\n".join(kept).format_map(facts)
    except KeyError as error:
        raise TemplateError(f"nobody said {error}") from error


def _shown(name: str, value: object, language: Language) -> str:
    if name.endswith("_at") and isinstance(value, list):
        return ", ".join(_shown(name, one, language) for one in value)
    if name.endswith("_at"):
        at = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return words.moment(at, language)
    if name.endswith("_ore") and isinstance(value, int):
        return words.money(value)
    return str(value)
