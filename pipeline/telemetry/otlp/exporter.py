"""All that is exported by one process: its spans, its metrics, and the tasks that post them."""

from __future__ import annotations

from functools import partial
from uuid import uuid4

import attrs
import httpx
import trio

from pipeline.telemetry import semantics
from pipeline.telemetry.otlp.environment import Exports
from pipeline.telemetry.otlp.metric_export import MetricExport
from pipeline.telemetry.otlp.posting import Post
from pipeline.telemetry.otlp.span_queue import SpanQueue
from pipeline.telemetry.otlp.spans import Tracing, resource_of
from pipeline.telemetry.tally import Tally

INSTANCE = str(uuid4())
"""Names this process: its counters go on when its settings are read anew."""


@attrs.frozen
class Exporter:
    """Sends what a process has to tell.

    Attributes:
        tracing: makes the spans; None where none are exported.
        spans: takes them when they have ended.
        metrics: posts what was counted; None where that is not exported.
    """

    tracing: Tracing | None
    spans: SpanQueue | None
    metrics: MetricExport | None

    @classmethod
    def of(
        cls,
        exports: Exports,
        tally: Tally,
        version: str,
        server: str,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> Exporter:
        """Make one.

        Args:
            exports: where things go.
            tally: what is counted; spans that are lost are counted there, too.
            version: ours.
            server: the upstream's host.
            transport: stands in for the network.
        """
        resource = resource_of(version, INSTANCE)
        queue = tracing = metrics = None
        if exports.traces is not None:
            lose = partial(tally.add, semantics.SPANS_DROPPED, ())
            queue = SpanQueue(Post(exports.traces, transport), lose)
            tracing = Tracing.of(queue, resource, server)
        if exports.metrics is not None:
            metrics = MetricExport(Post(exports.metrics, transport), resource, exports.interval, tally.snapshot)
        return cls(tracing, queue, metrics)

    async def run(self) -> None:
        """Post until cancelled, and then what is left for a few seconds at most; waits for the receiver alone."""
        async with trio.open_nursery() as nursery:
            for each in (self.spans, self.metrics):
                if each is not None:
                    nursery.start_soon(each.run)
