"""What happens to a server in the middle of its work: it is told to end, or one of its workers is killed.

`python -m tests.chaos.server_events 200` does both to so many streams, and prints what became of them.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import trio

from pipeline.workers import server_command
from tests.chaos.clients import reads
from tests.chaos.plans import Plan
from tests.chaos.runs import between
from tests.chaos.upstream import chaotic_upstream
from tests.support.process import Running

STREAMS = 20
"""Streams that run when it happens: half of them end soon, the others not before they are ended."""

LONG, ENDLESS = 80, 1500
"""Deltas of a long stream: three seconds' worth, and a minute's, which no machine is too busy to be within."""

AFTER: dict[str, dict[str, set[str]]] = {
    "SIGTERM": {"short": {"whole"}, "long": {"error"}},
    "a worker is killed": {"short": {"whole", "cut", "nothing"}, "long": {"whole", "cut", "nothing"}},
}
"""What may become of short and of long streams."""

_URL = re.compile(r"dragoman listens on http://127\.0\.0\.1:(\d+)")
_Outcomes = Counter[tuple[str, str]]


@attrs.frozen
class _Work:
    """What runs when it happens: so many streams, half of them short, and half of so many deltas."""

    seed: int
    streams: int
    long: int
    outcomes: _Outcomes = attrs.field(factory=Counter)


async def _streams(port: int, work: _Work, happens: trio.Event) -> None:
    """Run them all; `happens` is set once they have begun."""
    chance, outcomes = random.Random(work.seed), work.outcomes

    async def one(kind: str, plan: Plan) -> None:
        outcomes[kind, await reads(port, plan)] += 1

    async with trio.open_nursery() as nursery:
        for number in range(work.streams):
            kind, deltas = ("short", 10) if number % 2 else ("long", work.long)
            nursery.start_soon(one, kind, Plan(chance.getrandbits(40), deltas, 0.04))
        await trio.sleep(0.3)
        happens.set()


async def told_to_end(folder: Path, seed: int, streams: int = STREAMS) -> tuple[_Outcomes, int]:
    """Send SIGTERM while streams run; return what became of them, and the exit code."""
    work = _Work(seed, streams, ENDLESS)
    async with (
        between(folder, timing_shutdown_grace=3, timing_total=120) as (running, chaos),
        trio.open_nursery() as nursery,
    ):
        happens = trio.Event()
        nursery.start_soon(_streams, running.port, work, happens)
        await happens.wait()
        await chaos.heard(streams)
        running.process.send_signal(signal.SIGTERM)
        code = await trio.to_thread.run_sync(running.process.wait)
    return work.outcomes, code


async def worker_killed(folder: Path, seed: int, streams: int = STREAMS) -> tuple[_Outcomes, list[str]]:
    """Kill one of two workers while streams run; what became of them, and of those that came behind."""
    work = _Work(seed, streams, LONG)
    async with chaotic_upstream() as chaos:
        with _supervised(folder, chaos.url, 2) as running:
            async with trio.open_nursery() as nursery:
                happens = trio.Event()
                nursery.start_soon(_streams, running.port, work, happens)
                await happens.wait()
                await chaos.heard(streams)
                os.kill(_children(running.process.pid)[0], signal.SIGKILL)
                behind = [await reads(running.port, Plan(seed + at, 3)) for at in range(10)]
    return work.outcomes, behind


@contextmanager
def _supervised(folder: Path, upstream: str, workers: int) -> Iterator[Running]:
    """Serve with several workers until the block is left."""
    with (folder / "log").open("w") as log, Path(os.devnull).open("rb") as nothing:
        command, environment = server_command([], nothing)  # type: ignore[arg-type] # its number alone is asked for
        process = subprocess.Popen(
            [*command[: command.index("--fd")], "--port", "0", "--workers", str(workers)],
            env={**environment, "DRAGOMAN_UPSTREAM_URL": upstream},
            stdout=log,
            stderr=log,
            text=True,
        )
        with process:
            running = Running(process, 0, folder / "log")
            try:
                running.until(lambda: _URL.search(running.logged()) is not None)
                running.until(lambda: running.logged().count("started") >= workers)
                found = _URL.search(running.logged())
                assert found is not None
                yield Running(process, int(found[1]), folder / "log")
            finally:
                running.terminate()


def _children(pid: int) -> list[int]:
    """The processes that a process has started, in whichever thread."""
    lists = [task.read_text().split() for task in Path(f"/proc/{pid}/task").glob("*/children")]
    return sorted(int(child) for children in lists for child in children)


def _main(streams: int) -> None:
    for event in (told_to_end, worker_killed):
        with tempfile.TemporaryDirectory() as folder:
            outcomes, after = trio.run(event, Path(folder), 1, streams)
        told = ", ".join(f"{kind} {outcome}: {number}" for (kind, outcome), number in sorted(outcomes.items()))
        print(f"{event.__name__}: {told}; then {after}")


if __name__ == "__main__":
    _main(int(sys.argv[1]))
