"""The shapes in which servers send an item, read as the one that the tracks know.

What is documented is one shape; what is sent are many: content as a string, parts of type `text`, arguments as an
object, a declared function called as a custom tool, a part that stands where an item should.  Whatever holds text is
text here, whatever names a function is a call, so that no shape is silently empty.  What stands in an item and is one
of its own, `folded.py` takes out.
"""

from __future__ import annotations

from typing import Any

import attrs

from stages.wire import json
from stages.wire.lenient import mapping, objects, text

MESSAGE, CALL, REASONING = "message", "function_call", "reasoning"
"""The kinds of items that are translated piece by piece."""

_KINDS = {
    **dict.fromkeys(
        (
            "function_call",
            "custom_tool_call",
            "tool_call",
            "tool-call",
            "toolCall",
            "output_tool_call",
            "tool_use",
            "function",
        ),
        CALL,
    ),
    **dict.fromkeys(("output_text", "text", "refusal", "output_message"), MESSAGE),
    **dict.fromkeys(
        (
            "reasoning",
            "reasoning_text",
            "reasoning_content",
            "summary_text",
            "thinking",
            "thinking_block",
            "thought",
        ),
        REASONING,
    ),
}
"""Other words for kinds of items; a part that stands as an item of its own is an item of that one part."""

_ARGUMENTS = ("arguments", "input", "parameters", "args")
"""Where the arguments of a call may stand; the first that says something counts."""

_CALL_NAMES = {"toolName": "name", "tool_name": "name", "toolCallId": "call_id", "tool_call_id": "call_id"}
"""What others call the members of a call."""

_TEXTS = ("text", "value", "content", "output_text", "refusal")
"""Where the text of a part may stand."""

THOUGHT_FIELDS = ("reasoning_content", "reasoning_text", "reasoning", "thinking", "thought", "thoughts", "summary_text")
"""Where reasoning may stand that has no item of its own, and where an item of it may say its text."""

_DEPTH = 4
# How deep a text may stand in a part; what is nested deeper is no text that anybody sends.
_REFUSALS = {"refusal"}


@attrs.frozen
class MessagePart:
    """One part of a message.

    Attributes:
        text: what it says.
        refusal: whether that is a refusal.
        annotations: what it is about.
        kind: its type, if it cannot be shown; None if it can.
    """

    text: str = attrs.field(repr=False)
    refusal: bool = False
    annotations: tuple[dict[str, Any], ...] = attrs.field(default=(), repr=False)
    kind: str | None = None


def kind_of(item: dict[str, Any]) -> str:
    """The kind of an item: its type in the house's word for it; without one that says it, it is known by its fields."""
    kind = text(item.get("type"))
    named = "name" in item and any(field in item for field in _ARGUMENTS)
    if kind:
        return _KINDS.get(kind) or (CALL if named and "call_id" in item else kind)
    if "function" in item or named:
        return CALL
    return MESSAGE if "content" in item or "text" in item else ""


def read(item: dict[str, Any]) -> dict[str, Any]:
    """Read an item of any shape as the documented one; what has no other shape comes back as it is."""
    reader = _READERS.get(kind_of(item))
    return reader(item) if reader is not None else item


def parts_of(content: Any) -> list[MessagePart]:
    """Read the content of a message: a list of parts, one part, or a string."""
    return [_part(part) for part in (content if isinstance(content, list) else [content]) if part is not None]


def texts_of(content: Any) -> list[str]:
    """The texts in a list of parts, in one part, or in a string; empty ones are none."""
    found = (thought_in(part) for part in (content if isinstance(content, list) else [content]))
    return [words for words in found if words]


def words_of(value: Any, depth: int = _DEPTH, *, names: tuple[str, ...] = _TEXTS) -> str:
    """The text that a value holds: itself, its `text` or `content`, or the `value` in that."""
    if isinstance(value, str) or not depth:
        return text(value)
    if isinstance(value, list):
        return "".join(words_of(part, depth - 1, names=names) for part in value)
    fields = mapping(value)
    held = (fields[name] for name in names if name in fields)
    return next((found for value in held if (found := words_of(value, depth - 1, names=names))), "")


def thought_in(value: Any) -> str:
    """The reasoning that a value holds, which may stand under names of its own."""
    return words_of(value, names=(*_TEXTS, *THOUGHT_FIELDS))


def arguments_of(value: Any) -> str:
    """The argument text of a call that says them as a string, or as the object itself."""
    if isinstance(value, str):
        return value
    return json.encode(value).decode() if isinstance(value, dict) else ""


def meaning_of(words: str) -> str:
    """What arguments mean, however they are written: servers write them anew, in another order or with other spaces."""
    try:
        value = json.decode(words)
    except json.MalformedJson:
        value = None
    return json.canonical(value).decode() if isinstance(value, dict) else "".join(words.split())


def custom_arguments(words: str) -> str:
    """The arguments of a custom tool, which are free text: an object stays, other text becomes one."""
    try:
        if isinstance(json.decode(words), dict):
            return words
    except json.MalformedJson:
        pass
    return json.encode({"input": words}).decode()


def _part(part: Any) -> MessagePart:
    kind = text(mapping(part).get("type"))
    words = words_of(part)
    empty = not (words or isinstance(part, str) or kind in ("output_text", "text", "refusal"))
    if empty or _KINDS.get(kind) == REASONING:
        return MessagePart("", kind=kind or "untyped part")
    return MessagePart(words, kind in _REFUSALS, tuple(objects(mapping(part).get("annotations"))))


def _message(item: dict[str, Any]) -> dict[str, Any]:
    content = item.get("content")
    if isinstance(refusal := item.get("refusal"), str) and refusal and item.get("type") == MESSAGE:
        content = [*(content if isinstance(content, list) else [content]), {"type": "refusal", "refusal": refusal}]
    if content is None:
        content = item.get("text") if item.get("type") in (None, MESSAGE) else [item]
    return {**item, "type": MESSAGE, "content": content}


def _call(item: dict[str, Any]) -> dict[str, Any]:
    inner = mapping(item.get("function"))
    told = {_CALL_NAMES.get(name, name): value for name, value in item.items() if value not in (None, "")}
    fields = {**inner, **told}
    found = (arguments_of(fields.get(name)) for name in _ARGUMENTS)
    arguments = next((words for words in found if words), "")
    if arguments and item.get("type") == "custom_tool_call":
        arguments = custom_arguments(arguments)
    return {**fields, "type": CALL, "arguments": arguments}


def _reasoning(item: dict[str, Any]) -> dict[str, Any]:
    told = (item[name] for name in ("content", *THOUGHT_FIELDS, "text") if item.get(name))
    return {**item, "type": REASONING, "content": next(told, None)}


_READERS = {MESSAGE: _message, CALL: _call, REASONING: _reasoning}
