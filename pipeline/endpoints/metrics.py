"""`GET /metrics`: what has been counted, in Prometheus' text format."""

from __future__ import annotations

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.overview import METRICS, OF, UNANSWERED
from pipeline.telemetry.exposition import CONTENT_TYPE
from stages.canonical.failure import Failure


async def metrics(context: Context, exchange: Exchange) -> Failure | None:
    """Answer a scrape; waits for the text, which is written in a thread or by the supervisor."""
    if (text := await context.ask({OF: METRICS})) is None:
        return UNANSWERED
    await exchange.answer_text(text.encode(), CONTENT_TYPE)
    return None
