"""`/`, `/healthz` and `/readyz`: whether somebody is here, who, and whether there is work for us."""

from __future__ import annotations

import os
from urllib.parse import parse_qs

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.running import RETRY_AFTER, Phase
from pipeline.settings.ownership import own_secret, proof
from stages.canonical.failure import Failure


async def hello(context: Context, exchange: Exchange) -> Failure | None:
    """Say who answers here; some clients look before they speak."""
    await exchange.answer({"service": "dragoman", "version": context.version})
    return None


async def healthz(context: Context, exchange: Exchange) -> Failure | None:
    """Say that the process is alive, and how tokens are counted; answer a challenge, see `settings.ownership`."""
    await exchange.answer(
        {
            "service": "dragoman",
            "version": context.version,
            "status": "ok",
            "upstream": context.upstream_name,
            "counting": context.counting,
            **_proofs(context, exchange),
        }
    )
    return None


async def readyz(context: Context, exchange: Exchange) -> Failure | None:
    """Say whether new requests are taken: 200, or 503 while the server starts or ends."""
    phase = context.running.phase
    ready = phase is Phase.READY
    hints = [] if ready else [(b"retry-after", str(RETRY_AFTER).encode())]
    await exchange.reply(200 if ready else 503, {"service": "dragoman", "status": phase.value}, hints)
    return None


def _proofs(context: Context, exchange: Exchange) -> dict[str, str | None]:
    """Prove whose we are and what is set, where that is asked and somebody's secret is at hand."""
    if not exchange.query or exchange.server is None or exchange.server[1] is None:
        return {}
    challenge = parse_qs(exchange.query.decode("latin-1")).get("challenge", [""])[-1]
    secret = own_secret(os.environ) if challenge else None
    if secret is None:
        return {}
    address = exchange.server[0], exchange.server[1]
    return {
        "user_proof": proof(secret, challenge, address),
        "settings_proof": proof(secret, challenge, address, context.settings),
    }
