"""The upstream's own count of a prompt, exact down to what no rule of ours knows."""

from __future__ import annotations

from typing import Any

from pipeline.endpoints.context import Context
from pipeline.endpoints.translation import Question, countable
from pipeline.upstream.client import UpstreamResponse
from stages.canonical.failure import Failure
from stages.wire import json

PATH = "/responses/input_tokens"
"""What follows the base URL."""

_MAX_BODY = 2**20
# Bytes that the upstream may take to say a number.


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
    answer = await context.upstream.post(PATH, said, plan, first_byte_timeout=first_byte_timeout, retries=retries)
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
