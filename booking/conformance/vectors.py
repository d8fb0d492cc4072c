"""Test vectors for suppliers: every message sealed under a fixed key and IV, what must be refused, and decisions."""

import json
from collections.abc import Iterator

from booking.conformance import forge
from booking.lockwire import ids
from booking.lockwire.keys import Keys, derive
from booking.lockwire.snapshot import digest

MASTER, CONTROLLER, GEN, VERSION = bytes(range(32)), "c17", 3, (4, 812)
NB, NA = 1_795_010_400, 1_795_015_800
LEADER, MEMBER, RESERVE = (f"01JD8Z3QK5V7M2X9R4T6B8N0P{letter}" for letter in "ABC")
DOOR = {"unlock_s": 5, "held_s": 300, "mode": "normal", "mode_n": 0, "mode_until": None}
SNAPSHOT: dict[str, object] = {
    "iat": 1_795_000_000,
    "hz": [1_795_000_000, 1_796_209_600],
    "tz": "Europe/Stockholm",
    "doors": {"d1": DOOR},
    "policy": {"tries": 5, "lock_s": 60, "max_s": 3_600},
    "grants": [
        {
            "id": LEADER,
            "k": "pin",
            "pin": "004216",
            "role": "leader",
            "w": [{"d": ["d1"], "nb": NB, "na": NA}],
        }
    ],
    "reserve": [],
}
# The same with a changing-room tail, a member behind the leader, staff, a card and a reserve code.
RICH: dict[str, object] = {
    **SNAPSHOT,
    "doors": {"d1": DOOR, "d3": {**DOOR, "mode": "unlocked", "mode_n": 40, "mode_until": NB}},
    "grants": [
        {
            "id": LEADER,
            "k": "pin",
            "pin": "004216",
            "role": "leader",
            "w": [{"d": ["d1"], "nb": NB, "na": NA}, {"d": ["d3"], "nb": NB, "na": NA + 1_800}],
        },
        {
            "id": MEMBER,
            "k": "pin",
            "pin": "739150",
            "role": "member",
            "after": LEADER,
            "w": [{"d": ["d1", "d3"], "nb": NB, "na": NA}],
        },
        {
            "id": "staff-0001",
            "k": "pin",
            "pin": "424243",
            "role": "staff",
            "w": [{"d": ["d1", "d3"], "nb": 1_795_000_000, "na": 1_800_000_000}],
        },
        {
            "id": "card-00001",
            "k": "card",
            "card": "04A2B3C4D5E680",
            "role": "clean",
            "max": 2,
            "w": [{"d": ["d1"], "nb": NB, "na": NA}],
        },
    ],
    "reserve": [
        {
            "id": RESERVE,
            "k": "pin",
            "pin": "560284",
            "role": "reserve",
            "w": [{"d": ["d1"], "nb": 1_795_042_800, "na": 1_795_129_200}],
        }
    ],
}
COMMAND = {"id": "01JD900000000000000000CMD1", "n": 41, "exp": NB + 30, "op": "open", "d": "d1", "g": LEADER}
REPORT = {
    "boot": 17,
    "rs": 204,
    "sid": "q7Zr2mVb0TgkXc9LwE4sJA",
    "dig": "c1bc443d001d8631adb98a2eef10fb5cabfa66450b05ff365abc166d3be12341",
    "rej": [{"id": MEMBER, "why": "dup"}],
    "pend": [],
    "bad": {"epoch": 4, "ver": 813, "why": "decrypt"},
    "cap": {
        "grants": 500,
        "reserve": 100,
        "max_doc": 32_768,
        "pin_min": 4,
        "pin_max": 8,
        "events": 5_000,
        "feat": ["pin", "card", "after", "max", "reserve"],
    },
    "clk": {"utc_ms": 1_795_003_600_120, "src": "ntp", "err_ms": 40},
    "pw": {"src": "battery", "bat": 81},
    "doors": {"d1": {"pos": "closed", "lock": "locked", "mode": "normal", "fail": "secure"}},
    "ev": {"first": [16, 4_200], "last": [17, 9_120]},
    "fw": "acme-2.4.1",
}
EVENT = {"boot": 17, "seq": 9_121, "t": NB + 60, "mono": 88_213_004, "clk": "ntp", "d": "d1"}
DENIED = {**EVENT, "seq": 9_122, "e": "denied", "k": "pin", "why": "unknown", "tag": "9f3a6c01e2b47d58"}
NONCE = "AAECAwQFBgcICQoLDA0ODw"
BODIES: tuple[tuple[str, str, str, object], ...] = (
    ("V1 time answer", "dn", "time", {"n": NONCE, "utc_ms": 1_795_000_000_000}),
    ("V2 snapshot", "dn", "desired", SNAPSHOT),
    ("V3 snapshot, rich", "dn", "desired", RICH),
    ("V4 command", "dn", "cmd", COMMAND),
    ("V5 event acknowledgement", "dn", "evack", {"boot": 17, "seq": 9_122}),
    ("V6 report", "up", "reported", REPORT),
    (
        "V7 events",
        "up",
        "evt",
        {"ev": [{**EVENT, "e": "granted", "k": "pin", "g": LEADER}, DENIED]},
    ),
    ("V8 result", "up", "res", {"id": COMMAND["id"], "n": 41, "ok": False, "why": "expired"}),
    ("V9 time request", "up", "time", {"n": NONCE, "utc_ms": 1_795_003_600_120, "err_ms": 40}),
)
# Presented at a door at a time (null: clock untrusted) to a controller that holds V3 and has opened for `opened`.
DECISIONS: tuple[tuple[str, str, int | None, list[str], str], ...] = (
    ("004216", "d1", NB - 1, [], "early"),
    ("004216", "d1", NB, [], "granted"),
    ("004216", "d1", NA - 1, [], "granted"),
    ("004216", "d1", NA, [], "late"),
    ("004216", "d3", NA, [], "granted"),
    ("4216", "d1", NB, [], "unknown"),
    ("04216", "d1", NB, [], "unknown"),
    ("739150", "d1", NB, [], "leader_first"),
    ("739150", "d1", NB, [LEADER], "granted"),
    ("004216", "d1", None, [], "clock"),
    ("424243", "d1", None, [], "granted"),
    ("560284", "d1", 1_795_042_800, [], "granted"),
    ("560284", "d3", 1_795_042_800, [], "wrong_door"),
    ("004216", "d1", 1_796_209_600, [], "horizon"),
    ("424243", "d1", 1_796_209_600, [], "granted"),
)


