"""A snapshot as Prometheus reads it. `prometheus_client` is imported here alone, when the first scrape comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from pipeline.telemetry.tally import Form, Labels, Metric, Number, Snapshot

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric as Family

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of the text below."""

_UNITS: Mapping[str, str] = {"s": "seconds", "USD": "usd", "{token}": "", "{span}": ""}
# A unit as Prometheus writes it behind a name; what stands in braces is not written.


def exposition(snapshot: Snapshot, metrics: Mapping[str, Metric]) -> str:
    """Write a snapshot in Prometheus' text format; takes milliseconds, so it belongs into a thread.

    Raises:
        ImportError: `prometheus_client` is not installed.
    """
    from prometheus_client.exposition import generate_latest
    from prometheus_client.registry import Collector

    class Tallied(Collector):
        def collect(self) -> Iterator[Family]:
            return (_family(metric, snapshot.get(metric.name, {})) for metric in metrics.values())

    return generate_latest(Tallied()).decode()


def prometheus_name(metric: Metric) -> str:
    """The metric's name with underscores and its unit, as OpenTelemetry's rules for Prometheus have it."""
    name, unit = metric.name.replace(".", "_"), _UNITS.get(metric.unit, "")
    return f"{name}_{unit}" if unit else name


def _family(metric: Metric, series: Mapping[Labels, Number]) -> Family:
    from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily

    name = prometheus_name(metric)
    labels = [label.replace(".", "_") for label in metric.labels]
    if metric.form is Form.HISTOGRAM:
        histogram = HistogramMetricFamily(name, metric.about, labels=labels)
        for values, number in series.items():
            if isinstance(number, list):
                counts = zip((*map(str, metric.bounds), "+Inf"), accumulate(number[:-1]), strict=True)
                histogram.add_metric(values, list(counts), number[-1])
        return histogram
    family = (CounterMetricFamily if metric.form is Form.COUNTER else GaugeMetricFamily)(
        name, metric.about, labels=labels
    )
    for values, number in series.items():
        if not isinstance(number, list):
            family.add_metric(values, number)
    return family
