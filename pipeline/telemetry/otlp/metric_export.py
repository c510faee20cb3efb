"""Metrics on their way: a snapshot of what was counted, now and then, in OTLP."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import cast

import attrs
import trio
from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Metric as ExportedMetric
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from pipeline.telemetry.otlp.posting import Post
from pipeline.telemetry.semantics import METRICS, SCHEMA_URL
from pipeline.telemetry.tally import Form, Labels, Metric, Number, Snapshot

LAST_POST = 3.0
"""Seconds that the last post may take once the server has stopped."""


@attrs.frozen
class MetricExport:
    """Posts snapshots.

    Attributes:
        post: where they go.
        resource: who says so.
        interval: seconds between two posts.
        snapshot: makes them.
    """

    post: Post
    resource: Resource
    interval: float
    snapshot: Callable[[], Snapshot]

    async def run(self) -> None:
        """Post every `interval` seconds until cancelled, and once more then; waits, shielded then, for the receiver."""
        began = time.time_ns()
        try:
            while True:
                await trio.sleep(self.interval)
                await self._send(began)
        finally:
            with trio.move_on_after(LAST_POST, shield=True):
                await self._send(began)
            with trio.move_on_after(1, shield=True):
                await self.post.aclose()

    async def _send(self, began: int) -> None:
        """Post a snapshot; one that nobody takes is not kept, since the next says all that it says."""
        body = partial(encoded_metrics, self.snapshot(), self.resource, began, time.time_ns())
        with contextlib.suppress(Exception):  # whatever is wrong with telemetry, requests go on
            await self.post.send(await trio.to_thread.run_sync(body))


def encoded_metrics(snapshot: Snapshot, resource: Resource, began: int, now: int) -> bytes:
    """Write a snapshot as the body of a post.

    Args:
        snapshot: the numbers.
        resource: who says so.
        began: when counting began, in nanoseconds of Unix time.
        now: when the snapshot was made.
    """
    metrics = [_exported(METRICS[name], series, began, now) for name, series in snapshot.items()]
    scope = ScopeMetrics(InstrumentationScope("dragoman", schema_url=SCHEMA_URL), metrics, SCHEMA_URL)
    body: bytes = encode_metrics(MetricsData([ResourceMetrics(resource, [scope], SCHEMA_URL)])).SerializeToString()
    return body


def _exported(metric: Metric, series: Mapping[Labels, Number], began: int, now: int) -> ExportedMetric:
    since_start = AggregationTemporality.CUMULATIVE
    points, histograms = list[NumberDataPoint](), list[HistogramDataPoint]()
    for values, number in series.items():
        labels = dict(zip(metric.labels, values, strict=True))
        if isinstance(number, list):
            counts = [int(count) for count in number[:-1]]
            total = sum(counts)
            least = most = cast("float", None)  # not kept, and optional in OTLP; the SDK's class only does not know
            point = HistogramDataPoint(labels, began, now, total, number[-1], counts, metric.bounds, least, most)
            histograms.append(point)
        else:
            points.append(NumberDataPoint(labels, began, now, number))
    data: Histogram | Sum | Gauge
    if metric.form is Form.HISTOGRAM:
        data = Histogram(histograms, since_start)
    elif metric.form is Form.COUNTER:
        data = Sum(points, since_start, is_monotonic=True)
    else:
        data = Gauge(points)
    return ExportedMetric(metric.name, metric.about, metric.unit, data)
