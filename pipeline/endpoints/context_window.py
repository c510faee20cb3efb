"""A prompt that cannot fit is refused before the upstream is asked to answer it, but only when that is certain.

Every request is sized up by the cheap estimate. One that comes near the model's window is counted: here, where our
vocabulary is the model's own, since its texts alone are the least it can cost; else by the upstream's own count. All
others go on without a delay, and so does whatever cannot be counted.
"""

from __future__ import annotations

from pipeline.endpoints.context import Context
from pipeline.endpoints.upstream_count import upstream_count
from stages import counter
from stages.canonical.failure import Failure, Kind
from stages.canonical.request import Request
from stages.mapper import Mapped
from stages.tables.models import UNKNOWN_MODEL, Model, model_info
from stages.tables.overflows import OVERFLOW, no_room, too_long

NEAR = 0.9
"""The share of a window from which on the estimate, mostly within 6 %, is no longer trusted."""

CLOSE = 0.97
"""The share up to which our own count is trusted where it has a vocabulary: it can miss borders and pictures."""

TOKENIZER_FAMILIES = ("gpt-5", "gpt-4", "o")
"""Models whose vocabulary is known to be ours (`o200k_base`), by the beginning of their names; gpt-6's is not told."""

COUNT_TIMEOUT = 10.0
"""Seconds that the upstream may take to count; a request is not held up for longer by a mere precaution."""


async def check_context_window(context: Context, request: Request, mapped: Mapped) -> int | Failure:
    """Size up a prompt: its tokens as well as they are known before it is answered, or why it will not be.

    Args:
        context: has the vocabulary and the upstream.
        request: what the client asked.
        mapped: what it became.
    """
    guess = context.estimate(request)
    model = model_info(mapped.plan.upstream_model)
    room = _output(mapped, model)
    if model is UNKNOWN_MODEL or guess + room <= NEAR * model.window:
        return guess
    tokens, certain = await _count(context, request, mapped, model, guess)
    if isinstance(certain, Failure):
        return certain
    if certain > model.window:
        return _overflow(too_long(max(tokens, certain), model.window))
    if certain + room > model.window:
        return _overflow(no_room(tokens if certain < tokens < model.window else certain, room, model.window))
    return tokens


def _output(mapped: Mapped, model: Model) -> int:
    """The part of the window that is kept for the answer."""
    return mapped.plan.max_output_tokens or 0 if model.shared else 0


def _overflow(sentence: str) -> Failure:
    return Failure(Kind.INVALID_REQUEST, sentence, cause=OVERFLOW)


async def _count(
    context: Context, request: Request, mapped: Mapped, model: Model, guess: int
) -> tuple[int, int | Failure]:
    """Return the likely number of tokens, and the number that is certain, or the upstream's own refusal."""
    tokens, least = guess, 0
    if context.counting != "estimate":
        tokens = await context.count(request)
        least = counter.least(request, context.tokenizer.tokens) if model.prefix.startswith(TOKENIZER_FAMILIES) else 0
        if least > model.window or tokens + _output(mapped, model) <= CLOSE * model.window:
            return tokens, least
    if not context.target.profile.input_tokens:
        return tokens, least
    counted = await upstream_count(context, mapped, first_byte_timeout=COUNT_TIMEOUT, retries=0)
    if isinstance(counted, Failure) and counted.cause == OVERFLOW:
        return tokens, counted
    return (counted, counted) if isinstance(counted, int) else (tokens, least)
