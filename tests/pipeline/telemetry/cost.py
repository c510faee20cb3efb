"""What log, spans and metrics cost a request, each on and off: `python -m tests.pipeline.telemetry.cost [ROUNDS]`.

CPU time of this process for whole requests in memory, over a scripted upstream; all ways take turns in each round, and
what is told is the least time of each way, and its ratio to the least of none: what a busy machine adds, it never takes
away again. It is no test: those count, and never hold time against a number.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import attrs
import structlog
import trio.testing
from opentelemetry.sdk.resources import Resource

from pipeline.bench import canned
from pipeline.bench.conversations import conversation
from pipeline.endpoints.application import application
from pipeline.endpoints.context import Context
from pipeline.telemetry.logs import make_logger
from pipeline.telemetry.otlp.span_queue import SpanQueue
from pipeline.telemetry.otlp.spans import Tracing
from pipeline.telemetry.request_metrics import tally_of
from pipeline.telemetry.tally import Labels, Tally
from tests.support.client import MemoryClient
from tests.support.otlp import Receiver
from tests.support.running import context_of
from tests.support.upstream import Script, ScriptedUpstream

REQUESTS = 32
"""Requests of each way in a round."""

SIZE, DELTAS = 20_000, 100
"""Bytes of a request, and deltas of its answer."""


class Uncounted(Tally):
    """Counts nothing."""

    def add(self, name: str, labels: Labels = (), amount: float = 1.0) -> None:
        """Do nothing."""

    def observe(self, name: str, labels: Labels, value: float) -> None:
        """Do nothing."""


def _without() -> Context:
    script = canned.text_script(DELTAS)
    silent = structlog.wrap_logger(None, wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    context = context_of(ScriptedUpstream(Script(script.pieces)), log=silent)
    return attrs.evolve(context, tally=Uncounted(tally_of().metrics))


def _logged(context: Context) -> Context:
    return attrs.evolve(context, log=make_logger("json", "info"))


def _counted(context: Context) -> Context:
    return attrs.evolve(context, tally=tally_of())


WAYS: dict[str, tuple[Callable[[Context], Context], ...]] = {
    "none": (),
    "log": (_logged,),
    "metrics": (_counted,),
    "spans": (),
    "all": (_logged, _counted),
}
"""What is on, and how it is switched on; spans besides, since they have a task that posts them."""


@asynccontextmanager
async def clients() -> AsyncIterator[dict[str, MemoryClient]]:
    """Make a client for each way."""
    async with trio.open_nursery() as nursery:
        made = {}
        for way, switches in WAYS.items():
            context = _without()
            for switch in switches:
                context = switch(context)
            if way in ("spans", "all"):
                queue = SpanQueue(Receiver().post(), lambda _: None)
                nursery.start_soon(queue.run)
                context = attrs.evolve(context, tracing=Tracing.of(queue, Resource({}), "upstream"))
            made[way] = MemoryClient(application(context))
        yield made
        nursery.cancel_scope.cancel()


async def measure(rounds: int) -> dict[str, list[float]]:
    """Measure all ways by turns: CPU seconds of a request, by way and round."""
    body = conversation(SIZE)
    took: dict[str, list[float]] = {way: [] for way in WAYS}
    async with clients() as made:
        for number in range(rounds + 1):
            for way, client in made.items():
                began = time.process_time()
                for _ in range(REQUESTS):
                    await client.request("POST", "/v1/messages", body)
                await trio.testing.wait_all_tasks_blocked()  # what was put off is paid by whoever put it off
                if number:  # the first round warms up
                    took[way].append((time.process_time() - began) / REQUESTS)
    return took


def main() -> None:
    """Print the table."""
    took = trio.run(measure, int(sys.argv[1]) if len(sys.argv) > 1 else 40)
    for way, seconds in took.items():
        least = min(seconds)
        print(f"{way:<8} {least / min(took['none']):.3f}  {1e6 * least:.0f} us a request")


if __name__ == "__main__":
    main()
