"""A thousand paced streams for half an hour: what the server's memory, descriptors and tasks do meanwhile.

    python -m tests.chaos.soak --streams 1000 --minutes 30 --seed 1

Three streams of five last as long as the run; the others are short, one after another, so that requests come and go.
Every text is compared. What came of it goes into the report.

What a server remembers of requests is bounded, and full after some ten thousand: so many come before the run, one
behind the other, so that whatever grows in it grows for ever.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import linear_regression

import attrs
import trio

from pipeline.bench.children import raise_file_limit
from pipeline.commands.listening import bind
from pipeline.telemetry.prompt_history import MAX_CONVERSATIONS
from stages.wire.request_body import MAX_MESSAGES
from tests.chaos.clients import reads
from tests.chaos.measured import note
from tests.chaos.plans import Plan
from tests.chaos.upstream import chaotic_upstream
from tests.support.process import Running

LONG = 0.6
"""The part of the streams that lasts as long as the run."""

SAMPLED = 10.0
"""Seconds between two looks at the process."""

REMEMBERED = max(MAX_MESSAGES, MAX_CONVERSATIONS)
"""Requests after which a server remembers as many as it ever will."""

RAMP = 20.0
"""Seconds in which the streams begin."""

_PAGE = os.sysconf("SC_PAGE_SIZE")


@attrs.frozen
class Sample:
    """The process at one moment.

    Attributes:
        at: seconds since the run began.
        rss: megabytes that it holds.
        descriptors: files and sockets that it has open.
        tasks: trio's tasks in it.
    """

    at: float
    rss: float
    descriptors: int
    tasks: int


def sample(running: Running, at: float) -> Sample:
    """Look at a process of `served`."""
    pages = int(Path(f"/proc/{running.process.pid}/statm").read_text().split()[1])
    tasks = running.logged().split()
    return Sample(at, pages * _PAGE / 2**20, running.descriptors, int(tasks[-1]) if tasks else 0)


@contextmanager
def served(folder: Path, upstream: str, **settings: object) -> Iterator[Running]:
    """Run `tests.chaos.served` until the block is left, which must end it well."""
    given = {f"DRAGOMAN_{name.upper()}": str(value) for name, value in settings.items()}
    with bind("127.0.0.1", 0) as listener, (folder / "tasks").open("w") as tasks, (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.chaos.served", "--fd", str(listener.fileno())],
            env={**os.environ, "DRAGOMAN_UPSTREAM_URL": upstream, "DRAGOMAN_LOG_FORMAT": "json", **given},
            pass_fds=[listener.fileno()],
            stdout=tasks,
            stderr=log,
            text=True,
        )
        with process:
            running = Running(process, listener.getsockname()[1], folder / "tasks")
            try:
                yield running
            finally:
                process.kill()


async def _client(number: int, port: int, seed: int, seconds: float, outcomes: Counter[str]) -> None:
    chance = random.Random(f"{seed} {number}")
    begun = trio.current_time()
    await trio.sleep(RAMP * chance.random())
    long = chance.random() < LONG
    while (left := seconds - (trio.current_time() - begun)) > 1:
        gap = chance.choice((1.0, 2.0, 2.0, 4.0))
        lasts = left if long else min(left, chance.uniform(5, 90))
        outcomes[await reads(port, Plan(chance.getrandbits(40), max(1, int(lasts / gap)), gap))] += 1


async def _fill(port: int, seed: int) -> None:
    """Ask until the server remembers as much as it ever will; some at once, but never many."""
    chance = random.Random(f"{seed} before")
    plans = iter([Plan(chance.getrandbits(40), 1) for _ in range(REMEMBERED)])

    async def ask() -> None:
        for plan in plans:
            await reads(port, plan)

    async with trio.open_nursery() as clients:
        for _ in range(8):
            clients.start_soon(ask)


async def _watch(running: Running, samples: list[Sample]) -> None:
    begun = trio.current_time()
    while True:
        await trio.sleep(SAMPLED)
        samples.append(sample(running, trio.current_time() - begun))


async def run(streams: int, minutes: float, seed: int, folder: Path) -> dict[str, object]:
    """Run, and return what was found."""
    outcomes: Counter[str] = Counter()
    samples: list[Sample] = []
    async with chaotic_upstream() as chaos:
        with served(folder, chaos.url, limits_requests=streams + 10) as running:
            await reads(running.port, Plan(seed, 1))  # it serves, however long its start takes here
            await trio.sleep(6)  # and has told of its tasks
            before = sample(running, 0)
            await _fill(running.port, seed)
            filled = sample(running, 0)
            async with trio.open_nursery() as watching:
                watching.start_soon(_watch, running, samples)
                async with trio.open_nursery() as clients:
                    for number in range(streams):
                        clients.start_soon(_client, number, running.port, seed, minutes * 60, outcomes)
                watching.cancel_scope.cancel()
            await trio.sleep(40)  # connections that are kept for the next request are closed by then
            after = sample(running, minutes * 60 + 40)
            code = running.terminate()
        log = (folder / "log").read_text()
    return {
        "seed": seed,
        "streams at once": streams,
        "minutes": minutes,
        "outcomes": dict(outcomes),
        "exit code": code,
        "faults": log.count('"event": "fault"') + log.count('"event": "connection_fault"'),
        **_resources(samples, before, filled, after),
    }


def _resources(samples: list[Sample], before: Sample, filled: Sample, after: Sample) -> dict[str, object]:
    """How resources went while all streams ran; the first fifth of the time is left out, when streams begin."""
    steady = samples[len(samples) // 5 : -2] or samples
    slope = linear_regression([each.at for each in steady], [each.rss for each in steady]).slope
    tasks = [each.tasks for each in steady]
    return {
        "rss MB": {
            "before": round(before.rss, 1),
            "filled": round(filled.rss, 1),
            "steady": round(steady[0].rss, 1),
            "end": round(steady[-1].rss, 1),
            "after": round(after.rss, 1),
        },
        "rss slope MB/h": round(slope * 3600, 2),
        "descriptors": {
            "before": before.descriptors,
            "most": max(e.descriptors for e in steady),
            "after": after.descriptors,
        },
        "tasks": {"before": before.tasks, "most": max(tasks), "least": min(tasks), "after": after.tasks},
    }


def main() -> None:
    """Run, and note the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    raise_file_limit(4 * given.streams + 1000)
    folder = Path(tempfile.mkdtemp(prefix="soak-"))  # it stays: the log says more than the figures
    print(f"the server's log: {folder / 'log'}")
    note("soak", trio.run(run, given.streams, given.minutes, given.seed, folder))


if __name__ == "__main__":
    main()
