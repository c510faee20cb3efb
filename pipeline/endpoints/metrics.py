"""`GET /metrics`: what has been counted, in Prometheus' text format."""

from __future__ import annotations

import trio

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.telemetry import semantics
from pipeline.telemetry.exposition import CONTENT_TYPE, exposition
from stages.canonical.failure import Failure, Kind

_SCATTERED = "/metrics: several workers share this port, and each knows its own numbers alone; run one worker a process"


async def metrics(context: Context, exchange: Exchange) -> Failure | None:
    """Answer a scrape; the text is written in a thread, which it waits for."""
    if context.settings.workers > 1:
        return Failure(Kind.NOT_FOUND, _SCATTERED)
    context.tally.put(semantics.STREAMS, (), context.running.streams)
    text = await trio.to_thread.run_sync(exposition, context.tally.snapshot(), semantics.METRICS)
    await exchange.answer_text(text, CONTENT_TYPE)
    return None
