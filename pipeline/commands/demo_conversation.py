"""The conversation of `dragoman demo`, as a client holds it: two requests, and the answers folded."""

from __future__ import annotations

from typing import Any

import attrs

from stages.wire import json

_TOOL = {
    "name": "Read",
    "description": "Read a file of the working directory.",
    "input_schema": {
        "type": "object",
        "properties": {"file_path": {"type": "string"}, "limit": {"type": "integer"}},
        "required": ["file_path"],
    },
}

QUESTION = 'What is in notes.txt? [[think]]+[[call:Read {"file_path": "notes.txt", "limit": 20}]]'
"""What the user asks. The words in brackets are directives for the emulator, which has no thoughts of its own."""

SHOPPING_LIST = "milk\nbread\na word for 'interpreter'"
"""What the tool finds."""

_JSON_DELTA = "input_json_delta"


def first_request() -> dict[str, Any]:
    """Make the body of the first turn."""
    return {
        "model": "claude-opus-5-5",
        "max_tokens": 4096,
        "stream": True,
        "thinking": {"type": "adaptive", "display": "updates"},
        "output_config": {"effort": "medium"},
        "system": [
            {
                "type": "text",
                "text": "You help somebody with the files in a directory.",
                "cache_control": {"type": "ephemeral"},
            }
        ],
        "tools": [_TOOL],
        "messages": [{"role": "user", "content": QUESTION}],
    }


def next_request(request: dict[str, Any], answer: Answer) -> dict[str, Any]:
    """Make the body of the next turn: the same conversation, what was answered, and the results of the tools."""
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": SHOPPING_LIST}
        for block in answer.blocks
        if block["type"] == "tool_use"
    ]
    turn = [{"role": "assistant", "content": answer.blocks}, {"role": "user", "content": results}]
    return {**request, "messages": [*request["messages"], *turn]}


@attrs.define
class Answer:
    """A streamed message, folded as clients fold it, to be sent back on the next turn."""

    blocks: list[dict[str, Any]] = attrs.field(factory=list, repr=False)
    stop_reason: str | None = None
    usage: dict[str, Any] = attrs.field(factory=dict)
    error: dict[str, Any] | None = None
    _arguments: str = attrs.field(default="", repr=False, init=False)

    def take(self, event: dict[str, Any]) -> None:
        """Add one event of the stream."""
        match event["type"]:
            case "content_block_delta":
                self._delta(event["delta"])
            case "content_block_start":
                self._arguments = ""
                self.blocks.append(dict(event["content_block"]))
            case "content_block_stop" if self._arguments:
                self.blocks[-1]["input"] = json.decode(self._arguments)
            case "message_delta":
                self.stop_reason = event["delta"].get("stop_reason")
                self.usage = event.get("usage") or {}
            case "error":
                self.error = event["error"]
            case _:  # pings, and what says nothing that is not said elsewhere
                pass

    def _delta(self, delta: dict[str, Any]) -> None:
        if delta["type"] == _JSON_DELTA:
            self._arguments += delta["partial_json"]
            return
        for name in ("text", "thinking"):
            if name in delta:
                self.blocks[-1][name] += delta[name]
        if "signature" in delta:
            self.blocks[-1]["signature"] = delta["signature"]
