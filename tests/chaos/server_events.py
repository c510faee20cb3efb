"""What happens to a server in the middle of its work: it is told to end, or one of its workers is killed."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


async def _streams(port: int, seed: int, outcomes: _Outcomes, happens: trio.Event, long: int) -> None:
    """Run short streams, and long ones of so many deltas; `happens` is set once all have begun."""
    chance = random.Random(seed)

    async def one(kind: str, plan: Plan) -> None:
        outcomes[kind, await reads(port, plan)] += 1

    async with trio.open_nursery() as nursery:
        for number in range(STREAMS):
            kind, deltas = ("short", 10) if number % 2 else ("long", long)
            nursery.start_soon(one, kind, Plan(chance.getrandbits(40), deltas, 0.04))
        await trio.sleep(0.3)
        happens.set()


async def told_to_end(folder: Path, seed: int) -> tuple[_Outcomes, int]:
    """Send SIGTERM while streams run; return what became of them, and the exit code."""
    outcomes: _Outcomes = Counter()
    async with (
        between(folder, timing_shutdown_grace=3, timing_total=120) as (running, chaos),
        trio.open_nursery() as nursery,
    ):
        happens = trio.Event()
        nursery.start_soon(_streams, running.port, seed, outcomes, happens, ENDLESS)
        await happens.wait()
        await chaos.heard(STREAMS)
        running.process.send_signal(signal.SIGTERM)
        code = await trio.to_thread.run_sync(running.process.wait)
    return outcomes, code


async def worker_killed(folder: Path, seed: int) -> tuple[_Outcomes, list[str]]:
    """Kill one of two workers while streams run; what became of them, and of those that came behind."""
    outcomes: _Outcomes = Counter()
    async with chaotic_upstream() as chaos:
        with _supervised(folder, chaos.url, 2) as running:
            async with trio.open_nursery() as nursery:
                happens = trio.Event()
                nursery.start_soon(_streams, running.port, seed, outcomes, happens, LONG)
                await happens.wait()
                await chaos.heard(STREAMS)
                os.kill(_children(running.process.pid)[0], signal.SIGKILL)
                behind = [await reads(running.port, Plan(seed + at, 3)) for at in range(10)]
    return outcomes, behind


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
