"""Ten times the load that a server takes, for two minutes: who is refused, how soon, and whether the others notice.

    python -m tests.chaos.overload --requests 1000 --seconds 120

Streams last a while, so a server with so many places takes so many new ones a second; ten times as many come, whether
they are taken or not. Beside them `/healthz` is asked, as a liveness probe does. Then the load ends, and one more
client comes.
"""

from __future__ import annotations

import argparse
import os
import random
import tempfile
from collections import Counter
from pathlib import Path
from statistics import quantiles

import attrs
import trio

from pipeline.bench import sockets
from pipeline.bench.children import raise_file_limit
from tests.chaos.judge import Judge
from tests.chaos.measured import note
from tests.chaos.plans import Plan
from tests.chaos.runs import between

TIMES = 10
"""How much more comes than is taken."""

GAP, DELTAS = 1.0, 20
"""Seconds between the deltas of a stream, and how many it has."""

WARM = 5.0
"""Seconds that the server has to finish its start."""

_HEALTH = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n"


@attrs.define
class Found:
    """What was seen. Times are seconds.

    Attributes:
        outcomes: how many answers ended how.
        hinted: how many refusals said when to come again.
        refused: the time from a request to its refusal.
        first: the time from a request to the first event, without what the upstream waited before it.
        late: by how much a whole stream took longer than its pace, from its request on.
        running: the same from its first event on: what others do to a stream that runs.
        health: how long `/healthz` took.
    """

    outcomes: Counter[str] = attrs.field(factory=Counter)
    hinted: int = 0
    refused: list[float] = attrs.field(factory=list)
    first: list[float] = attrs.field(factory=list)
    late: list[float] = attrs.field(factory=list)
    running: list[float] = attrs.field(factory=list)
    health: list[float] = attrs.field(factory=list)

    def spread(self) -> dict[str, dict[str, float]]:
        """Median and 99th percentile of each time, in milliseconds."""
        times = {
            "refusal": self.refused,
            "first event": self.first,
            "stream late by": self.late,
            "running stream late by": self.running,
            "healthz": self.health,
        }
        return {name: _spread(found) for name, found in times.items() if len(found) > 1}


def _spread(times: list[float]) -> dict[str, float]:
    cuts = quantiles(times, n=100, method="inclusive")
    return {
        "p50 ms": round(cuts[49] * 1e3, 1),
        "p99 ms": round(cuts[98] * 1e3, 1),
        "most ms": round(max(times) * 1e3, 1),
    }


async def ask(port: int, plan: Plan, found: Found) -> None:
    """Ask for one stream, and note what came of it; waits for all of it."""
    judge, asked = Judge(plan), trio.current_time()
    try:
        with await sockets.connect("127.0.0.1", port) as connected:
            await sockets.send(connected, plan.request())
            begun = 0.0
            while not judge.complete and (data := await sockets.receive(connected)):
                judge.feed(data)
                begun = begun or trio.current_time()
    except OSError:
        found.outcomes["not connected"] += 1
        return
    outcome, took = judge.outcome(), trio.current_time() - asked
    found.outcomes[outcome] += 1
    if outcome == "529":
        found.hinted += "retry-after" in judge.headers
        found.refused.append(took)
    elif outcome == "whole":
        found.first.append(begun - asked - (GAP if plan.gap else 0.0))
        found.late.append(took - GAP * plan.deltas)
        found.running.append(asked + took - begun - GAP * (plan.deltas - 1))


async def _probe(port: int, found: Found) -> None:
    """Ask for health on a connection of its own each time, as an orchestrator does."""
    while True:
        asked = trio.current_time()
        with await sockets.connect("127.0.0.1", port) as connected:
            await sockets.send(connected, _HEALTH)
            await sockets.receive(connected)
        found.health.append(trio.current_time() - asked)
        await trio.sleep(0.25)


async def run(requests: int, seconds: float, seed: int, folder: Path) -> dict[str, object]:
    """Run, and return what was found."""
    found, after, chance = Found(), Found(), random.Random(seed)
    rate = TIMES * requests / (GAP * DELTAS)
    async with between(folder, limits_requests=requests, timing_silence=60, timing_total=600) as (running, chaos):
        await trio.sleep(WARM)
        async with trio.open_nursery() as probing:
            probing.start_soon(_probe, running.port, found)
            async with trio.open_nursery() as clients:
                end = trio.current_time() + seconds
                while trio.current_time() < end:
                    clients.start_soon(ask, running.port, Plan(chance.getrandbits(40), DELTAS, GAP), found)
                    await trio.sleep(chance.expovariate(rate))
            probing.cancel_scope.cancel()
        await ask(running.port, Plan(seed, 1), after)
        code = running.terminate()
    return {
        "seed": seed,
        "places": requests,
        "seconds": seconds,
        "requests a second": round(rate),
        "outcomes": dict(found.outcomes),
        "refusals with retry-after": found.hinted,
        "times": found.spread(),
        "first request after": {"outcomes": dict(after.outcomes), "first event ms": round(after.first[0] * 1e3, 1)},
        "served upstream": chaos.asked,
        "exit code": code,
        "processors": os.cpu_count(),
    }


def main() -> None:
    """Run, and note the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--beside", default="nothing else", help="what else the machine was doing, for the report")
    given = parser.parse_args()
    raise_file_limit(8 * given.requests + 2000)
    with tempfile.TemporaryDirectory() as folder:
        found = trio.run(run, given.requests, given.seconds, given.seed, Path(folder))
        note("overload", {**found, "beside": given.beside})


if __name__ == "__main__":
    main()
