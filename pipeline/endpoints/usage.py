"""`GET /dragoman/usage?session=MARK`: what one session of a client has used, for its status line."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.overview import CLIENT, OF, SESSION, UNANSWERED, USAGE
from pipeline.telemetry.usage_by_session import ModelUsage, usage_read
from stages.canonical.failure import Failure, Kind
from stages.wire import json

_CACHED, _WRITTEN = "cache_read_input_tokens", "cache_creation_input_tokens"


async def session_usage(context: Context, exchange: Exchange) -> Failure | None:
    """Answer with a session's sums by model; a client hears of sessions of its own key alone.

    Waits for the supervisor where several workers serve.
    """
    session = (parse_qs(exchange.query.decode("latin-1")).get("session") or [""])[-1]
    if not session:
        return Failure(Kind.INVALID_REQUEST, "session: Field required")
    client = str(exchange.log.fields.get("client", ""))
    if (text := await context.ask({OF: USAGE, CLIENT: client, SESSION: session})) is None:
        return UNANSWERED
    await exchange.answer({"type": "usage", "models": [_told(each) for each in usage_read(json.decode(text))]})
    return None


def _told(model: ModelUsage) -> dict[str, Any]:
    prompt = model.sums["input_tokens"] + model.sums[_CACHED] + model.sums[_WRITTEN]
    return {
        "asked_model": model.asked,
        "upstream_model": model.used,
        "requests": model.requests,
        **{name: value for name, value in model.sums.items() if name != "cost_usd"},
        "cost_usd": round(model.sums["cost_usd"], 6) if model.priced else None,
        "cache_hit_rate": round(model.sums[_CACHED] / prompt, 3) if prompt else 0.0,
    }
