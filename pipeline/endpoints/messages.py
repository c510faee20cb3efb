"""`POST /v1/messages`: a request is read, mapped, and handed to its topology."""

from __future__ import annotations

import os

import attrs

from pipeline import topology
from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.telemetry.request_log import RequestLog
from stages.canonical.failure import Failure, Kind
from stages.canonical.report import Fate
from stages.canonical.request import Caller, Request
from stages.decoder import decode
from stages.mapper import Mapped, map_request
from stages.wire import json


async def create(context: Context, exchange: Exchange) -> None:
    """Answer a message request, streamed if it asks for that."""
    request = await read_request(context, exchange)
    if request is not None:
        await _run(context, exchange, request)


async def create_stream(context: Context, exchange: Exchange) -> None:
    """Answer a message request as a stream, whatever it says: the path of some third-party clients."""
    request = await read_request(context, exchange)
    if request is not None:
        await _run(context, exchange, attrs.evolve(request, stream=True))


async def read_request(context: Context, exchange: Exchange, *, counting: bool = False) -> Request | None:
    """Read and decode the body; None when the exchange is over already, because it was refused or left."""
    body = await exchange.body(context.settings.limits.body_bytes)
    if body is None:
        return None
    request = body if isinstance(body, Failure) else decode(body, counting=counting)
    if isinstance(request, Failure):
        await exchange.fail(request)
        return None
    return request


def caller_of(exchange: Exchange) -> Caller:
    """Read who asks from the headers."""
    betas = exchange.headers.get("anthropic-beta", "").split(",")
    return Caller(
        session=exchange.headers.get("x-claude-code-session-id", ""),
        agent=exchange.headers.get("x-claude-code-agent-id", ""),
        betas=tuple(beta.strip() for beta in betas if beta.strip()),
    )


async def _run(context: Context, exchange: Exchange, request: Request) -> None:
    caller, ident = caller_of(exchange), f"msg_{os.urandom(12).hex()}"

    def mapped(*, reasoning: bool) -> Mapped:
        return map_request(request, caller, context.target, message_id=ident, reasoning=reasoning)

    try:
        first = mapped(reasoning=True)
    except RecursionError:
        await exchange.fail(Failure(Kind.INVALID_REQUEST, "The request body is nested too deeply"))
        return
    has_reasoning = any(item["type"] == "reasoning" for item in first.body["input"])
    plan = attrs.evolve(first.plan, input_tokens=context.estimate(request))
    job = topology.Job(
        plan=plan,
        body=json.encode(first.body),
        without_reasoning=(lambda: json.encode(mapped(reasoning=False).body)) if has_reasoning else None,
        stream=request.stream,
        request_id=exchange.request_id,
        log=_log(context, exchange, first),
        tokens=context.vocabulary.tokens,
    )
    settings = context.settings
    await topology.run(job, context.upstream, exchange, settings.limits, settings.timing)


def _log(context: Context, exchange: Exchange, mapped: Mapped) -> RequestLog:
    fields = {
        "request_id": exchange.request_id,
        "upstream_model": mapped.plan.upstream_model,
        "dropped": sum(note.fate is Fate.DROPPED for note in mapped.report.notes),
    }
    return RequestLog(context.log, fields)
