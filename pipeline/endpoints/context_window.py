"""A prompt that cannot fit is refused before the upstream is asked to answer it, but only when that is certain.

Every request is sized up by the cheap estimate. One that comes near the model's window is counted: here, where our
vocabulary is the model's own, since its texts alone are the least it can cost; else by the upstream's own count. All
others go on without a delay, and so does whatever cannot be counted.

Where a server tells its window, or the settings do, the answer may be no longer than what the prompt leaves of it:
such servers refuse the sum, and clients that know Anthropic's windows alone ask for more than a small one holds.
"""

from __future__ import annotations

import math

import attrs

from pipeline.endpoints.context import Context
from pipeline.endpoints.counting import own_count, upstream_count
from pipeline.endpoints.translation import Question, Translated
from pipeline.tokenizer import ESTIMATE
from stages.canonical.failure import Failure, Kind
from stages.tables.models import UNKNOWN_MODEL, Model
from stages.tables.overflows import OVERFLOW, no_room, too_long

NEAR = 0.9
"""The share of a window from which on the estimate, mostly within 6 %, is no longer trusted."""

CLOSE = 0.97
"""The share up to which our own count is trusted where it has a vocabulary: it can miss borders and pictures."""

TOKENIZER_FAMILIES = ("gpt-5", "gpt-4", "o")
"""Models whose vocabulary is known to be ours (`o200k_base`), by the beginning of their names; gpt-6's is not told."""

COUNT_TIMEOUT = 10.0
"""Seconds that the upstream may take to count; a request is not held up for longer by a mere precaution."""


MARGIN = 1.15
"""What the estimate is multiplied with before a window is divided by it: vocabularies of other models cut finer."""

ENOUGH = 4_096
"""Tokens that are room enough for an answer; with less, a window is only divided by a better number."""

LEAST = 256
"""With less room than this, and than was asked for, an answer is not worth beginning."""


@attrs.frozen
class Size:
    """What a prompt measures.

    Attributes:
        tokens: its tokens, as well as they are known before it is answered.
        limit: the tokens that the answer may have instead of those that were asked for; None where those fit.
    """

    tokens: int
    limit: int | None = None


async def check_context_window(
    context: Context, question: Question, body: bytes, translated: Translated
) -> Size | Failure:
    """Size up a prompt, or say why it will not be answered.

    Waits only near the window, for our own count and for the upstream's.

    Args:
        context: has the vocabulary and the upstream.
        question: how the request was translated.
        body: the request, as the client sent it.
        translated: what it became.
    """
    guess, model_name = translated.plan.input_tokens, translated.plan.upstream_model
    model = context.target.models.model_info(model_name)
    if context.target.models.tells_window(model_name):
        return await _divided(context, question, body, translated, model)
    room = _output(translated, model)
    if model is UNKNOWN_MODEL or guess + room <= NEAR * model.window:
        return Size(guess)
    tokens, certain = await _count(context, question, body, model, guess, room)
    if isinstance(certain, Failure):
        return certain
    if certain > model.window:
        return _overflow(too_long(max(tokens, certain), model.window))
    if certain + room > model.window:
        return _overflow(no_room(tokens if certain < tokens < model.window else certain, room, model.window))
    return Size(tokens)


async def _divided(
    context: Context, question: Question, body: bytes, translated: Translated, model: Model
) -> Size | Failure:
    """Divide a window between prompt and answer."""
    guess, asked = translated.plan.input_tokens, translated.plan.max_output_tokens or 0
    tokens, exact = guess, 0  # `exact` is the least at least, and the number itself where both are the same
    left = model.window - math.ceil(MARGIN * guess)
    if left < min(asked, ENOUGH):
        tokens, certain = await _count(context, question, body, model, guess, _output(translated, model))
        if isinstance(certain, Failure):
            return certain
        exact = certain
        left = model.window - (exact if exact == tokens else math.ceil(MARGIN * max(exact, tokens)))
    if exact > model.window:
        return _overflow(too_long(exact, model.window))
    if exact and left < min(asked, LEAST):
        return _overflow(no_room(exact, asked, model.window))
    least = context.target.profile.min_output_tokens
    return Size(tokens, max(left, least) if asked > max(left, least) else None)


def _output(translated: Translated, model: Model) -> int:
    """The part of the window that is kept for the answer."""
    return translated.plan.max_output_tokens or 0 if model.shared else 0


def _overflow(sentence: str) -> Failure:
    return Failure(Kind.INVALID_REQUEST, sentence, cause=OVERFLOW)


async def _count(
    context: Context, question: Question, body: bytes, model: Model, guess: int, room: int
) -> tuple[int, int | Failure]:
    """Return the likely number of tokens, and the number that is certain, or the upstream's own refusal."""
    tokens, least = guess, 0
    if await context.tokenizer.ready() != ESTIMATE:
        own = await own_count(context, question, body)
        if isinstance(own, Failure):
            return tokens, own
        tokens, least = own[0], own[1] if model.prefix.startswith(TOKENIZER_FAMILIES) else 0
        if least > model.window or tokens + room <= CLOSE * model.window:
            return tokens, least
    if not context.target.profile.input_tokens:
        return tokens, least
    counted = await upstream_count(context, question, body, first_byte_timeout=COUNT_TIMEOUT, retries=0)
    if isinstance(counted, Failure) and counted.cause == OVERFLOW:
        return tokens, counted
    return (counted, counted) if isinstance(counted, int) else (tokens, least)
