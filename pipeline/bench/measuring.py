"""Loads on servers, interleaved, and what the processors did meanwhile."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from statistics import quantiles

import attrs
import trio

from pipeline.bench import sockets
from pipeline.bench.conversations import conversation
from pipeline.bench.cpu import cpu_seconds, machine_seconds
from pipeline.bench.load import Address, Load, put_load
from pipeline.bench.workloads import BODY, BenchError, Workload

_START = 30.0  # seconds until a server must have answered once
_SETTLE = 0.2  # seconds after a load, so that its last work is not the next one's


@attrs.frozen
class BenchTarget:
    """A server under load.

    Attributes:
        name: what it is called in tables.
        address: where it listens.
        pids: its processes, children aside; empty when they are not known, so that its CPU time is not either.
    """

    name: str
    address: Address
    pids: tuple[int, ...]


@attrs.frozen
class UpstreamProcess:
    """The bench's own upstream: where it is told what to answer, and its process."""

    address: Address
    pid: int


@attrs.frozen
class Measured:
    """One load on one server.  Times are seconds.

    Attributes:
        target: the server's name.
        scenario: the load's name.
        completed: requests that were answered in full.
        failed: the others, by what went wrong.
        events: deltas of the completed answers.
        seconds: how long it took.
        cpu: the server's CPU time; None where it could not be read.
        client_cpu: this process's.
        upstream_cpu: the bench's upstream's.
        others_cpu: that of all other programs on the machine; None where it could not be read.
        first_p50: median of the time to the first words (to the whole answer, where it is not streamed).
        first_p99: the time that 99 of 100 did not exceed.
    """

    target: str
    scenario: str
    completed: int
    failed: Mapping[str, int]
    events: int
    seconds: float
    cpu: float | None
    client_cpu: float
    upstream_cpu: float
    others_cpu: float | None
    first_p50: float | None
    first_p99: float | None

    @property
    def ms_per_request(self) -> float | None:
        """The server's CPU time for one answered request, in milliseconds."""
        return self.cpu / self.completed * 1e3 if self.cpu is not None and self.completed else None

    @property
    def us_per_event(self) -> float | None:
        """The server's CPU time for one delta, in microseconds, the request's own cost included."""
        return self.cpu / self.events * 1e6 if self.cpu is not None and self.events else None


async def run_workloads(
    targets: list[BenchTarget],
    upstream: UpstreamProcess,
    scenarios: Mapping[str, Workload],
    rounds: int,
    heard: Callable[[Measured], None],
) -> list[Measured]:
    """Put each load on each server in turn, `rounds` times; who comes first changes from round to round.

    Waits for one load after the other; cancelled, it leaves no connection open, and what was measured is lost.

    Raises:
        BenchError: A server does not answer from the bench's upstream.
    """
    for target in targets:
        await _warm_up(target, upstream)
    found: list[Measured] = []
    for number in range(rounds):
        turn = number % len(targets)
        for name, scenario in scenarios.items():
            for target in targets[turn:] + targets[:turn]:
                found.append(await _measure(target, upstream, name, scenario))
                heard(found[-1])
    return found


async def _measure(target: BenchTarget, upstream: UpstreamProcess, name: str, scenario: Workload) -> Measured:
    """Put one load on one server, wait until it has settled, and read the clocks before and after."""
    await _order(upstream, scenario)
    body = conversation(BODY, stream=scenario.stream)
    before = _readings(target, upstream)
    load = await put_load(target.address, scenario, body)
    await trio.sleep(_SETTLE)
    cpu, client, theirs, machine = (
        None if one is None or two is None else two - one
        for one, two in zip(before, _readings(target, upstream), strict=True)
    )
    first = [outcome.first for outcome in load.completed if outcome.first is not None]
    return Measured(
        target.name,
        name,
        completed=len(load.completed),
        failed=Counter(outcome.fault for outcome in load.outcomes if outcome.fault),
        events=len(load.completed) * scenario.deltas,
        seconds=load.seconds,
        cpu=cpu,
        client_cpu=client or 0.0,
        upstream_cpu=theirs or 0.0,
        others_cpu=None if machine is None else machine - sum(own or 0.0 for own in (cpu, client, theirs)),
        first_p50=_quantile(first, 50),
        first_p99=_quantile(first, 99),
    )


def _readings(target: BenchTarget, upstream: UpstreamProcess) -> tuple[float | None, ...]:
    """Read the clocks: the server's, ours, the upstream's, and the whole machine's."""
    server = cpu_seconds(target.pids) if target.pids else None
    return server, time.process_time(), cpu_seconds([upstream.pid]), machine_seconds()


def _quantile(values: list[float], percent: int) -> float | None:
    if len(values) < 2:  # noqa: PLR2004 - one value is all quantiles of itself
        return values[0] if values else None
    return quantiles(values, n=100, method="inclusive")[percent - 1]


async def _warm_up(target: BenchTarget, upstream: UpstreamProcess) -> None:
    """Ask a few times, and wait as long as the server needs to start, `_START` seconds at most."""
    scenario = Workload("warming up", deltas=20, seconds=0.3, limit=_START)
    await _order(upstream, scenario)
    for stream in (True, False):
        load: Load = await put_load(
            target.address, attrs.evolve(scenario, stream=stream), conversation(BODY, stream=stream)
        )
        faults = Counter(outcome.fault for outcome in load.outcomes if outcome.fault)
        if faults or not load.outcomes:
            words = ", ".join(faults) or "time out"
            raise BenchError(f"{target.name} does not answer from the bench's upstream ({words})")


async def _order(upstream: UpstreamProcess, scenario: Workload) -> None:
    """Tell the upstream what to answer from now on, and wait until it has heard, `_START` seconds at most."""
    address = upstream.address
    try:
        with trio.fail_after(_START):
            connected = await sockets.connect(address.host, address.port)
            with connected:
                path = f"/play/{scenario.deltas}/{scenario.rate:g}"
                await sockets.send(connected, f"GET {path} HTTP/1.1\r\nhost: {address.host}\r\n\r\n".encode())
                answered = await sockets.receive(connected)
    except (OSError, trio.TooSlowError) as error:
        raise BenchError("the bench's upstream did not start") from error
    if not answered:
        raise BenchError("the bench's upstream did not understand what to play")


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
