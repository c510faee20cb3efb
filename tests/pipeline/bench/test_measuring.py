"""Loads on servers, measured: a real dragoman and the bench's upstream, both in this process."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import AsyncIterator
from functools import partial

import pytest
import trio

from pipeline import service
from pipeline.bench.load import Address
from pipeline.bench.measuring import BenchTarget, Measured, UpstreamProcess, cores, run_workloads
from pipeline.bench.workloads import BenchError, Workload
from pipeline.server.shutdown import Shutdown
from pipeline.settings import Settings, UpstreamSettings
from tests.pipeline.bench.peers import upstream

_SCENARIOS = {
    "few": Workload("", deltas=5, clients=2, seconds=0, limit=20),
    "whole": Workload("", deltas=7, clients=1, seconds=0, limit=20, stream=False),
    "paced": Workload("", deltas=10, clients=2, rate=100, seconds=0, limit=20),
}


@contextlib.asynccontextmanager
async def _dragoman(behind: Address) -> AsyncIterator[Address]:
    settings = Settings(
        port=0, log_level="error", upstream=UpstreamSettings(url=f"http://{behind.host}:{behind.port}/v1")
    )
    shutdown = Shutdown()
    listener = socket.create_server(("127.0.0.1", 0))
    address = Address("127.0.0.1", listener.getsockname()[1])
    async with service.open_service(settings) as opened, trio.open_nursery() as nursery:
        nursery.start_soon(partial(service.listen, opened, sockets=[listener], shutdown=shutdown))
        try:
            yield address
        finally:
            shutdown.begin()


async def test_loads_are_interleaved_and_counted() -> None:
    """Every scenario on every server in every round, who is first in turns; all requests are answered in full."""
    heard: list[Measured] = []
    async with upstream() as behind, _dragoman(behind) as address:
        targets = [BenchTarget("one", address, (os.getpid(),)), BenchTarget("two", address, ())]
        found = await run_workloads(targets, UpstreamProcess(behind, os.getpid()), _SCENARIOS, 2, heard.append)

    assert found == heard
    order = [(run.scenario, run.target) for run in found]
    assert order[:4] == [("few", "one"), ("few", "two"), ("whole", "one"), ("whole", "two")]
    assert order[6:8] == [("few", "two"), ("few", "one")]
    assert all(not run.failed and run.completed == _SCENARIOS[run.scenario].clients for run in found)
    assert all(run.events == run.completed * _SCENARIOS[run.scenario].deltas for run in found)
    assert all(run.first_p50 is not None and run.first_p99 is not None and run.seconds > 0 for run in found)


async def test_cpu_time_is_that_of_the_servers_processes() -> None:
    """Known where they are, unknown where they are not, and then no cost is made of it."""
    async with upstream() as behind, _dragoman(behind) as address:
        targets = [BenchTarget("known", address, (os.getpid(),)), BenchTarget("unknown", address, ())]
        # So many deltas in all, however long they take: that cannot be less than a tick of the system's clock.
        busy = {"busy": Workload("", deltas=2_000, clients=4, seconds=0, limit=60)}
        before = sum(os.times()[:2])
        known, unknown = await run_workloads(targets, UpstreamProcess(behind, os.getpid()), busy, 1, lambda _: None)
        spent = sum(os.times()[:2]) - before

    assert known.cpu is not None
    assert known.ms_per_request is not None
    assert known.us_per_event is not None
    assert 0 < known.cpu <= spent
    assert known.us_per_event == pytest.approx(known.ms_per_request * 1_000 / 2_000)
    assert (unknown.cpu, unknown.ms_per_request, unknown.us_per_event) == (None, None, None)


async def test_a_server_in_front_of_another_upstream_is_not_measured() -> None:
    """What it says is not what the bench's upstream plays, and the figures would mean something else."""
    async with upstream() as behind:
        targets = [BenchTarget("stranger", behind, ())]
        with pytest.raises(BenchError, match=r"stranger does not answer from the bench's upstream \(incomplete\)"):
            await run_workloads(targets, UpstreamProcess(behind, os.getpid()), _SCENARIOS, 1, lambda _: None)


async def test_an_upstream_that_is_not_there() -> None:
    """A sentence says so."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nowhere = Address("127.0.0.1", listener.getsockname()[1])

    with pytest.raises(BenchError, match="upstream did not start"):
        await run_workloads(
            [BenchTarget("any", nowhere, ())], UpstreamProcess(nowhere, 1), _SCENARIOS, 1, lambda _: None
        )


def test_there_is_a_processor() -> None:
    """At least the one that runs this."""
    assert cores() >= 1
