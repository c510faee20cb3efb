"""Hostile bytes by a seed: good and bad requests, cut, flipped, repeated, spliced, and sent in any pieces."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence

TOKENS = (
    b"\r\n", b"\n", b"\r", b"\x00", b" ", b"\t", b":", b"\r\n\r\n", b"0\r\n\r\n", b"ffffffffffffffff\r\n", b"-1",
    b"content-length: 5\r\n", b"content-length: 0\r\n", b"transfer-encoding: chunked\r\n", b"expect: 100-continue\r\n",
    b"connection: close\r\n", b"connection: upgrade\r\nupgrade: h2c\r\n", b"upgrade: websocket\r\n", b"host: \r\n",
    b"GET / HTTP/1.1\r\n", b"POST /v1/messages HTTP/1.1\r\n", b"HTTP/1.0\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\xff\xfe", b"%00", b"http://", b"x: " + b"y" * 5000 + b"\r\n", b"x: y\r\n" * 300, b"[" * 2000,
)  # fmt: skip
"""What means something to a parser, or should not."""

_Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def _cut(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    return data[: chance.randint(0, len(data))]


def _drop(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + data[at + chance.randint(1, 8) :]


def _flip(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    changed = bytearray(data)
    for _count in range(chance.randint(1, 4)):
        if changed:
            changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _repeat(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = chance.randint(0, len(data))
    piece = data[at : at + chance.randint(1, 60)]
    return data[:at] + piece * chance.randint(2, 6) + data[at:]


def _insert(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(TOKENS) + data[at:]


def _splice(chance: random.Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    other = chance.choice(corpus)
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


_MUTATIONS: tuple[_Mutation, ...] = (_cut, _drop, _flip, _repeat, _insert, _insert, _splice)


def hostile(chance: random.Random, corpus: Sequence[bytes]) -> bytes:
    """Make something hostile of one of the corpus; now and then it is sent as it is."""
    data = chance.choice(corpus)
    for _ in range(chance.choice((0, 1, 1, 2, 3, 5))):
        data = chance.choice(_MUTATIONS)(chance, data, corpus)
    return data


def pieces(chance: random.Random, data: bytes) -> Iterator[bytes]:
    """Cut what is sent; mostly not at all, and never into more than twenty."""
    cuts = sorted(chance.randint(0, len(data)) for _ in range(chance.choice((0, 0, 0, 1, 3, 20))))
    for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True):
        yield data[begin:end]
