"""Seeded hostile payloads: truncated, bit-flipped, oversized, replayed, random, and well sealed with a hostile text."""

import json
import random
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

from booking.conformance import forge
from booking.lockwire.keys import Direction, Keys

VALUES: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    1,
    2**31,
    2**32,
    2**53 - 1,
    2**53,
    -(2**53),
    10**400,
    1.5,
    1_795_000_000,
    4_102_444_801,
    "",
    "a" * 40,
    "grant-001\n",
    "d1",
    "\u0000",
    "\ud800",
    "١٢٣٤",
    "004216",
    "'; DROP TABLE controller; --",
    [],
    {},
    [[[[[[]]]]]],
    [None] * 60,
    {"ev": {"ev": {}}},
    ["d1"] * 40,
    [1, 2**53],
)
DEEP = b"[" * 20_000
NAMES = ("id", "n", "x", "__class__", "crit", "pin", "lost", "g", "t", "boot")


@dataclass(frozen=True)
class Base:
    """One honest message to spoil."""

    topic: str
    plain: bytes


def payloads(
    seed: int, count: int, bases: Sequence[Base], keys: Keys, way: Direction
) -> Iterator[tuple[str, bytes]]:
    """Yield (topic, payload). None of them opens a door or is an honest message with an honest text."""
    chance = random.Random(seed)

    def seal(plain: bytes, topic: str, version: tuple[int, int]) -> bytes:
        header = forge.header_of(keys.kid(way), topic, version, {})
        return forge.sealed(plain, keys.of(way), header)

    honest = [(base, seal(base.plain, base.topic, (1, 1))) for base in bases]
    big = chance.randbytes(70_000)
    topics = [base.topic for base in bases]
    for _ in range(count):
        base, token = chance.choice(honest)
        kind = chance.random()
        if kind < 0.25:
            yield base.topic, token[: chance.randrange(len(token))]
        elif kind < 0.5:
            yield base.topic, flipped(chance, token)
        elif kind < 0.505:
            yield base.topic, chance.choice((token + big, big, b"A" * 67_585, b"." * 67_584))
        elif kind < 0.6:
            yield chance.choice(topics), token  # replayed, mostly where it does not belong
        elif kind < 0.8:
            yield chance.choice(topics), chance.randbytes(chance.randrange(1, 400))
        elif kind < 0.85:
            yield base.topic, spliced(chance, token, chance.choice(honest)[1])
        else:
            version = (chance.randrange(0, 1_000), chance.randrange(0, 1_000))
            yield base.topic, seal(spoilt(chance, base.plain), base.topic, version)


def well_sealed(seed: int, count: int, bases: Sequence[Base], keys: Keys) -> Iterator[tuple[str, bytes]]:
    """Yield (topic, payload): what a controller that has gone mad seals itself; a third of it in order."""
    chance = random.Random(seed)
    for _ in range(count):
        base = chance.choice(bases)
        plain = base.plain if chance.random() < 1 / 3 else spoilt(chance, base.plain)
        version = (chance.randrange(0, 3), chance.randrange(0, 3))
        yield (
            base.topic,
            forge.sealed(plain, keys.up, forge.header_of(keys.kid("up"), base.topic, version, {})),
        )


def flipped(chance: random.Random, token: bytes) -> bytes:
    """Return the token with one to three bits changed."""
    raw = bytearray(token)
    for _ in range(chance.randrange(1, 4)):
        raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
    return bytes(raw)


def spliced(chance: random.Random, token: bytes, other: bytes) -> bytes:
    """Return a token with one part of another."""
    parts, others = token.split(b"."), other.split(b".")
    at = chance.randrange(len(parts))
    parts[at] = others[at]
    return b".".join(parts)


def spoilt(chance: random.Random, plain: bytes) -> bytes:
    """Return the text with something hostile in it: an extreme value, a member too many, broken JSON."""
    kind = chance.random()
    if kind < 0.02:
        return DEEP
    if kind < 0.1:
        return plain[: chance.randrange(len(plain))]
    if kind < 0.15:
        return plain.replace(b"{", b'{"id":"grant-0xx",', 1)
    if kind < 0.2:
        return flipped(chance, plain)
    body = json.loads(plain)
    for _ in range(chance.randrange(1, 3)):
        _change(chance, body)
    return json.dumps(body).encode()


def _change(chance: random.Random, body: object) -> None:
    """One member somewhere in it has another value, is gone, or is new."""
    places = list(_containers(body))
    place = chance.choice(places)
    if isinstance(place, list):
        if place:
            place[chance.randrange(len(place))] = deepcopy(chance.choice(VALUES))
    elif chance.random() < 0.2 or not place:
        place[chance.choice(NAMES)] = deepcopy(chance.choice(VALUES))
    else:
        name = chance.choice(list(place))
        if chance.random() < 0.2:
            del place[name]
        elif name not in ("op", "mode"):  # an honest `open` is not fuzz
            place[name] = deepcopy(chance.choice(VALUES))


def _containers(node: object) -> "Iterator[dict[str, object] | list[object]]":
    if isinstance(node, dict | list):
        yield node
        for child in node.values() if isinstance(node, dict) else node:
            yield from _containers(child)
