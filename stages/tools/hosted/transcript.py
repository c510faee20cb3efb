"""A conversation as text, for a model that is to judge it and not to go on with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stages.canonical.request import JsonObject
from stages.wire import json
from stages.wire.lenient import objects, text

CUT = "[… cut …]"
"""What stands where something was left out."""


def transcript(
    body: Mapping[str, Any], told: list[JsonObject], *, longest: int | None = None, result: int | None = None
) -> str:
    """Write a conversation down.

    Args:
        body: the Messages request.
        told: the blocks of the answer so far.
        longest: characters of all of it; the beginning goes first, since what is new counts.
        result: characters of each result of a call.
    """
    messages = [*objects(body.get("messages")), *([{"role": "assistant", "content": told}] if told else [])]
    lines = [line for message in messages for line in _lines(message, result)]
    written = "\n\n".join(lines)
    if longest is None or len(written) <= longest:
        return written
    return f"{CUT}\n\n{written[len(written) - longest :]}"


def system_text(body: Mapping[str, Any]) -> str:
    """The system prompt of a request as one text."""
    system = body.get("system")
    return system if isinstance(system, str) else "\n\n".join(text(block.get("text")) for block in objects(system))


def _lines(message: JsonObject, result: int | None) -> Iterator[str]:
    role, content = text(message.get("role")), message.get("content")
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else objects(content):
        said = _said(block, result)
        if said:
            yield f"[{role}] {said}"


def _said(block: JsonObject, result: int | None) -> str:
    kind = text(block.get("type"))
    if kind == "text":
        return text(block.get("text"))
    if kind.endswith("tool_use"):
        return f"calls {text(block.get('name'))}: {json.encode(block.get('input')).decode()}"
    if kind.endswith("tool_result"):
        failed = " (failed)" if block.get("is_error") else ""
        return f"result{failed}: {_shortened(_plain(block.get('content')), result)}"
    return "" if kind.endswith("thinking") else f"({kind})"


def _plain(content: Any) -> str:
    if isinstance(content, dict):
        content = [content]
    if isinstance(content, str):
        return content
    return "\n".join(text(part.get("text")) or f"({text(part.get('type'))})" for part in objects(content))


def _shortened(words: str, longest: int | None) -> str:
    return words if longest is None or len(words) <= longest else f"{words[:longest]} {CUT}"
