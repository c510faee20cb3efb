"""`/` and `/healthz`: whether somebody is here, and who."""

from __future__ import annotations

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange


async def hello(context: Context, exchange: Exchange) -> None:
    """Say who answers here; some clients look before they speak."""
    await exchange.answer({"service": "dragoman", "version": context.version})


async def healthz(context: Context, exchange: Exchange) -> None:
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
