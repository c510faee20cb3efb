"""`clear_thinking_20251015`: the reasoning of all but the latest turns is left out.

A turn is all that the model said between two prompts of the user's; results of tools are no prompts.
"""

from __future__ import annotations

from stages.canonical.place import Position
from stages.canonical.request import JsonObject, Message, RedactedThinking, Request, Thinking, ToolResult
from stages.counter import Tokens
from stages.counter.blocks import count_block
from stages.history.removal import REMOVED, with_applied, with_blocks

KEPT_TURNS = 1
"""Turns whose reasoning is kept where the edit does not say how many."""

CLEARED = "reasoning of an earlier turn is left out, as context_management asks"
"""Why a block is left out."""

_REASONING = (Thinking, RedactedThinking)


def clear_thinking(request: Request, edit: JsonObject, tokens: Tokens) -> Request:
    """Leave out the reasoning of all but the latest turns that have some.

    Args:
        request: what the client sent.
        edit: the edit's settings: `keep` is `"all"`, or `{"type": "thinking_turns", "value": N}`.
        tokens: counts what is cleared.
    """
    keep = _kept_turns(edit.get("keep"))
    turns = _turns(request) if keep is not None else []
    cleared = [position for turn in turns[: max(0, len(turns) - (keep or 0))] for position in turn]
    if not cleared:
        return request
    count = sum(count_block(request.messages[index].content[at], tokens) for index, at in cleared)
    number = len(turns) - (keep or 0)
    request = with_blocks(request, dict.fromkeys(cleared, REMOVED), CLEARED)
    return with_applied(request, {"type": edit["type"], "cleared_thinking_turns": number}, count)


def _kept_turns(keep: object) -> int | None:
    """How many turns keep their reasoning; None for all of them."""
    if keep is None:
        return KEPT_TURNS
    value = keep.get("value") if isinstance(keep, dict) and keep.get("type") == "thinking_turns" else None
    return value if isinstance(value, int) else None


def _turns(request: Request) -> list[list[Position]]:
    """The places of the reasoning of each turn that has some, the oldest first."""
    turns: list[list[Position]] = []
    fresh = True
    for index, message in enumerate(request.messages):
        if message.role == "assistant":
            places = [(index, at) for at, block in enumerate(message.content) if isinstance(block, _REASONING)]
            if places and fresh:
                turns.append([])
                fresh = False
            if places:
                turns[-1] += places
        elif _is_prompt(message):  # results in between go on with the turn
            fresh = True
    return turns


def _is_prompt(message: Message) -> bool:
    return message.role == "user" and not any(isinstance(block, ToolResult) for block in message.content)
