"""`compact_20260112`: a conversation that has grown is summed up, and answered from its summary.

Whether that is due is a function of the request alone.  What has been summed up is cut off before its size is looked
at (`summaries`), so it is due once, and again when the conversation has grown anew.
"""

from __future__ import annotations

from typing import Any

import attrs

from stages.canonical.place import ROOT
from stages.canonical.plan import Compacting
from stages.canonical.request import Compaction, HistoryNote, JsonObject, Request
from stages.counter import Tokens, prompt_tokens

COMPACTED_FROM = 150_000
"""Input tokens from which a conversation is summed up, where the edit does not say it."""

SUMMARY_TOKENS = 16_000
"""Tokens that a summary may have, where the request allows fewer for its answer."""

_DUE = "the conversation is over the trigger: it is summed up first, and answered from the summary"
_PLACE = ROOT.field("context_management").field("edits")


def compact(request: Request, edit: JsonObject, tokens: Tokens) -> Request:
    """Note that a conversation is to be summed up before it is answered, where it is over the edit's trigger.

    Args:
        request: what the client sent, after the edits before this one.
        edit: the edit's settings.
        tokens: the number of tokens of one text.
    """
    if _says_a_summary_alone(request) or prompt_tokens(request, tokens) < _trigger(edit.get("trigger")):
        return request
    instructions = edit.get("instructions")
    compacting = Compacting(
        instructions=instructions if isinstance(instructions, str) else "",
        pauses=edit.get("pause_after_compaction") is True,
    )
    notes = (*request.edits.notes, HistoryNote(_PLACE, _DUE))
    return attrs.evolve(request, edits=attrs.evolve(request.edits, compacting=compacting, notes=notes))


def _trigger(trigger: Any) -> int:
    value = trigger.get("value") if isinstance(trigger, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else COMPACTED_FROM


def _says_a_summary_alone(request: Request) -> bool:
    """Whether nothing stands behind the summary that a conversation begins with, or nothing stands there at all."""
    said = [block for message in request.messages if message.role != "system" for block in message.content]
    return all(type(block) is Compaction for block in said)


def summary_request(request: Request, instructions: str) -> Request:
    """Make of a request one for a summary of its conversation, on the same prefix: it has no wishes for an answer."""
    asked = {"type": "summarize", "instructions": instructions}
    config = request.output_config
    return attrs.evolve(
        request,
        extra={name: value for name, value in request.extra.items() if name != "output_format"} | {"compaction": asked},
        edits=attrs.evolve(request.edits, compacting=None),  # or the summary would ask for a summary
        max_tokens=max(request.max_tokens or 0, SUMMARY_TOKENS),
        stop_sequences=(),
        tool_choice=None,
        output_config=None if config is None else attrs.evolve(config, format=None),
    )
