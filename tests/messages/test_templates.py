"""Every message has words in both languages, and says nothing it was not told."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from booking.messages import templates, words
from booking.messages.templates import PHONE_CODE, TEMPLATES, TemplateError, render
from booking.people import Language

FACTS: dict[str, object] = {
    "url": "https://boka.example/b/1", "municipality": "Nordmaling", "number": "B-000001", "place": "Hall, Hela", "doors": "Entré",
    "when": "måndag", "resource": "Hela", "party": "IBK", "pin": "482913", "code": "123456", "what": "Något",
    "count": 30, "decision": "beviljad", "changes": "tiden", "deadline_at": "2026-11-23T17:00:00Z",
    "from_at": "2026-11-23T17:00:00Z", "to_at": "2026-11-23T18:00:00Z", "amount_ore": 123450, "due": "2026-12-23",
    "season": "Hösten 2027", "wished": 3, "granted": 2,
}  # fmt: skip
LANGUAGES: list[Language] = ["sv", "en"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [*TEMPLATES, PHONE_CODE])
def test_a_message__has_subject_sms_and_body(name: str, language: Language) -> None:
    text = render(name, language, FACTS)

    assert text.subject
    assert "\n" not in text.subject
    assert 0 < len(text.sms) <= 306, "two SMS at most"
    assert text.body
    assert "{" not in text.subject + text.sms + text.body
    assert not any(line.startswith("?") for line in text.body.splitlines())


def test_both_languages__have_the_same_files() -> None:
    folder = Path(templates.__file__).parent / "templates"
    names = {one: {path.stem for path in (folder / one).glob("*.txt")} for one in LANGUAGES}

    assert names["sv"] == names["en"] == {*TEMPLATES, PHONE_CODE}


def test_a_fact_that_nobody_gave__leaves_its_line_out_or_stops_the_message() -> None:
    assert "Adress" not in render("booking_confirmed", "sv", FACTS).body
    assert "Adress: Gatan 1" in render("booking_confirmed", "sv", {**FACTS, "address": "Gatan 1"}).body
    with pytest.raises(TemplateError, match="place"):
        render("booking_confirmed", "sv", {name: value for name, value in FACTS.items() if name != "place"})


def test_braces_in_a_title__are_only_letters() -> None:
    text = render("booking_confirmed", "sv", {**FACTS, "party": "{pin} {0.__class__}"})

    assert "Bokas av: {pin} {0.__class__}" in text.body


@pytest.mark.parametrize(
    ("at", "language", "said"),
    [
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "sv", "söndag 25 oktober kl. 02:30"),  # summer time
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "sv", "söndag 25 oktober kl. 02:30"),  # winter time
        (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), "en", "Sunday 28 March at 03:00"),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "en", "Friday 1 January at 00:30"),
    ],
)
def test_an_instant__is_said_in_local_time(at: datetime, language: Language, said: str) -> None:
    assert words.moment(at, language) == said


def test_a_period_over_midnight__names_both_days() -> None:
    start, end = datetime(2026, 11, 23, 17, tzinfo=UTC), datetime(2026, 11, 23, 19, tzinfo=UTC)

    assert words.period(start, end, "sv") == "måndag 23 november kl. 18:00–20:00"
    assert (
        words.period(start, end.replace(day=24), "en")
        == "Monday 23 November at 18:00 – Tuesday 24 November at 20:00"
    )


@pytest.mark.parametrize(
    ("ore", "said"), [(0, "0 kr"), (14100, "141 kr"), (123450, "1 234,50 kr"), (-5, "−0,05 kr")]
)
def test_an_amount__is_said_in_kronor(ore: int, said: str) -> None:
    assert words.money(ore).replace("\u00a0", " ") == said
