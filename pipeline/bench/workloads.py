"""The loads that the bench puts on a server, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs


class BenchError(Exception):
    """The bench cannot do its work; the message is a sentence for the person who asked for it."""


@attrs.frozen
class Workload:
    """One load: each client asks, reads the whole answer, and asks again on the same connection.

    Attributes:
        about: what it is, for people.
        deltas: text deltas of each answer.
        clients: connections at the same time.
        rate: deltas a second of each stream; 0 is as fast as possible.
        seconds: for how long clients ask anew; 0 lets each ask once.
        ramp: seconds over which the clients begin.
        stream: whether they ask for a stream.
        limit: seconds after which what has not ended has failed.
    """

    about: str
    deltas: int
    clients: int = 4
    rate: float = 0.0
    seconds: float = 2.0
    ramp: float = 0.0
    stream: bool = True
    limit: float = 30.0

    @property
    def descriptors(self) -> int:
        """Files that the server has open under it: two connections a client, and some of its own."""
        return 2 * self.clients + 100


WORKLOADS: Mapping[str, Workload] = {
    "ns20k": Workload("20 KB requests, not streamed", deltas=200, stream=False),
    "s20": Workload("streams of 20 deltas, as fast as possible", deltas=20),
    "s200": Workload("streams of 200", deltas=200),
    "s2000": Workload("streams of 2,000", deltas=2_000),
    "paced": Workload("60 streams, 50 events a second each", deltas=300, clients=60, rate=50, seconds=0, ramp=1),
    "p1000": Workload(
        "1,000 streams, 20 events a second each", deltas=120, clients=1_000, rate=20, seconds=0, ramp=3, limit=60
    ),
}
"""By name. What models do is `paced`; what `s2000` adds to `s20` is the cost of an event in a burst."""

BODY = 20_000
"""Bytes of the requests."""


def chosen(names: Iterable[str]) -> dict[str, Workload]:
    """Take scenarios by name, in the order of the table.

    Raises:
        BenchError: A name is none; the message lists what there is.
    """
    wanted = set(names)
    if unknown := wanted - set(WORKLOADS):
        raise BenchError(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(WORKLOADS)}")
    return {name: scenario for name, scenario in WORKLOADS.items() if name in wanted}
