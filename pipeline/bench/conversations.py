"""Request bodies as Claude Code sends them, of any size, made of the same words every time."""

from __future__ import annotations

import random
from typing import Any

from stages.wire import json

MODEL = "claude-opus-5-5"
"""The model that the bench asks for; its own upstream answers for any."""

_BUILT_IN = "Agent Bash Edit Glob Grep KillShell NotebookEdit Read Skill TodoWrite WebFetch WebSearch Write"
BENCH_TOOLS = (*_BUILT_IN.split(), *(f"mcp__files__operation_{number}" for number in range(12)))
"""Names of the tools that every conversation declares: those of the client, and those of one MCP server."""

_WORDS = (
    *("the", "file", "reads", "request", "value", "from", "stream", "buffer", "and", "returns", "error"),
    *("when", "path", "missing", "test", "class", "self", "run"),
)
_SMALL, _LARGE = 100, 1_200  # characters of a tool's description, in short and in long conversations
_RESULTS = (800, 2_500, 6_000, 9_000)  # characters of a tool's output


def conversation(size: int, *, stream: bool = True) -> bytes:
    """Make a body of about `size` bytes, not less than its tools need (some 17 KB); equal arguments, equal bytes."""
    words = random.Random(size)
    about = _LARGE if size > 100_000 else _SMALL  # noqa: PLR2004 - between the sizes that are measured
    body: dict[str, Any] = {
        "model": MODEL,
        "max_tokens": 32_000,
        "stream": True,
        "system": [_cached("You are a coding agent."), _cached(_prose(words, about * 10))],
        "tools": [_tool(words, name, about) for name in BENCH_TOOLS],
        "metadata": {"user_id": "user_" + "ab" * 32 + "_account__session_12345678-1234-1234-1234-123456789012"},
        "messages": [{"role": "user", "content": [_text(_prose(words, 300)), _text("Please fix the failing test.")]}],
    }
    left, turn = size - len(json.encode(body)), 0
    while left > 0:
        messages = _turn(words, turn, min(left, words.choice(_RESULTS)))
        body["messages"] += messages
        left, turn = left - len(json.encode(messages)), turn + 1
    body["stream"] = stream
    return json.encode(body)


def _turn(words: random.Random, number: int, size: int) -> list[dict[str, Any]]:
    """Let the model call a tool, and answer the call with some `size` characters."""
    ident, output = f"toolu_{number:024d}", _code(words, size)
    arguments = {"file_path": f"/srv/app/module_{number}.py", "content": _code(words, size // 6)}
    call = {"type": "tool_use", "id": ident, "name": words.choice(BENCH_TOOLS), "input": arguments}
    result = {"type": "tool_result", "tool_use_id": ident, "content": [_text(output)] if number % 2 else output}
    return [
        {"role": "assistant", "content": [_text(_prose(words, 120)), call]},
        {"role": "user", "content": [result]},
    ]


def _tool(words: random.Random, name: str, about: int) -> dict[str, Any]:
    text, properties = {"type": "string", "description": _prose(words, 30)}, {"old": {"type": "string"}}
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "additionalProperties": False,
        "required": ["file_path"],
        "properties": {
            "file_path": text,
            "limit": {"type": "integer", "minimum": 1},
            "mode": {"type": "string", "enum": ["files", "lines"]},
            "edits": {"type": "array", "items": {"type": "object", "properties": properties, "required": ["old"]}},
        },
    }
    return {"name": name, "description": _prose(words, about), "input_schema": schema}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _cached(text: str) -> dict[str, Any]:
    return {**_text(text), "cache_control": {"type": "ephemeral"}}


def _prose(words: random.Random, size: int) -> str:
    return " ".join(words.choices(_WORDS, k=size // 3))[:size]


def _code(words: random.Random, size: int) -> str:
    lines = (
        f'    {one}_{number} = self.{other}("{one}", {number})  # {other}\n'
        for number, (one, other) in enumerate(zip(*(words.choices(_WORDS, k=size // 30 + 1),) * 2, strict=True))
    )
    return "".join(lines)[:size]
