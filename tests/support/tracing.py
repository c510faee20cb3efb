"""The spans of requests that are run in memory."""

from __future__ import annotations

import attrs
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from pipeline.endpoints.application import application
from pipeline.endpoints.context import Context
from pipeline.telemetry.otlp.span_queue import encoded
from pipeline.telemetry.otlp.spans import Tracing
from tests.support.client import MemoryClient
from tests.support.otlp import SpanRead, spans_of


class Kept(SpanProcessor):
    """Keeps spans as they end."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep one."""
        self.spans.append(span)

    async def body(self) -> bytes:
        """Write them as a receiver gets them."""
        return await encoded(self.spans)

    async def read(self) -> list[SpanRead]:
        """Read what a receiver would get."""
        return spans_of(await self.body())


def traced(context: Context) -> tuple[MemoryClient, Kept]:
    """Make a client of an application that makes spans, and what keeps those."""
    context, kept = tracing(context)
    return MemoryClient(application(context)), kept


def tracing(context: Context) -> tuple[Context, Kept]:
    """Make the same context with spans, and what keeps those."""
    kept = Kept()
    made = Tracing.of(kept, Resource({"service.name": "tests"}), context.upstream_name)
    return attrs.evolve(context, tracing=made), kept
