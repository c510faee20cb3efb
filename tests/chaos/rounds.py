"""Rounds of chaos by one seed after another, for as long as one likes; what became of every answer is noted.

python -m tests.chaos.rounds --seconds 600 --seed 1
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

import attrs
import trio

from tests.chaos.measured import note
from tests.chaos.runs import between, cases, play, returns, unlike
from tests.chaos.server_events import told_to_end, worker_killed

AT_ONCE = 60
"""Clients at once."""

ROUNDS_OF_EVENTS = 4
"""Rounds of faults to one of the server's own events, which take longer and have less to vary."""


@attrs.define
class Found:
    """What all rounds have found.

    Attributes:
        seeds: how many were played.
        outcomes: how many answers of each fault and client ended how.
        events: the same by the server's event and the kind of stream.
        unlike: what should not have been.
    """

    seeds: int = 0
    outcomes: Counter[tuple[str, str, str]] = attrs.field(factory=Counter)
    events: Counter[tuple[str, str, str]] = attrs.field(factory=Counter)
    unlike: list[str] = attrs.field(factory=list)

    def figures(self, first: int) -> dict[str, object]:
        """All of it as JSON."""
        return {
            "seeds": [first, first + self.seeds - 1],
            "outcomes": _nested(self.outcomes),
            "events": _nested(self.events),
            "unlike": self.unlike,
        }


def _nested(counts: Counter[tuple[str, str, str]]) -> dict[str, dict[str, dict[str, int]]]:
    nested: dict[str, dict[str, dict[str, int]]] = {}
    for (first, second, outcome), count in counts.items():
        nested.setdefault(first, {}).setdefault(second, {})[outcome] = count
    return nested


async def _round(folder: Path, seed: int, found: Found) -> None:
    async with between(folder) as (running, _):
        before = running.descriptors
        outcomes = await play(running.port, cases(seed), AT_ONCE)
        found.unlike += [f"seed {seed}: {each}" for each in unlike(outcomes)]
        if lost := await returns(running, before):
            found.unlike.append(f"seed {seed}: {lost} descriptors lost")
        if any(word in running.logged() for word in ('"event": "fault"', "Traceback")):
            found.unlike.append(f"seed {seed}: a fault in the log")
    found.outcomes += outcomes
    if found.seeds % ROUNDS_OF_EVENTS == 0:
        ended, _ = await told_to_end(folder, seed)
        killed, behind = await worker_killed(folder, seed)
        for event, counts in {"SIGTERM": ended, "a worker is killed": killed}.items():
            found.events.update({(event, *kind): count for kind, count in counts.items()})
        found.events.update(("a worker is killed", "behind", outcome) for outcome in behind)
    found.seeds += 1


async def run(seconds: float, seed: int, folder: Path) -> Found:
    """Play rounds until the time is over; the last one is finished."""
    found, end = Found(), trio.current_time() + seconds
    while trio.current_time() < end:
        await _round(folder, seed + found.seeds, found)
    return found


def main() -> None:
    """Play, and note the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        note("chaos", trio.run(run, given.seconds, given.seed, Path(folder)).figures(given.seed))


if __name__ == "__main__":
    main()
