"""The upstream's own count of a prompt, exact down to what no rule of ours knows."""

from __future__ import annotations

from typing import Any

from pipeline.endpoints.context import Context
from pipeline.upstream.client import UpstreamResponse
from stages.canonical.failure import Failure
from stages.mapper import Mapped
from stages.wire import json

PATH = "/responses/input_tokens"
"""What follows the base URL."""

COUNTED = ("model", "input", "instructions", "tools", "tool_choice", "text", "reasoning", "parallel_tool_calls")
"""Fields of a request that the counting endpoint takes; it refuses all others."""

_MAX_BODY = 2**20
# Bytes that the upstream may take to say a number.


async def upstream_count(
    context: Context, mapped: Mapped, *, first_byte_timeout: float | None = None, retries: int | None = None
) -> int | Failure | None:
    """Let the upstream count the tokens of a request's input; None when it answered without a number.

    Args:
        context: has the upstream.
        mapped: the request as it would be sent.
        first_byte_timeout: seconds that the answer may take to begin; None waits as long as for a message.
        retries: new attempts after a connection that failed; None is the upstream's setting.
    """
    body = {name: mapped.body[name] for name in COUNTED if name in mapped.body}
    answer = await context.upstream.post(
        PATH, json.encode(body), mapped.plan, first_byte_timeout=first_byte_timeout, retries=retries
    )
    if isinstance(answer, Failure):
        return answer
    async with answer:
        return await _number(answer)


async def _number(answer: UpstreamResponse) -> int | Failure | None:
    body = b""
    async for chunk in answer:
        if isinstance(chunk, Failure):
            return chunk
        body += chunk
        if len(body) > _MAX_BODY:
            return None
    try:
        value: Any = json.decode(body)
    except json.MalformedJson:
        return None
    tokens = value.get("input_tokens") if isinstance(value, dict) else None
    return tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else None
