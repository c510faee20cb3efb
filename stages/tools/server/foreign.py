"""Blocks that have no counterpart, shown as text: above all calls and results of another service's server tools.

A conversation with the real API may go on here. Its searches, pages, code runs and summaries are then text that the
model can read, without what only Anthropic's servers can open.
"""

from __future__ import annotations

from typing import Any

from stages.canonical.request import JsonObject
from stages.wire import json
from stages.wire.lenient import objects

SEALED = frozenset(
    {"encrypted_content", "encrypted_index", "encrypted_stdout", "encrypted_code_execution_result", "signature"}
)
"""Fields that only their own service can read."""

FALLBACK_BLOCK = "fallback"
"""The type of the block that says which model took over: for clients and servers alone, wherever it was told."""

WITHOUT_TEXT = frozenset({FALLBACK_BLOCK, "mcp_tool_listing"})
"""Blocks that say nothing of the conversation: which model took over, and which tools a server has that is gone."""

_LINKS = frozenset({"type", "id", "tool_use_id", "caller", "cache_control"})
"""Fields that link blocks with each other or with the cache; the mark for the cache moves from turn to turn."""

_FILE = "base64"


def as_text(kind: str, body: JsonObject) -> tuple[str, list[str]]:
    """Show a block: its type as a tag around what it says.

    Returns:
        The text, empty for a block that says nothing, and the names of the fields that were left out of it.
    """
    if kind in WITHOUT_TEXT:
        return "", [key for key in body if key not in _LINKS]
    lost: dict[str, None] = {}
    readable = {key: _clean(value, lost) for key, value in body.items() if key not in _LINKS and not _sealed(key, lost)}
    if readable == {} and lost:
        return "", list(lost)
    return f"<{kind}>{_readable(readable)}</{kind}>", list(lost)


def _sealed(key: str, lost: dict[str, None]) -> bool:
    if key in SEALED:
        lost[key] = None
    return key in SEALED


def _clean(value: Any, lost: dict[str, None]) -> Any:
    """Leave out what nobody can read: seals, and the bytes of files."""
    if isinstance(value, list):
        return [_clean(item, lost) for item in value]
    if not isinstance(value, dict):
        return value
    if value.get("type") == _FILE and isinstance(value.get("data"), str):
        lost["data"] = None
        value = {key: inner for key, inner in value.items() if key != "data"}
    kept = {key: inner for key, inner in value.items() if key != "cache_control" and not _sealed(key, lost)}
    return {key: _clean(inner, lost) for key, inner in kept.items()}


def _readable(told: JsonObject) -> str:
    """Plain text where a block is nothing else, and JSON where it has parts."""
    content = told.get("content") if told.keys() == {"content"} else None
    if isinstance(content, dict) and content.keys() <= {"type", "text"}:
        content = [content]
    if isinstance(content, str):
        return content
    texts = [part["text"] for part in objects(content) if part.keys() <= {"type", "text"} and _is_text(part)]
    if texts and isinstance(content, list) and len(texts) == len(content):
        return "\n".join(texts)
    return json.encode(told).decode()


def _is_text(part: JsonObject) -> bool:
    return isinstance(part.get("text"), str)
