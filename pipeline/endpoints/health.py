"""`/` and `/healthz`: whether somebody is here, and who."""

from __future__ import annotations

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from stages.canonical.failure import Failure


async def hello(context: Context, exchange: Exchange) -> Failure | None:
    """Say who answers here; some clients look before they speak."""
    await exchange.answer({"service": "dragoman", "version": context.version})
    return None


async def healthz(context: Context, exchange: Exchange) -> Failure | None:
    """Say that requests are accepted, and how tokens are counted."""
    await exchange.answer(
        {
            "service": "dragoman",
            "version": context.version,
            "status": "ok",
            "upstream": context.upstream_name,
            "counting": context.counting,
        }
    )
    return None
