"""A reader of Anthropic streams that forgives nothing: the state machine of `anthropic-stream-grammar.md`.

    START --message_start--> BODY --content_block_start--> BLOCK --content_block_stop--> BODY
    BODY --message_delta--> TAIL --message_stop--> END;   BODY, BLOCK --error--> FAILED;   pings from BODY to TAIL

It shares no line with the code that writes streams, so that one mistake cannot be made twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import attrs

_FRAME = re.compile(rb"event: ([a-z_]+)\ndata: (\{[^\n]*\})\Z")
_DELTAS = {
    "text": {"text_delta": "text"},
    "thinking": {"thinking_delta": "thinking", "signature_delta": "signature"},
    "tool_use": {"input_json_delta": "partial_json"},
    "server_tool_use": {"input_json_delta": "partial_json"},
    "advisor_tool_result": {},
    "fallback": {},
    "compaction": {"compaction_delta": "content"},
}
"""Block to the deltas it may have, and the field of each that grows."""

_CALL_IDS = {"tool_use": r"toolu_[a-zA-Z0-9_-]+", "server_tool_use": r"srvtoolu_[a-zA-Z0-9_-]+"}
"""What the ids of calls look like."""


class Broken(AssertionError):
    """The bytes are no stream that Anthropic's API could have written."""


@attrs.define
class Told:
    """What a stream said, as far as it got.

    Attributes:
        head: the message of `message_start`.
        content: blocks as they add up; a call has its argument text as `partial_json`.
        whole: how many blocks were closed.
        delta: the `delta` of `message_delta`.
        usage: its `usage`.
        error: the `error` object of an `error` event.
        names: the events' names in order, deltas included.
        state: where the machine stands.
    """

    head: dict[str, Any] = attrs.field(factory=dict)
    content: list[dict[str, Any]] = attrs.field(factory=list)
    whole: int = 0
    delta: dict[str, Any] = attrs.field(factory=dict)
    usage: dict[str, Any] = attrs.field(factory=dict)
    error: dict[str, Any] | None = None
    names: list[str] = attrs.field(factory=list)
    state: str = "START"

    @property
    def ended(self) -> bool:
        """Whether the message has had its one ending, good or bad."""
        return self.state in ("END", "FAILED")


def read(body: bytes, *, whole: bool = True) -> Told:
    """Read a stream.

    Args:
        body: all its bytes.
        whole: whether it must have ended; a client that has left may have half of one.

    Raises:
        Broken: At the first event that may not stand where it stands.
    """
    told = Told()
    frames = body.split(b"\n\n")
    if frames.pop() != b"":
        raise Broken("the last event lacks its blank line")
    for frame in frames:
        _take(told, *_parse(frame))
    if whole and not told.ended:
        raise Broken(f"the stream ends in state {told.state}")
    return told


def _parse(frame: bytes) -> tuple[str, dict[str, Any]]:
    found = _FRAME.match(frame)
    if found is None:
        raise Broken(f"not one event line and one data line: {frame[:80]!r}")
    name, data = found[1].decode(), json.loads(found[2])
    if data["type"] != name:
        raise Broken(f"event {name} says that it is {data['type']}")
    return name, data


def _take(told: Told, name: str, data: dict[str, Any]) -> None:
    told.names.append(name)
    handle = _MACHINE.get((told.state, name))
    if handle is None:
        raise Broken(f"{name} in state {told.state}")
    handle(told, data)


def _begin(told: Told, data: dict[str, Any]) -> None:
    head = data["message"]
    if not (head["id"].startswith("msg_") and head["model"] and head["content"] == [] and head["stop_reason"] is None):
        raise Broken("message_start does not carry an empty message")
    told.head, told.state = head, "BODY"


