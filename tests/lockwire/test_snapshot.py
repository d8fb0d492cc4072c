import json
from typing import Any, Final

import pytest

from booking.lockwire import snapshot
from booking.lockwire.strict import StrictError

GOOD: Final[dict[str, Any]] = {
    "iat": 1795000000,
    "hz": [1795000000, 1796209600],
    "tz": "Europe/Stockholm",
    "doors": {"d1": {"unlock_s": 5, "held_s": 300, "mode": "normal", "mode_n": 0, "mode_until": None}},
    "policy": {"tries": 5, "lock_s": 60, "max_s": 3600},
    "grants": [
        {
            "id": "01JD8Z3QK5V7M2X9R4T6B8N0PA",
            "k": "pin",
            "pin": "004216",
            "role": "leader",
            "w": [{"d": ["d1"], "nb": 1795010400, "na": 1795015800}],
        }
    ],
    "reserve": [],
}


def changed(path: str, value: object) -> bytes:
    """GOOD with one member replaced, or removed if the value is `...`."""
    document = json.loads(json.dumps(GOOD))
    target: Any = document
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        target = target[step]
    if value is ...:
        del target[last]
    else:
        target[last] = value
    return json.dumps(document).encode()


def test_the_example_of_the_protocol__is_accepted() -> None:
    assert snapshot.decode(json.dumps(GOOD).encode()).grants[0].pin == "004216"


ACCEPTED = [
    ("grants.0.after", None),
    ("grants.0.max", None),
    ("grants.0.k", "retina"),  # refuses that grant only
    ("grants.0.role", "mayor"),
    ("grants.0.rights", ["levitate"]),
    ("grants.0.unheard_of", {"of": 1}),
    ("unheard_of", [1]),
]


@pytest.mark.parametrize(("path", "value"), ACCEPTED)
def test_what_a_later_minor_version_may_add__is_accepted(path: str, value: object) -> None:
    snapshot.decode(changed(path, value))


REFUSED = [
    *[(member, ...) for member in GOOD],
    *[(f"doors.d1.{member}", ...) for member in GOOD["doors"]["d1"]],
    *[(f"policy.{member}", ...) for member in GOOD["policy"]],
    *[(f"grants.0.{member}", ...) for member in GOOD["grants"][0]],
    ("iat", 1795000000.0),
    ("iat", "1795000000"),
    ("iat", True),
    ("iat", 12),
    ("iat", 2**60),
    ("hz", [1795000000]),
    ("hz", [1795000000, 1795000001]),
    ("hz", [1796209600, 1795000000]),
    ("hz", [1795000000, 1805000000]),
    ("tz", None),
    ("doors", {}),
    ("doors", {"D1": GOOD["doors"]["d1"]}),
    ("doors", {"d1\n": GOOD["doors"]["d1"]}),
    ("doors", {f"d{i}": GOOD["doors"]["d1"] for i in range(33)}),
    ("doors.d1.unlock_s", 0),
    ("doors.d1.unlock_s", 61),
    ("doors.d1.held_s", 9),
    ("doors.d1.mode", "ajar"),
    ("doors.d1.mode", "unlocked"),  # needs mode_until
    ("policy.tries", 2),
    ("policy.lock_s", 601),
    ("grants.0.id", "short"),
    ("grants.0.id", "01JD8Z3QK5V7M2X9\n"),
    ("grants.0.pin", 4216),
    ("grants.0.pin", "421"),
    ("grants.0.pin", "42a6"),
    ("grants.0.pin", "٤٢١٦٠٠"),
    ("grants.0.pin", None),
    ("grants.0.k", "card"),  # no card given
    ("grants.0.card", "04a2b3c4"),
    ("grants.0.role", "reserve"),
    ("grants.0.w", []),
    ("grants.0.w.0.d", []),
    ("grants.0.w.0.na", 1795010400),
    ("grants.0.w.0.na", 1795010400 + 401 * 86_400),
    ("grants.0.max", 0),
    ("grants", [GOOD["grants"][0]] * 2),
    ("reserve", [GOOD["grants"][0]]),
    ("grants", None),
]


@pytest.mark.parametrize(("path", "value"), REFUSED, ids=[f"{p}={str(v)[:24]!a}" for p, v in REFUSED])
def test_a_snapshot_that_breaks_a_rule__is_refused_whole(path: str, value: object) -> None:
    with pytest.raises(StrictError) as refused:
        snapshot.decode(changed(path, value))

    assert "4216" not in str(refused.value)


@pytest.mark.parametrize(
    "octets",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"iat":NaN}', b"1" * 5_000],
    ids=["empty", "cut", "array", "null", "not utf-8", "deep", "nan", "huge int"],
)
def test_octets_that_are_no_snapshot__are_refused(octets: bytes) -> None:
    with pytest.raises(StrictError):
        snapshot.decode(octets)


def test_a_member_given_twice__is_refused() -> None:
    octets = json.dumps(GOOD).replace('"iat"', '"iat": 1, "iat"', 1).encode()
    with pytest.raises(StrictError, match="duplicate"):
        snapshot.decode(octets)


def test_a_grant__shows_no_code_in_its_repr() -> None:
    assert "004216" not in repr(snapshot.decode(json.dumps(GOOD).encode()))
