"""`POST /v1/messages`: a request is read, mapped, and handed to its topology."""

from __future__ import annotations

import os
from typing import Any

import attrs

from pipeline.endpoints.context import Context
from pipeline.endpoints.context_window import check_context_window
from pipeline.endpoints.diagnostics import diagnostics
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.healing import Healing
from pipeline.endpoints.mapping import caller_of, mapped_for, say_mapping
from pipeline.request import topology
from pipeline.request.upstream_call import RequestJob
from pipeline.telemetry.request_cost import RequestCost, open_request_cost
from pipeline.telemetry.request_log import RequestLog
from stages.canonical.failure import Failure
from stages.canonical.report import UNFAITHFUL
from stages.canonical.request import Request
from stages.decoder import decode
from stages.mapper import Mapped
from stages.prompt_fingerprint import fingerprint_of, serialise
from stages.redactor import redact


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
    request = body if isinstance(body, Failure) else decode(body, caller_of(exchange), counting=counting)
    if isinstance(request, Failure):
        await exchange.fail(request)
        return None
    return request


async def explain(context: Context, exchange: Exchange) -> None:
    """Say what a request would become, and what became of each of its fields; nothing goes upstream."""
    request = await read_request(context, exchange, counting=True)
    if request is None:
        return
    mapped = mapped_for(context.target_for(request), context, exchange, request, "msg_explained")
    if isinstance(mapped, Failure):
        await exchange.fail(mapped)
    else:
        told = explanation(mapped)
        told["cache"]["last_turn"] = str(open_request_cost(context.history, mapped.body, "").seen)
        await exchange.answer(told)


def explanation(mapped: Mapped) -> dict[str, Any]:
    """The exact upstream body, its fingerprint as a cache sees it, and the whole report, as JSON."""
    notes = [{"path": note.path, "fate": note.disposition.value, "reason": note.reason} for note in mapped.report.notes]
    cache = {"prefix": fingerprint_of(mapped.body).fingerprint()}
    return {"mapping": mapped.report.summary(), "report": notes, "cache": cache, "upstream": mapped.body}


async def _run(context: Context, exchange: Exchange, request: Request) -> None:
    ident = f"msg_{os.urandom(12).hex()}"
    target = context.target_for(request)
    first = mapped_for(target, context, exchange, request, ident)
    if isinstance(first, Failure):
        await exchange.fail(first)
        return
    say_mapping(exchange, first.report.summary())
    body, prefix = serialise(first.body)
    request_cost = open_request_cost(context.history, first.body, ident, prefix)
    extras = diagnostics(request.extra.get("diagnostics"), request_cost)
    log = _log(context, exchange, first, request_cost)
    tokens = await check_context_window(context, request, first)
    if isinstance(tokens, Failure):
        log.hear(redact(tokens))
        log.write(0.0)
        await exchange.fail(tokens)
        return
    first = attrs.evolve(first, plan=attrs.evolve(first.plan, input_tokens=tokens, extras=extras))
    job = RequestJob(
        plan=first.plan,
        body=body,
        healing=Healing(context, exchange, request, log, target, first),
        stream=request.stream,
        request_id=exchange.request_id,
        log=log,
        tokens=context.tokenizer.tokens,
    )
    settings = context.settings
    await topology.run(job, context.upstream, exchange, settings.limits, settings.timing)


def _log(context: Context, exchange: Exchange, mapped: Mapped, request_cost: RequestCost) -> RequestLog:
    fields = {
        "request_id": exchange.request_id,
        "upstream_model": mapped.plan.upstream_model,
        "unfaithful": sum(note.disposition in UNFAITHFUL for note in mapped.report.notes),
        "prefix": request_cost.prefix.fingerprint(),
    }
    return RequestLog(context.log, fields, request_cost=request_cost)
