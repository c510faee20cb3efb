"""A program that stands in for Claude Code, a streamed answer, and a clean place to run commands in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.commands.demo_conversation import Answer

if TYPE_CHECKING:
    from pathlib import Path


def program(folder: Path, script: str) -> str:
    """Write an executable shell script; return its path."""
    file = folder / "claude"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return str(file)


def _start(index: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def _delta(index: int, kind: str, name: str, text: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, name: text}}


def _stop(index: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"model": "m"}},
    _start(0, {"type": "thinking", "thinking": "", "signature": ""}),
    _delta(0, "thinking_delta", "thinking", "a"),
    _delta(0, "thinking_delta", "thinking", "b"),
    _delta(0, "signature_delta", "signature", "s"),
    _stop(0),
    {"type": "ping"},
    _start(1, {"type": "text", "text": ""}),
    _delta(1, "text_delta", "text", "hello"),
    _stop(1),
    _start(2, {"type": "tool_use", "id": "t", "name": "Read", "input": {}}),
    _delta(2, "input_json_delta", "partial_json", ""),
    _delta(2, "input_json_delta", "partial_json", '{"a":'),
    _delta(2, "input_json_delta", "partial_json", "1}"),
    _stop(2),
    _start(3, {"type": "tool_use", "id": "u", "name": "Now", "input": {}}),
    _stop(3),
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 3}},
    {"type": "message_stop"},
]
"""A stream with a block of each kind."""


def folded() -> Answer:
    """Fold the stream."""
    answer = Answer()
    for event in EVENTS:
        answer.take(event)
    return answer
