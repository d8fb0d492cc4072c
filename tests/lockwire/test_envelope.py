import base64
import json
from pathlib import Path
from typing import Final

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwe
from joserfc.jwk import OctKey

from booking.lockwire import envelope, snapshot
from booking.lockwire.envelope import Dropped, seal, unseal
from booking.lockwire.keys import derive

VECTORS: Final = json.loads(Path(__file__).with_name("vectors.json").read_text())
KEYS: Final = derive(bytes.fromhex(VECTORS["master"]), "c17", 3)
TIME, DESIRED = "lk/v1/c17/dn/time", "lk/v1/c17/dn/desired"
V1, V2 = VECTORS["v1"]["jwe"].encode(), VECTORS["v2"]["jwe"].encode()


def b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def with_header(token: bytes, **changes: object) -> bytes:
    """The same token under another header, honestly re-sealed so that only our own rules can refuse it."""
    header = json.loads(base64.urlsafe_b64decode(token.split(b".")[0] + b"==")) | changes
    header = {name: value for name, value in header.items() if value is not None}
    aad, iv = b64(json.dumps(header, separators=(",", ":")).encode()), b"\0" * 12
    sealed = AESGCM(KEYS.dn).encrypt(iv, b"{}", aad)
    return b".".join([aad, b"", b64(iv), b64(sealed[:-16]), b64(sealed[-16:])])


def test_the_master_key_of_the_vectors__gives_both_keys() -> None:
    assert (KEYS.dn.hex(), KEYS.up.hex()) == (VECTORS["k_dn"], VECTORS["k_up"])
    assert VECTORS["k_dn"] not in repr(KEYS)


@pytest.mark.parametrize(("name", "topic"), [("v1", TIME), ("v2", DESIRED)])
def test_a_vector__opens_to_its_plain_text(name: str, topic: str) -> None:
    opened = unseal(VECTORS[name]["jwe"].encode(), [KEYS], "dn", topic)

    assert (opened.gen, opened.epoch, opened.ver) == (3, 4, 812)
    assert opened.plain.decode() == VECTORS[name]["plain"]


@pytest.mark.parametrize(("name", "topic"), [("v1", TIME), ("v2", DESIRED)])
def test_what_we_seal__has_the_header_of_the_vector_and_a_fresh_iv(name: str, topic: str) -> None:
    plain = VECTORS[name]["plain"].encode()
    first, second = (seal(plain, KEYS, "dn", topic, 4, 812) for _ in range(2))

    assert first.split(b".")[0] == VECTORS[name]["jwe"].encode().split(b".")[0]
    assert first.split(b".")[2] != second.split(b".")[2]
    assert unseal(first, [KEYS], "dn", topic).plain == plain


def test_the_snapshot_vector__is_canonical_and_has_its_digest() -> None:
    octets = VECTORS["v2"]["plain"].encode()

    assert len(octets) == 357
    assert snapshot.digest(octets) == VECTORS["digest_v2"]
    assert snapshot.encode(snapshot.decode(octets)) == octets


def _swap(token: bytes, part: int, new: bytes) -> bytes:
    parts = token.split(b".")
    parts[part] = new
    return b".".join(parts)


def _flip(token: bytes, part: int, at: int = 0) -> bytes:
    old = token.split(b".")[part]
    return _swap(token, part, old[:at] + (b"A" if old[at : at + 1] != b"A" else b"B") + old[at + 1 :])


V2_RAISED = _swap(V2, 0, b64(VECTORS["v2"]["header"].replace("812", "813").encode()))
CUT_TAG = _swap(V1, 4, b64(base64.urlsafe_b64decode(V1.split(b".")[4] + b"==")[:12]))

BAD = [
    ("raised version", V2_RAISED, DESIRED, "decrypt"),
    ("other controller's topic", V2, "lk/v1/c18/dn/desired", "header"),
    ("first ciphertext character", _flip(V1, 3), TIME, "decrypt"),
    ("tag of 12 bytes", CUT_TAG, TIME, "decrypt"),
    ("one bit in the IV", _flip(V1, 2), TIME, "decrypt"),
    ("one bit in the tag", _flip(V1, 4), TIME, "decrypt"),
    ("empty", b"", TIME, "header"),
    ("not a token", b"hello", TIME, "header"),
    ("three parts", V1.rsplit(b".", 2)[0], TIME, "decrypt"),
    ("not base64", _swap(V1, 3, b"**"), TIME, "decrypt"),
    ("not ASCII", _swap(V1, 3, b"\xff\xfe"), TIME, "decrypt"),
    ("an encrypted key", _swap(V1, 1, b"AAAA"), TIME, "decrypt"),
    ("oversized", V1 + b"A" * 67_584, TIME, "size"),
    ("zip", with_header(V1, zip="DEF"), TIME, "header"),
    ("crit", with_header(V1, crit=["tpc"]), TIME, "header"),
    ("unknown member", with_header(V1, x=1), TIME, "header"),
    ("missing member", with_header(V1, epoch=None), TIME, "header"),
    ("other alg", with_header(V1, alg="A256KW"), TIME, "header"),
    ("other enc", with_header(V1, enc="A128GCM"), TIME, "header"),
    ("unknown generation", with_header(V1, kid="c17.4.dn"), TIME, "header"),
    ("other direction", with_header(V1, kid="c17.3.up"), TIME, "header"),
    ("boolean version", with_header(V1, ver=True), TIME, "header"),
    ("negative version", with_header(V1, ver=-1), TIME, "header"),
    ("version as text", with_header(V1, ver="812"), TIME, "header"),
    ("version as float", with_header(V1, ver=812.0), TIME, "header"),
]


@pytest.mark.parametrize(("token", "topic", "why"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_message_that_breaks_a_rule__is_dropped(token: bytes, topic: str, why: str) -> None:
    with pytest.raises(Dropped) as dropped:
        unseal(token, [KEYS], "dn", topic)

    assert dropped.value.why == why


def test_the_resealing_of_this_test__opens_when_nothing_is_changed() -> None:
    assert unseal(with_header(V1), [KEYS], "dn", TIME).plain == b"{}"


def test_the_other_direction_s_key__opens_nothing() -> None:
    with pytest.raises(Dropped):
        unseal(V2, [KEYS], "up", DESIRED)
    with pytest.raises(Exception):  # noqa: B017 - whichever way the library refuses
        jwe.decrypt_compact(V2, OctKey.import_key(KEYS.up), algorithms=["dir", "A256GCM"])


def test_a_header_with_a_member_twice__is_dropped() -> None:
    doubled = VECTORS["v1"]["header"].replace('"ver":812', '"ver":812,"ver":812')
    with pytest.raises(Dropped, match="header"):
        unseal(_swap(V1, 0, b64(doubled.encode())), [KEYS], "dn", TIME)


def test_an_untrusted_header__can_be_named_in_a_report() -> None:
    assert envelope.peek_version(V2_RAISED) == (4, 813)
    assert envelope.peek_version(b"junk") == (0, 0)
