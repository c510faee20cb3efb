"""`POST /v1/messages`: a request is read, mapped, and handed to its topology."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import attrs

from pipeline.endpoints.context import Context
from pipeline.endpoints.context_window import check_context_window
from pipeline.endpoints.diagnostics import diagnostics
from pipeline.endpoints.exchange import Exchange
from pipeline.request import topology
from pipeline.request.upstream_call import RequestJob
from pipeline.telemetry.request_cost import RequestCost, open_request_cost
from pipeline.telemetry.request_log import RequestLog
from stages.canonical.failure import Failure, Kind
from stages.canonical.report import UNFAITHFUL
from stages.canonical.request import Caller, Request
from stages.decoder import decode
from stages.mapper import Mapped, map_request
from stages.prompt_fingerprint import fingerprint_of, serialise
from stages.redactor import redact
from stages.wire import json

MAPPING = b"dragoman-mapping"
"""The header that says what was not simply translated: `fate=field,field;fate=field`."""


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
    settings = context.settings
    body = await exchange.body(settings.limits.body_bytes, settings.timing.body)
    if body is None:
        return None
    await context.turns.take()
    request = body if isinstance(body, Failure) else decode(body, caller_of(exchange), counting=counting)
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
        version=exchange.headers.get("anthropic-version", ""),
    )


async def explain(context: Context, exchange: Exchange) -> None:
    """Say what a request would become, and what became of each of its fields; nothing goes upstream."""
    request = await read_request(context, exchange, counting=True)
    if request is None:
        return
    mapped = _mapped(context, exchange, request, "msg_explained")
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


def _mapped(context: Context, exchange: Exchange, request: Request, ident: str) -> Mapped | Failure:
    """Map a request, unless it is nested too deeply, or asks in strict mode for what cannot be done faithfully."""
    caller = caller_of(exchange)
    try:
        mapped = map_request(request, caller, context.target, message_id=ident)
    except RecursionError:
        return Failure(Kind.INVALID_REQUEST, "The request body is nested too deeply")
    if exchange.headers.get("dragoman-mode", context.settings.mode) == "strict":
        note = mapped.report.unfaithful()
        if note is not None:
            return Failure(Kind.INVALID_REQUEST, f"{note.path}: {note.disposition.value}: {note.reason}")
    return mapped


async def _run(context: Context, exchange: Exchange, request: Request) -> None:
    ident = f"msg_{os.urandom(12).hex()}"
    first = _mapped(context, exchange, request, ident)
    if isinstance(first, Failure):
        await exchange.fail(first)
        return
    exchange.answer_headers.append((MAPPING, first.report.summary().encode("ascii", "replace")))
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
    job = RequestJob(
        plan=attrs.evolve(first.plan, input_tokens=tokens, extras=extras),
        body=body,
        without_reasoning=_without_reasoning(context, exchange, request, first),
        stream=request.stream,
        request_id=exchange.request_id,
        log=log,
        tokens=context.tokenizer.tokens,
    )
    settings = context.settings
    await topology.run(job, context.upstream, exchange, settings.limits, settings.timing)


def _without_reasoning(
    context: Context, exchange: Exchange, request: Request, first: Mapped
) -> Callable[[], bytes] | None:
    """How to make the same request without earlier reasoning; None when it carries none.

    Making it says so in the mapping header, if the head is not out yet.
    """
    if not any(item["type"] == "reasoning" for item in first.body["input"]):
        return None

    def again() -> bytes:
        mapped = map_request(
            request, caller_of(exchange), context.target, message_id=first.plan.message_id, reasoning=False
        )
        kept = [header for header in exchange.answer_headers if header[0] != MAPPING]
        summary = f"{mapped.report.summary()};healed=reasoning"
        exchange.answer_headers = [*kept, (MAPPING, summary.encode("ascii", "replace"))]
        return json.encode(mapped.body)

    return again


def _log(context: Context, exchange: Exchange, mapped: Mapped, request_cost: RequestCost) -> RequestLog:
    fields = {
        "request_id": exchange.request_id,
        "upstream_model": mapped.plan.upstream_model,
        "unfaithful": sum(note.disposition in UNFAITHFUL for note in mapped.report.notes),
        "prefix": request_cost.prefix.fingerprint(),
    }
    return RequestLog(context.log, fields, request_cost=request_cost)
