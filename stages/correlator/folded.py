"""Items that stand inside another: what a server of Chat Completions' or Anthropic's mind puts into a message.

Calls stand under `tool_calls`, `function_call`, or as parts of the content; reasoning beside the content or in it.
Each is taken out as an item of its own, in this order: what was thought, what is said, what is called.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stages.correlator import shapes
from stages.correlator.shapes import CALL, MESSAGE, REASONING, THOUGHT_FIELDS, kind_of, thought_in, words_of
from stages.wire.lenient import mapping


def unfolded(item: dict[str, Any]) -> list[dict[str, Any]]:
    """Read an item of any shape as the documented items that it holds, which is nearly always itself."""
    if kind_of(item) != MESSAGE:
        return [shapes.read(item)]
    message = shapes.read(item)
    thoughts, parts, calls = _sorted(message["content"])
    thoughts = [*(item[name] for name in THOUGHT_FIELDS if name in item and thought_in(item[name])), *thoughts]
    calls = [*_calls_beside(item), *calls]
    if not (thoughts or calls):
        return [message]
    where = {"id": item["id"]} if "id" in item else {}
    found = [{"type": REASONING, **where, "content": thoughts[:1]}] if thoughts else []
    if parts or not calls:
        found.append({**message, "content": parts})
    return [*found, *calls]


def flat(told: list[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The items of an output in a row; a call in a message that is also an item of its own is told once."""
    alone = {items[0].get("call_id") for items in told if len(items) == 1 and items[0].get("type") == CALL} - {None}
    return [item for items in told for item in items if len(items) == 1 or item.get("call_id") not in alone]


def _sorted(content: Any) -> tuple[list[Any], Any, list[dict[str, Any]]]:
    """The thoughts in the content of a message, its own parts, and the calls in it."""
    if not isinstance(content, list):
        return [], content, []
    kinds = {CALL: list[Any](), REASONING: list[Any](), MESSAGE: list[Any]()}
    for part in content:
        kinds.get(_kind_of_part(part), kinds[MESSAGE]).append(part)
    return [thought_in(kinds[REASONING])] if kinds[REASONING] else [], kinds[MESSAGE], [*map(_call, kinds[CALL])]


def _kind_of_part(part: Any) -> str:
    fields = mapping(part)
    if not fields.get("type") and any(map(fields.get, THOUGHT_FIELDS)) and not words_of(fields):
        return REASONING
    return kind_of(fields)


def _calls_beside(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The calls that stand beside the content of a message, as Chat Completions has them."""
    for name in ("tool_calls", "function_call"):
        told = item.get(name)
        for call in told if isinstance(told, list) else [told]:
            if isinstance(call, dict) and call:
                yield _call(call)


def _call(call: dict[str, Any]) -> dict[str, Any]:
    """A call whose `id` is the call's own."""
    read = shapes.read({**call, "type": CALL})
    return {**read, "call_id": read.get("call_id") or read.get("id")}
