"""What is published for suppliers is what the code does."""

import json
import re
from pathlib import Path

import jsonschema_rs
import pytest

from booking.conformance import kit, schemas, vectors
from booking.conformance.checks import CHECKS
from booking.conformance.run import FILES
from booking.lockwire import lockout, snapshot
from booking.lockwire.decide import Memory, Presented, decide
from booking.lockwire.envelope import Dropped, unseal
from booking.lockwire.keys import derive
from booking.lockwire.lockout import Lockout
from booking.lockwire.strict import StrictError, parse

ROOT = Path(__file__).resolve().parents[2]
KIT = ROOT / "docs/lock-protocol"
VECTORS = json.loads((KIT / "vectors.json").read_text())
NORMATIVE = json.loads((ROOT / "tests/lockwire/vectors.json").read_text())
NAMES = {"dn/time": "time-answer", "dn/desired": "snapshot", "dn/cmd": "command", "dn/evack": "event-ack"}
NAMES |= {"up/reported": "report", "up/evt": "events", "up/res": "result", "up/time": "time-request"}
KEYS = derive(bytes.fromhex(VECTORS["master"]), VECTORS["controller"], VECTORS["gen"])


def test_the_published_files__are_what_the_code_makes() -> None:
    stale = [path for path, text in kit.files().items() if (KIT / path).read_text() != text]

    assert stale == [], "run: python -m booking.conformance.kit docs/lock-protocol"
    assert {path.name for path in (KIT / "schemas").iterdir()} == {
        f"{name}.schema.json" for name in schemas.BODIES
    }


def test_the_first_two_vectors__are_those_of_the_normative_text() -> None:
    made = [VECTORS["messages"][number]["jwe"] for number in (0, 1)]
    text = (KIT / "protocol.md").read_text()

    assert made == [NORMATIVE["v1"]["jwe"], NORMATIVE["v2"]["jwe"]]
    assert all(token in text for token in made)
    assert VECTORS["messages"][1]["digest"] == NORMATIVE["digest_v2"]


@pytest.mark.parametrize("vector", VECTORS["messages"], ids=lambda each: each["name"])
def test_a_vector__opens_parses_and_fits_its_schema(vector: dict[str, str]) -> None:
    way = vector["topic"].split("/", 3)[3]
    opened = unseal(vector["jwe"].encode(), [KEYS], way[:2], vector["topic"])  # type: ignore[arg-type]
    schema = json.loads((KIT / f"schemas/{NAMES[way]}.schema.json").read_text())

    assert opened.plain.decode() == vector["plain"]
    assert snapshot.digest(opened.plain) == vector["digest"]
    parse(opened.plain, schemas.BODIES[NAMES[way]])
    jsonschema_rs.validator_for(schema).validate(json.loads(opened.plain))


@pytest.mark.parametrize("vector", VECTORS["refused"], ids=lambda each: each["name"])
def test_a_vector_to_refuse__is_dropped_for_its_reason(vector: dict[str, str]) -> None:
    with pytest.raises(Dropped) as dropped:
        unseal(vector["jwe"].encode(), [KEYS], "dn", vector["topic"])

    assert dropped.value.why == vector["why"]


@pytest.mark.parametrize("row", VECTORS["decisions"], ids=lambda row: f"{row['verdict']}-{row['pin']}")
def test_a_decision_of_the_vectors__is_ours(row: dict[str, object]) -> None:
    held = snapshot.decode(VECTORS["messages"][2]["plain"].encode())
    verdict = decide(
        held,
        frozenset(),
        Presented(pin=str(row["pin"])),
        str(row["door"]),
        mode="normal",
        now=row["now"],  # type: ignore[arg-type]
        locked_out=False,
        memory=Memory(dict.fromkeys(row["opened"], vectors.NB), {}),  # type: ignore[call-overload]
    )

    assert (verdict.why or "granted") == row["verdict"]


def test_the_lock_outs_of_the_vectors__are_ours() -> None:
    policy = parse(json.dumps(VECTORS["lockouts_s"]["policy"]).encode(), snapshot.Policy)
    state, now, waits = Lockout(), 0, []
    for _ in VECTORS["lockouts_s"]["after_each_5_wrong"]:
        for _ in range(policy.tries):
            state = lockout.denied(state, "unknown", policy, now)
        waits.append(state.until - now)
        now = state.until

    assert waits == VECTORS["lockouts_s"]["after_each_5_wrong"]


def test_the_async_api_document__is_valid_and_its_references_lead_somewhere() -> None:
    document = json.loads((KIT / "asyncapi.json").read_text())
    schema = json.loads(Path(__file__).with_name("asyncapi-3.0.0.schema.json").read_text())
    jsonschema_rs.validator_for(schema).validate(document)
    broken = {**document, "operations": {"x": {"action": "shout"}}}

    assert not jsonschema_rs.validator_for(schema).is_valid(broken)
    for reference in re.findall(r'"\$ref": ?"([^"]+)"', json.dumps(document)):
        assert _leads_somewhere(document, reference), reference


def _leads_somewhere(document: dict[str, object], reference: str) -> bool:
    if not reference.startswith("#/"):
        return (KIT / reference).exists()
    node: object = document
    for name in reference[2:].split("/"):
        node = node.get(name) if isinstance(node, dict) else None
    return node is not None


BROKEN = [
    ("snapshot", {"iat": 1}),
    ("command", {"id": "short", "n": 1, "exp": 1_795_000_000, "op": "open"}),
    ("events", {"ev": []}),
    ("status", {"st": "away", "boot": 1, "sid": "q7Zr2mVb0TgkXc9LwE4sJA"}),
    ("report", {}),
]


@pytest.mark.parametrize(("name", "body"), BROKEN)
def test_what_a_schema_refuses__our_parser_refuses(name: str, body: object) -> None:
    schema = json.loads((KIT / f"schemas/{name}.schema.json").read_text())

    assert not jsonschema_rs.validator_for(schema).is_valid(body)
    with pytest.raises(StrictError):
        parse(json.dumps(body).encode(), schemas.BODIES[name])


def test_every_numbered_check__has_a_row_and_its_tests_exist() -> None:
    text, table = (KIT / "protocol.md").read_text(), (KIT / "checks.md").read_text()
    numbered = re.findall(r"^\| (C\d\d) \|", text, re.M)
    rows = dict(re.findall(r"^\| (C\d\d) \| (.*) \|$", table, re.M))
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", table)

    assert FILES
    assert list(rows) == numbered
    assert [number for number, row in rows.items() if "| yes |" in row] == sorted(CHECKS)
    assert [number for number, row in rows.items() if "`" not in row] == []
    absent = [name for file, name in named if f"def {name}(" not in (ROOT / "tests" / file).read_text()]
    assert absent == []


def test_a_snapshot_that_breaks_a_rule_across_members__is_ours_to_refuse() -> None:
    whole = json.loads(VECTORS["messages"][1]["plain"])
    whole["hz"] = [whole["hz"][0], whole["hz"][0] + 60]

    with pytest.raises(StrictError):
        snapshot.decode(json.dumps(whole).encode())
