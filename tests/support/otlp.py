"""A receiver of OTLP, and how to read what arrives there."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import httpx
import trio
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from pipeline.telemetry.otlp.environment import Destination
from pipeline.telemetry.otlp.posting import Post

TRACES = Destination("http://receiver/v1/traces")
"""Where the tests' spans go."""


@attrs.frozen
class SpanRead:
    """A span as it arrived.

    Attributes:
        name: its name.
        trace: the id of its trace, in hexadecimal.
        ident: its own.
        parent: its parent's, empty for none.
        kind: OTLP's number: 2 for a server's span, 3 for a client's.
        failed: whether its status is an error.
        attributes: by name.
        events: names and attributes, in order.
    """

    name: str
    trace: str
    ident: str
    parent: str
    kind: int
    failed: bool
    attributes: dict[str, Any]
    events: list[tuple[str, dict[str, Any]]]


class Receiver(httpx.AsyncBaseTransport):
    """Takes posts in place of the network.

    Attributes:
        statuses: what it answers, in order; the last one again and again, and None for a connection that is refused.
        posts: what came, oldest first.
        slow: seconds before it answers.
    """

    def __init__(self, *statuses: int | None, slow: float = 0.0) -> None:
        self.statuses = list(statuses or (200,))
        self.posts: list[httpx.Request] = []
        self.slow = slow

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Keep a post, and answer as is due."""
        await request.aread()
        self.posts.append(request)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        await trio.sleep(self.slow)
        if status is None:
            raise httpx.ConnectError("")
        return httpx.Response(status, headers={"content-length": "0"}, stream=httpx.ByteStream(b""))

    def post(self, destination: Destination = TRACES) -> Post:
        """Make what posts to this receiver."""
        return Post(destination, self)

    @property
    def bodies(self) -> list[bytes]:
        """The bodies that came, inflated."""
        return [
            gzip.decompress(post.content) if post.headers.get("content-encoding") == "gzip" else post.content
            for post in self.posts
        ]

    def spans(self) -> list[SpanRead]:
        """The spans that came, in order; those of a body that was sent again come again."""
        return [span for body in self.bodies for span in spans_of(body)]


def spans_of(body: bytes) -> list[SpanRead]:
    """Read a body of `/v1/traces`."""
    sent = ExportTraceServiceRequest.FromString(body)
    return [
        SpanRead(
            span.name,
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            span.kind,
            span.status.code == span.status.STATUS_CODE_ERROR,
            _attributes(span.attributes),
            [(event.name, _attributes(event.attributes)) for event in span.events],
        )
        for resource in sent.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def resource_of(body: bytes) -> dict[str, Any]:
    """Read who has sent a body of `/v1/traces`."""
    return _attributes(ExportTraceServiceRequest.FromString(body).resource_spans[0].resource.attributes)


def metrics_of(body: bytes) -> Mapping[str, Any]:
    """Read a body of `/v1/metrics`: OTLP's messages by the metrics' names."""
    sent = ExportMetricsServiceRequest.FromString(body)
    return {
        metric.name: metric
        for resource in sent.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


def points_of(metric: Any) -> dict[tuple[str, ...], Any]:
    """The data points of a metric, by the values of their labels in the order of the labels' names."""
    data = getattr(metric, metric.WhichOneof("data"))
    return {
        tuple(each for _, each in sorted(_attributes(point.attributes).items())): point for point in data.data_points
    }


def _attributes(pairs: Sequence[KeyValue]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    which = value.WhichOneof("value")
    if which == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, which or "string_value")
