"""`POST /v1/messages`: a request is read, mapped, and handed to its topology."""

from __future__ import annotations

import os
from typing import Protocol

import attrs

from pipeline.endpoints.context import Context
from pipeline.endpoints.context_window import Size, check_context_window
from pipeline.endpoints.diagnostics import diagnostics
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.healing import HealingAttempts
from pipeline.endpoints.mapping import Answering, note_model, question_of, read_body, say_mapping
from pipeline.endpoints.side_requests import billing_of, side_requests
from pipeline.endpoints.translation import Question, Translated, explained, translate
from pipeline.request import topology
from pipeline.request.responder import Client
from pipeline.request.upstream_call import RequestJob
from pipeline.telemetry.request_cost import RequestCost, open_request_cost
from pipeline.telemetry.request_log import RequestLog, loggable
from pipeline.telemetry.session_marks import session_mark
from stages.canonical.failure import Failure
from stages.tables.model_registry import ModelRegistry


class Asker(Client, Answering, Protocol):
    """Who is answered: a client's exchange, or what stands for one."""

    request_id: str
    log: RequestLog


async def create_message(context: Context, exchange: Exchange) -> Failure | None:
    """Answer a message request, streamed if it asks for that."""
    return await _run(context, exchange, stream=False)


async def create_stream(context: Context, exchange: Exchange) -> Failure | None:
    """Answer a message request as a stream, whatever it says: the path of some third-party clients."""
    return await _run(context, exchange, stream=True)


async def explain(context: Context, exchange: Exchange) -> Failure | None:
    """Say what a request would become, and what became of each of its fields; nothing goes upstream."""
    body = await read_body(context, exchange)
    if not isinstance(body, bytes):
        return body
    await note_model(context, exchange.log, body)
    question = question_of(context, exchange, "msg_explained", counting=True)
    found = await context.aside.run(len(body), explained, question, body)
    if isinstance(found, Failure):
        return found
    told, prefix, named = found
    seen = open_request_cost(context.history, named, "", prefix).seen
    cache = {"prefix": prefix.fingerprint(), "last_turn": str(seen)}
    await exchange.answer({**told, "cache": cache})
    return None


async def _run(context: Context, exchange: Exchange, *, stream: bool) -> Failure | None:
    return await _answered(context, exchange, await _asked(context, exchange, stream=stream))


async def _asked(context: Context, exchange: Exchange, *, stream: bool) -> RequestJob | Failure | None:
    """Read a request, and make what is sent of it.

    An answer lasts for minutes, so nobody who waits for it may hold the body meanwhile, but who may ask again.
    """
    body = await read_body(context, exchange)
    if not isinstance(body, bytes):
        return body
    question = question_of(context, exchange, f"msg_{os.urandom(12).hex()}", stream=stream)
    return await _made(context, exchange, question, body)


async def answer_request(context: Context, exchange: Asker, question: Question, body: bytes) -> Failure | None:
    """Translate a request, ask the upstream, and answer; or say why there is no answer: nothing was sent then.

    Waits for all of that.  Cancelled, nothing of it goes on.

    Args:
        context: what the request is served with.
        exchange: who is answered.
        question: what the head of the request asks.
        body: the request.
    """
    return await _answered(context, exchange, await _made(context, exchange, question, body))


async def _answered(context: Context, exchange: Asker, job: RequestJob | Failure | None) -> Failure | None:
    if not isinstance(job, RequestJob):
        return job
    settings = context.settings
    await topology.run_request(job, context.upstream, exchange, settings.limits, settings.timing)
    return None


async def _made(context: Context, exchange: Asker, question: Question, body: bytes) -> RequestJob | Failure:
    """Translate a request, and note what is known of it before it is sent."""
    first = await context.aside.run(len(body), translate, question, body)
    if isinstance(first, Failure):
        await note_model(context, exchange.log, body)
        return first
    size = await check_context_window(context, question, body, first)
    if isinstance(size, Size) and size.limit is not None:
        question = attrs.evolve(question, limit=size.limit)
        limited = await context.aside.run(len(body), translate, question, body)
        first, size = (first, limited) if isinstance(limited, Failure) else (limited, size)
    say_mapping(exchange, first.summary)
    price = context.target.models.price
    request_cost = open_request_cost(context.history, first.named, question.message_id, first.prefix, price)
    extras = diagnostics(first.diagnostics, request_cost)
    log = exchange.log
    _note(log, first, request_cost, context.target.models)
    if isinstance(size, Failure):
        return size
    if extras or size.tokens != first.plan.input_tokens:  # seldom, and a plan has many fields to copy
        first = attrs.evolve(first, plan=attrs.evolve(first.plan, input_tokens=size.tokens, extras=extras))
    sideline = side_requests(context, exchange, question, body, first)
    return RequestJob(
        plan=first.plan,
        body=first.body,
        healing=HealingAttempts(context, exchange, question, body, log, first),
        stream=first.stream,
        request_id=exchange.request_id,
        log=log,
        counting=context.tokenizer,
        billing=None if sideline is None else billing_of(context, first),
        sideline=sideline,
        turns=context.turns,
    )


def _note(log: RequestLog, translated: Translated, request_cost: RequestCost, models: ModelRegistry) -> None:
    """Add to a request's log what is known before it is sent."""
    log.request_cost = request_cost
    log.fields.update(
        asked_model=loggable(translated.plan.model, models),
        upstream_model=loggable(translated.plan.upstream_model, models),
        stream=translated.stream,
        mapping=translated.outcome,
        unfaithful=translated.unfaithful,
        session=session_mark(translated.session),
        prefix=request_cost.prefix.fingerprint(),
    )
