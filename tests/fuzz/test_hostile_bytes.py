"""Thousands of hostile connections beside streams that must not notice.

By default a hundred each way, the same each time. `make soak` asks for more by variables: `SOAK_CONNECTIONS` (how
many), `SOAK_STREAMS` (beside how many streams), `SOAK_SECONDS` (how long at most) and `SOAK_SEED` (which); what fails
names its seed. What `make soak` found is noted for the report.
"""

from __future__ import annotations

import os
import random
import select
import socket
import ssl
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.chaos.measured import note
from tests.end_to_end.test_hostile import INPUTS
from tests.fuzz.mutations import hostile, pieces
from tests.support.process import Running
from tests.support.ways import WAYS, Served, rest, served_by, streaming

CONNECTIONS = int(os.environ.get("SOAK_CONNECTIONS", "100"))
SECONDS = float(os.environ.get("SOAK_SECONDS", "60"))
STREAMS = int(os.environ.get("SOAK_STREAMS", "1"))
SEED = int(os.environ.get("SOAK_SEED", "1"))

SETTLED = 15.0
"""Seconds after which every client that has left must be forgotten."""

AT_ONCE = max(50, 10 * STREAMS)
"""Hostile connections beside each round of streams."""

HEAD = b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\n"
CORPUS = [
    *INPUTS.values(),
    streaming("[[text]]", close=False),
    streaming("[[slow 600]]", close=False),
    streaming("[[text]]", close=False) * 3,
    b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n" * 5,
    b"HEAD / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nhost: localhost\r\n\r\n",
    HEAD + b'transfer-encoding: chunked\r\n\r\n5\r\n{"a":\r\n2;x=y\r\n1}\r\n0\r\ntrailer: x\r\n\r\n',
    HEAD + b"expect: 100-continue\r\ncontent-length: 2\r\n\r\n{}",
    HEAD + b"content-encoding: gzip\r\ncontent-length: 4\r\n\r\n\x1f\x8b\x08\x00",
    b"GET http://localhost/v1/models?limit=1&limit=2 HTTP/1.1\r\nhost: localhost\r\n\r\n",
]
"""What is made hostile: requests of all kinds, and what has ended servers before."""


def _attack(served: Served, chance: random.Random, data: bytes) -> None:
    """Open a connection, send, and leave in one of the ways in which clients leave."""
    try:
        with served.connect() as attacker:
            attacker.settimeout(0.02)
            for piece in pieces(chance, data):
                attacker.sendall(piece)
            leaving = chance.randrange(4)
            if leaving == 0:
                attacker.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes((1, 0, 0, 0, 0, 0, 0, 0)))
            elif leaving == 1:
                attacker.recv(65_536)
            elif leaving == 2 and not isinstance(attacker, ssl.SSLSocket):
                attacker.shutdown(socket.SHUT_WR)
                attacker.recv(65_536)
    except OSError:
        pass  # whatever the server did to this connection is its right


def _lost(running: Running, before: int) -> int:
    """How many descriptors do not come back: refused clients may linger for a while, others for a moment."""
    end = time.monotonic() + SETTLED
    while (lost := running.descriptors - before) > 0 and time.monotonic() < end:
        select.select([], [], [], 0.05)
    return max(lost, 0)


def _beside(served: Served, chance: random.Random, number: int) -> int:
    """Attack while streams run; return how many of those were whole."""
    with ExitStack() as open_ones:
        streams = [open_ones.enter_context(served.connect("http/1.1")) for _ in range(STREAMS)]
        for stream in streams:
            stream.sendall(streaming("[[slow 0.01]]"))
        for _ in range(AT_ONCE):
            _attack(served, chance, hostile(chance, CORPUS))
        whole = sum(b"event: message_stop" in rest(stream) for stream in streams)
    assert whole == STREAMS, f"seed {SEED}, connections from {number}"
    return whole


@pytest.mark.parametrize("way", WAYS)
def test_hostile_connections(way: str, tmp_path: Path) -> None:
    """The streams beside are whole, no descriptor is lost, nothing of ours has failed, and the end comes in time."""
    chance, until = random.Random(f"{SEED} {way}"), time.monotonic() + SECONDS
    attacks = whole = 0
    with served_by(way, tmp_path, timing_shutdown_grace=2) as served:
        before = served.running.descriptors
        while attacks < CONNECTIONS and time.monotonic() < until:
            whole += _beside(served, chance, attacks)
            attacks += AT_ONCE
        assert served.running.alive, f"seed {SEED}"
        lost = _lost(served.running, before)
        assert served.running.terminate() == 0
        said = served.running.logged()

    assert '"event": "fault"' not in said
    assert way != "dragoman" or 'connection_fault"' not in said
    assert "Traceback" not in said
    assert not lost
    if "SOAK_CONNECTIONS" in os.environ:
        figures = {"connections": attacks, "streams at once": STREAMS, "streams whole": whole, "seed": SEED}
        note(f"fuzz {way.replace('/', ' ')}", {"server": way, **figures, "descriptors lost": lost, "exit code": 0})
