"""One run: a real server between clients and an upstream that both misbehave, and what became of every answer."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio

from pipeline.bench import sockets
from tests.chaos.clients import CLIENTS
from tests.chaos.plans import Plan
from tests.chaos.upstream import FAULTS, HEADLESS, Chaos, chaotic_upstream
from tests.support.process import Running, serving_process

SETTINGS: dict[str, Any] = {
    "timing_silence": 3,
    "timing_first_byte": 3,
    "timing_write": 3,
    "timing_total": 15,
    "limits_event_bytes": 2**20,
    "upstream_retries": 1,
    "timing_shutdown_grace": 2,
}
"""A server that loses patience sooner than most, so that a run takes seconds."""

WHOLE, CUT = {"whole"}, {"cut", "nothing"}
BROKEN, LATE = {"error", "500"}, {"error", "504"}
SEEN: dict[str, set[str]] = {
    "none": WHOLE,
    "cut": BROKEN,
    "reset": BROKEN,
    "stall": LATE,
    "no_chunk": BROKEN,
    "no_json": BROKEN,
    "other_json": WHOLE,
    "dribble": WHOLE,
    "huge": BROKEN | WHOLE,
    "failed": BROKEN,
    "closed": BROKEN,
    "silent": {"504"},
    "page": BROKEN,
    "limited": {"429"},
    "no_http": BROKEN,
}
"""What a client that reads may come to see of each fault; a status where nothing had been said before."""


def allowed(fault: str, client: str) -> set[str]:
    """What may become of an answer."""
    if client in ("leaves", "resets"):
        return {"left"}
    if client == "is deaf for a while":
        return SEEN[fault] | CUT
    return SEEN[fault]


@attrs.frozen
class Case:
    """One client and what happens to its answer."""

    client: str
    plan: Plan


def cases(seed: int) -> Iterator[Case]:
    """Every fault with every client, in an order of the seed's own."""
    chance = random.Random(seed)
    both = [(fault, client) for fault in FAULTS for client in CLIENTS]
    chance.shuffle(both)
    for fault, client in both:
        wide = client in ("is deaf for a while", "reads slowly")
        deltas = chance.randint(30, 60) if wide else chance.randint(1, 40)
        at = 0 if fault in HEADLESS else chance.randrange(deltas)
        gap = 0.0 if wide else chance.choice((0.0, 0.001, 0.02))
        yield Case(client, Plan(chance.getrandbits(40), deltas, gap, chance.choice((1, 1, 300)), fault, at))


async def play(port: int, cases: Iterator[Case], at_once: int) -> Counter[tuple[str, str, str]]:
    """Play cases, so many at once; count fault, client and outcome."""
    outcomes: Counter[tuple[str, str, str]] = Counter()

    async def one_after_another() -> None:
        for case in cases:
            outcome = await CLIENTS[case.client](port, case.plan)
            outcomes[case.plan.fault, case.client, outcome] += 1

    async with trio.open_nursery() as nursery:
        for _ in range(at_once):
            nursery.start_soon(one_after_another)
    return outcomes


def unlike(outcomes: Counter[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Which outcomes are not allowed."""
    return sorted(each for each in outcomes if each[2] not in allowed(each[0], each[1]))


@asynccontextmanager
async def between(folder: Path, **settings: Any) -> AsyncIterator[tuple[Running, Chaos]]:
    """Serve from a chaotic upstream, in a process of its own, until the block is left."""
    async with chaotic_upstream() as chaos:
        with serving_process(folder, upstream_url=chaos.url, **{**SETTINGS, **settings}) as running:
            await healthy(running)
            yield running, chaos


async def healthy(running: Running) -> None:
    """Wait until the server has started."""
    with await sockets.connect("127.0.0.1", running.port) as connected:
        await sockets.send(connected, b"GET /healthz HTTP/1.0\r\nhost: localhost\r\n\r\n")
        await sockets.receive(connected)


async def returns(running: Running, descriptors: int, patience: float = 30.0) -> int:
    """Wait until a server has no more descriptors than before; how many it has too many, when it never does."""
    with trio.move_on_after(patience):
        while running.descriptors > descriptors:  # noqa: ASYNC110 - another process's
            await trio.sleep(0.05)
    return max(0, running.descriptors - descriptors)
