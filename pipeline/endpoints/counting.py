"""`POST /v1/messages/count_tokens`: exactly, from the upstream where it counts, else by our own count."""

from __future__ import annotations

from typing import Any

from pipeline.endpoints.context import Context
from pipeline.endpoints.exchange import Exchange
from pipeline.endpoints.messages import caller_of, read_request
from pipeline.upstream.client import Answer
from stages.canonical.failure import Failure, Kind
from stages.canonical.request import Request
from stages.mapper import map_request
from stages.wire import json

PATH = "/responses/input_tokens"
"""What follows the base URL."""

COUNTED = ("model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "parallel_tool_calls")
"""Fields of a request that the counting endpoint takes; it refuses all others."""

_MOST = 2**20
# Bytes that the upstream may take to say a number.

_HERE_INSTEAD = {
    Kind.NOT_FOUND,
    Kind.METHOD_NOT_ALLOWED,
    Kind.UNAVAILABLE,
    Kind.UPSTREAM,
    Kind.TIMEOUT,
    Kind.OVERLOADED,
}
_HERE_INSTEAD |= {Kind.INVALID_REQUEST}


async def count_tokens(context: Context, exchange: Exchange) -> None:
    """Answer `{"input_tokens": N}`."""
    request = await read_request(context, exchange, counting=True)
    if request is None:
        return
    counted = await _ask(context, exchange, request) if context.target.profile.input_tokens else None
    if isinstance(counted, Failure) and counted.kind not in _HERE_INSTEAD:
        await exchange.fail(counted)
        return
    tokens = counted if isinstance(counted, int) else await context.count(request)
    await exchange.answer({"input_tokens": tokens})


async def _ask(context: Context, exchange: Exchange, request: Request) -> int | Failure | None:
    """Let the upstream count; None when it answered without a number."""
    mapped = map_request(request, caller_of(exchange), context.target, message_id="msg_count")
    body = {name: mapped.body[name] for name in COUNTED if name in mapped.body}
    answer = await context.upstream.post(PATH, json.encode(body), mapped.plan)
    if isinstance(answer, Failure):
        return answer
    async with answer:
        return await _number(answer)


async def _number(answer: Answer) -> int | Failure | None:
    body = b""
    async for chunk in answer:
        if isinstance(chunk, Failure):
            return chunk
        body += chunk
        if len(body) > _MOST:
            return None
    try:
        value: Any = json.decode(body)
    except json.MalformedJson:
        return None
    tokens = value.get("input_tokens") if isinstance(value, dict) else None
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else None