def document() -> dict[str, object]:
    """Return every vector."""
    keys = derive(MASTER, CONTROLLER, GEN)
    made = list(_messages(keys))
    return {
        "comment": "Fixed keys and IVs: for these vectors only. Generated, see README.md.",
        "master": MASTER.hex(),
        "controller": CONTROLLER,
        "gen": GEN,
        "k_dn": keys.dn.hex(),
        "k_up": keys.up.hex(),
        "messages": made,
        "refused": list(_refused(keys, str(made[0]["jwe"]).encode(), str(made[1]["jwe"]).encode())),
        "decisions": [
            {"pin": pin, "door": door, "now": now, "opened": opened, "verdict": verdict}
            for pin, door, now, opened, verdict in DECISIONS
        ],
        "lockouts_s": {
            "policy": SNAPSHOT["policy"],
            "after_each_5_wrong": [60, 120, 240, 480, 960, 1920, 3600, 3600],
        },
    }


def _messages(keys: Keys) -> Iterator[dict[str, object]]:
    for number, (name, way, topic_name, body) in enumerate(BODIES):
        is_down = way == "dn"
        topic = f"lk/v1/{CONTROLLER}/{way}/{topic_name}"
        plain = json.dumps(body, separators=(",", ":")).encode()
        iv = bytes(range(11)) + bytes([11 + number])
        header = forge.header_of(keys.kid("dn" if is_down else "up"), topic, VERSION, {})
        token = forge.sealed(plain, keys.dn if is_down else keys.up, header, iv)
        yield {
            "name": name,
            "topic": topic,
            "iv": iv.hex(),
            "header": json.dumps(header, separators=(",", ":")),
            "plain": plain.decode(),
            "digest": digest(plain),
            "jwe": token.decode(),
        }


def _refused(keys: Keys, time: bytes, desired: bytes) -> Iterator[dict[str, object]]:
    """What a receiver must drop, and the code a controller shows in `bad` if it came on `dn/desired`."""
    topic, iv = ids.down(CONTROLLER, "desired"), bytes(12)

    def lying(**changes: object) -> bytes:
        return forge.sealed(b"{}", keys.dn, forge.header_of(keys.kid("dn"), topic, VERSION, changes), iv)

    parts = time.split(b".")
    raised = forge.unb64(desired.split(b".")[0]).replace(b"812", b"813")
    rows = (
        ("V2 with 812 changed to 813 in the header", _with(desired, 0, forge.b64(raised)), topic, "decrypt"),
        ("V2 on the topic of c18", desired, "lk/v1/c18/dn/desired", "header"),
        ("V2 sealed with K_up", forge.sealed(b"{}", keys.up, _header(keys, topic), iv), topic, "decrypt"),
        ("V1 with the first ciphertext octet changed", forge.flipped(time, "ciphertext"), None, "decrypt"),
        (
            "V1 with the tag cut to 12 octets",
            _with(time, 4, forge.b64(forge.unb64(parts[4])[:12])),
            None,
            "decrypt",
        ),
        ("zip", lying(zip="DEF"), topic, "header"),
        ("crit", lying(crit=["tpc"]), topic, "header"),
        ("an unknown member", lying(x=1), topic, "header"),
        ("a missing member", lying(epoch=None), topic, "header"),
        ("alg A256KW", lying(alg="A256KW"), topic, "header"),
        ("enc A128GCM", lying(enc="A128GCM"), topic, "header"),
        ("an unknown generation", lying(kid=f"{CONTROLLER}.4.dn"), topic, "header"),
        ("the other direction's kid", lying(kid=keys.kid("up")), topic, "header"),
        ("ver as text", lying(ver="812"), topic, "header"),
        ("ver below zero", lying(ver=-1), topic, "header"),
    )
    for name, token, where, why in rows:
        yield {
            "name": name,
            "topic": where or ids.down(CONTROLLER, "time"),
            "jwe": token.decode(),
            "why": why,
        }


def _header(keys: Keys, topic: str) -> dict[str, object]:
    return forge.header_of(keys.kid("dn"), topic, VERSION, {})


def _with(token: bytes, part: int, new: bytes) -> bytes:
    parts = token.split(b".")
    parts[part] = new
    return b".".join(parts)
