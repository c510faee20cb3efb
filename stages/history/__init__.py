"""What is left of a conversation before it is translated: what passes, is summed up or cleared is left out.

What the model is told of a budget is put in.  All of it is a function of the request alone, so any worker can serve
any turn.  What is taken out keeps its place (a message stays, empty; a block becomes one that says nothing), so that
paths in the report are those of the client.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from stages.canonical.request import JsonObject, Request
from stages.counter import Tokens
from stages.history.compaction import compact, summary_request
from stages.history.passing_messages import without_passed_messages
from stages.history.summaries import behind_the_summary
from stages.history.task_budget import with_budget
from stages.history.thinking_turns import clear_thinking
from stages.history.tool_uses import clear_tool_uses
from stages.tables.identifiers import undated_type
from stages.wire.lenient import objects

__all__ = ["edit_history", "edits_of", "summary_request"]

Edit = Callable[[Request, JsonObject, Tokens], Request]
"""Takes something out of a request's messages, by the settings of an edit; says so in `Request.edits`."""

EDITS: dict[str, Edit] = {"clear_tool_uses": clear_tool_uses, "clear_thinking": clear_thinking, "compact": compact}
"""What `context_management.edits` may ask for here, by the `type` without its date."""


def edit_history(request: Request, tokens: Tokens) -> Request:
    """Take out of a conversation what a summary stands for and what the request's edits clear; note its budget.

    Args:
        request: what the client sent.
        tokens: the number of tokens of one text, for triggers; an estimate is enough.

    Returns:
        The request itself where there is nothing to do, else one whose `edits` say what was done.
    """
    request = with_budget(request, tokens)
    # First what is gone for good: edits neither count nor clear what the model will not see anyway.
    request = without_passed_messages(behind_the_summary(request))
    edits = edits_of(request)
    if edits is None:
        return request
    # Empty is a word of its own: edits were asked for, and none had anything to do.
    request = attrs.evolve(request, edits=attrs.evolve(request.edits, applied=()))
    for edit in edits:
        apply = EDITS.get(undated_type(str(edit.get("type"))))
        if apply is not None:
            request = apply(request, edit, tokens)
    return request


def edits_of(request: Request) -> list[dict[str, Any]] | None:
    """The edits that a request asks for, in their order; None where it does not speak of any."""
    management = request.extra.get("context_management")
    return objects(management.get("edits")) if isinstance(management, dict) else None