def _open(told: Told, data: dict[str, Any]) -> None:
    if data["index"] != len(told.content):
        raise Broken(f"block {data['index']} where {len(told.content)} is next")
    block = {key: value for key, value in data["content_block"].items() if key not in ("input", "caller")}
    if block["type"] not in _DELTAS or any(block.get(field) for field in _DELTAS[block["type"]].values()):
        raise Broken("a block of an unknown type, or one that starts with content")
    if block["type"] in _CALL_IDS:
        if any(other.get("id") == block["id"] for other in told.content):
            raise Broken("two calls with one id")
        if not re.fullmatch(_CALL_IDS[block["type"]], block["id"]):
            raise Broken("a call's id that no client may send back")
        block["partial_json"] = ""
    told.content.append(block | {"deltas": 0})
    told.state = "BLOCK"


def _grow(told: Told, data: dict[str, Any]) -> None:
    block, delta = told.content[-1], data["delta"]
    field = _DELTAS[block["type"]].get(delta["type"])
    if field is None or data["index"] != len(told.content) - 1:
        raise Broken(f"{delta['type']} for block {data['index']}, but a {block['type']} is open")
    if block["type"] == "thinking" and block["signature"]:
        raise Broken("a signature is last, and comes once")
    if block["type"] == "tool_use" and not block["deltas"] and delta[field]:
        raise Broken("a call's first delta is empty")
    block["deltas"] += 1
    block[field] = (block[field] or "") + delta[field]  # a summary begins as null


def _close(told: Told, data: dict[str, Any]) -> None:
    block = told.content[-1]
    if data["index"] != len(told.content) - 1:
        raise Broken("a block closes that is not open")
    if block["type"] == "thinking" and not block["signature"]:
        raise Broken("a thinking block without a signature cannot be sent back")
    if block["type"] == "text" and not block["text"].strip():
        raise Broken("a text block of nothing to see cannot be sent back")
    if block["type"] == "tool_use" and not block["deltas"]:
        raise Broken("a call without a delta")
    told.whole += 1
    told.state = "BODY"


def _finish(told: Told, data: dict[str, Any]) -> None:
    told.delta, told.usage, told.state = data["delta"], data["usage"], "TAIL"
    reason = told.delta["stop_reason"]
    calls = [block for block in told.content if block["type"] == "tool_use"]
    if (reason == "tool_use" and not calls) or (reason == "end_turn" and calls):
        raise Broken(f"{reason} with {len(calls)} calls")
    stopped, details = told.delta["stop_sequence"] is not None, told.delta["stop_details"] is not None
    if details != (reason == "refusal") or stopped != (reason == "stop_sequence"):
        raise Broken("stop_details or stop_sequence do not fit the stop_reason")
    for block in calls[: None if reason in ("tool_use", "end_turn") else -1]:
        if block["partial_json"] and not isinstance(json.loads(block["partial_json"]), dict):
            raise Broken("arguments that are no object")


def _end(told: Told, _: dict[str, Any]) -> None:
    told.state = "END"


def _fail(told: Told, data: dict[str, Any]) -> None:
    told.error, told.state = data["error"], "FAILED"
    if not (data["error"]["type"] and data["error"]["message"] and data["request_id"].startswith("req_")):
        raise Broken("an error without type, message or request id")


def _ping(_: Told, __: dict[str, Any]) -> None:
    pass


_MACHINE: dict[tuple[str, str], Callable[[Told, dict[str, Any]], None]] = {
    ("START", "message_start"): _begin,
    ("BODY", "content_block_start"): _open,
    ("BLOCK", "content_block_delta"): _grow,
    ("BLOCK", "content_block_stop"): _close,
    ("BODY", "message_delta"): _finish,
    ("TAIL", "message_stop"): _end,
    ("BODY", "error"): _fail,
    ("BLOCK", "error"): _fail,
    ("BODY", "ping"): _ping,
    ("BLOCK", "ping"): _ping,
    ("TAIL", "ping"): _ping,
}
"""Every event that may come in every state; all others are wrong. (Nothing we send fails behind `message_delta`.)"""
