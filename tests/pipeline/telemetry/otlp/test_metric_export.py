"""What is counted, as a receiver of OTLP reads it."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from opentelemetry.sdk.resources import Resource

from pipeline.telemetry import semantics
from pipeline.telemetry.otlp.environment import Destination
from pipeline.telemetry.otlp.metric_export import LAST_POST, MetricExport
from pipeline.telemetry.request_metrics import count_request, tally_of
from pipeline.telemetry.tally import Tally
from tests.support.otlp import Receiver, metrics_of, points_of

MODEL = "gpt-6.2-astra"


def _counted() -> Tally:
    tally = tally_of()
    told = {"outcome": "ok", "upstream_model": MODEL, "seconds": 3.0, "input_tokens": 7, "cost_usd": 0.5}
    count_request(tally, told, "h")
    tally.add(semantics.RUNNING)
    return tally


def _export(receiver: Receiver, tally: Tally) -> MetricExport:
    return MetricExport(receiver.post(Destination("http://receiver/v1/metrics")), Resource({}), 60.0, tally.snapshot)


async def test_what_arrives(autojump_clock: trio.testing.MockClock) -> None:
    """By the same names as in a scrape; counters since the start, and once more at the end."""
    receiver, tally = Receiver(), _counted()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_export(receiver, tally).run)
        await trio.sleep(61)
        assert autojump_clock.current_time() < 62
        tally.add(semantics.COST, (MODEL, "other"), 0.25)
        nursery.cancel_scope.cancel()
    first, last = map(metrics_of, receiver.bodies)

    assert points_of(first[semantics.COST])["other", MODEL].as_double == 0.5
    assert points_of(last[semantics.COST])["other", MODEL].as_double == 0.75
    assert first[semantics.COST].sum.is_monotonic
    assert first[semantics.RUNNING].WhichOneof("data") == "gauge"
    duration = points_of(first[semantics.DURATION])["ok", MODEL]
    assert (duration.count, duration.sum) == (1, 3.0)
    assert len(duration.bucket_counts) == len(duration.explicit_bounds) + 1
    assert not duration.HasField("min")


@pytest.mark.parametrize("status", [None, 400, 503])
async def test_a_bad_receiver(autojump_clock: trio.testing.MockClock, status: int | None) -> None:
    """Nothing ends by it, and the end takes a few seconds at most."""
    receiver = Receiver(status, slow=1.0)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_export(receiver, _counted()).run)
        await trio.sleep(600)
        began = autojump_clock.current_time()
        nursery.cancel_scope.cancel()
    assert autojump_clock.current_time() - began <= LAST_POST
    assert len(receiver.posts) >= 2  # how many, the thread decides that writes them: the clock jumps meanwhile
