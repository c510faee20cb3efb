"""How many tokens a prompt has: by the upstream's own count, exact down to what no rule of ours knows, or by ours.

`POST /v1/messages/count_tokens` asks the upstream where it counts, and takes our own count else.
"""

from __future__ import annotations

from typing import Any

import attrs

from pipeline.endpoints import translation
from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.mapping import note_model, question_of, read_body
from pipeline.endpoints.translation import Question, countable
from pipeline.tokenizer import ESTIMATE
from pipeline.upstream.response import UpstreamResponse
from stages.canonical.failure import Failure, Kind
from stages.wire import json

INPUT_TOKENS = "/responses/input_tokens"
"""What follows the base URL."""

_MAX_BODY = 2**20
# Bytes that the upstream may take to say a number.

_HERE_INSTEAD = frozenset(
    {
        Kind.METHOD_NOT_ALLOWED,
        Kind.MISCONFIGURED,
        Kind.NOT_FOUND,
        Kind.INVALID_REQUEST,
        Kind.OVERLOADED,
        Kind.TIMEOUT,
        Kind.UNAVAILABLE,
        Kind.UPSTREAM,
    }
)
# Failures of the upstream's count that our own count stands in for. The others are about keys, payment and limits, and
# the client's to hear.


async def count_tokens(context: Context, exchange: Exchange) -> Failure | None:
    """Answer `{"input_tokens": N}`."""
    body = await read_body(context, exchange)
    if not isinstance(body, bytes):
        return body
    await note_model(context, exchange.log, body)
    question = attrs.evolve(question_of(context, exchange, "msg_count", counting=True), strict=False)
    counted = await upstream_count(context, question, body) if context.target.profile.input_tokens else None
    if isinstance(counted, Failure) and counted.kind in _HERE_INSTEAD:
        counted = None
    if counted is None:
        own = await own_count(context, question, body)
        counted = own if isinstance(own, Failure) else own[0]
    if isinstance(counted, Failure):
        return counted
    await exchange.answer({"input_tokens": counted, **await _original(context, question, body, counted)})
    return None


async def _original(context: Context, question: Question, body: bytes, counted: int) -> dict[str, Any]:
    """What the conversation had before its edits, for requests that ask for some; waits as counting does."""
    if b'"context_management"' not in body:
        return {}
    taken_out = await context.aside.run(len(body), translation.cleared, question, body)
    return {} if taken_out is None else {"context_management": {"original_input_tokens": counted + taken_out}}


async def own_count(context: Context, question: Question, body: bytes) -> tuple[int, int] | Failure:
    """Count the tokens of a request: the likely number, and the least that is certain.

    Waits for the process that has the vocabulary, and the first time until it is loaded; without one for a thread or a
    process where the request is large, as `Aside.run` says.
    """
    source = await context.tokenizer.ready()
    if source == ESTIMATE:
        return await context.aside.run(len(body), translation.count_by, question, body, source)
    return await context.tokenizer.run(translation.count_by, question, body, source)


async def upstream_count(
    context: Context,
    question: Question,
    body: bytes,
    *,
    first_byte_timeout: float | None = None,
    retries: int | None = None,
) -> int | Failure | None:
    """Let the upstream count the tokens of a request's input; None when it answered without a number.

    Args:
        context: has the upstream.
        question: how the request is translated.
        body: the request, as the client sent it.
        first_byte_timeout: seconds that the answer may take to begin; None waits as long as for a message.
        retries: new attempts after a connection that failed; None is the upstream's setting.
    """
    asked = await context.aside.run(len(body), countable, question, body)
    if isinstance(asked, Failure):
        return asked
    plan, said = asked
    answer = await context.upstream.post(
        INPUT_TOKENS, said, plan, first_byte_timeout=first_byte_timeout, retries=retries
    )
    if isinstance(answer, Failure):
        return answer
    async with answer:
        return await _number(answer)


async def _number(answer: UpstreamResponse) -> int | Failure | None:
    body = await answer.read(_MAX_BODY)
    if isinstance(body, Failure):
        return body
    try:
        value: Any = json.decode(body)
    except json.MalformedJson:
        return None
    tokens = value.get("input_tokens") if isinstance(value, dict) else None
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else None
