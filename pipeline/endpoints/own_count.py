"""Our own count of a prompt, with the best vocabulary at hand."""

from __future__ import annotations

from pipeline.endpoints import translation
from pipeline.endpoints.context import Context
from pipeline.endpoints.translation import Question
from stages.canonical.failure import Failure


async def own_count(context: Context, question: Question, body: bytes) -> tuple[int, int] | Failure:
    """Count the tokens of a request: the likely number, and the least that is certain.

    Waits for a thread or a process where the request is large, as `Aside.run` says; the process loads the vocabulary by
    its name.
    """
    aside, tokenizer, size = context.aside, context.tokenizer, len(body)
    if aside.leaves(size):
        return await aside.run(size, translation.count_by, question, body, tokenizer.source)
    return await aside.run(size, translation.count, question, body, tokenizer.tokens)
