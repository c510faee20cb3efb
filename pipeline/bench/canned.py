"""What the bench's upstream plays: the bytes of one Responses answer, made before the clock runs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import attrs

from stages.wire import json, sse

WORD = "lorem "
"""What every delta says; so what arrived is counted by counting it, whoever joined or cut the deltas."""

_USAGE = {
    "input_tokens": 5_000,
    "input_tokens_details": {"cached_tokens": 4_000},
    "output_tokens": 200,
    "output_tokens_details": {"reasoning_tokens": 0},
    "total_tokens": 5_200,
}


@attrs.frozen
class Script:
    """The events of an answer as bytes: what comes before its deltas, each delta, and what comes after them."""

    begin: bytes
    deltas: tuple[bytes, ...]
    end: bytes

    @property
    def pieces(self) -> tuple[bytes, ...]:
        """All of it, in the pieces that a paced upstream writes."""
        return (self.begin, *self.deltas, self.end)


@cache
def text_script(deltas: int) -> Script:
    """Say `WORD` so many times."""
    where = {"item_id": "msg_bench", "output_index": 0, "content_index": 0}
    text = WORD * deltas
    begin: list[dict[str, Any]] = [
        *_opening(_message("", "in_progress")),
        {"type": "response.content_part.added", **where, "part": _part("")},
    ]
    delta = {"type": "response.output_text.delta", **where, "delta": WORD, "logprobs": [], "sequence_number": 5}
    end: list[dict[str, Any]] = [
        {"type": "response.output_text.done", **where, "text": text, "logprobs": []},
        {"type": "response.content_part.done", **where, "part": _part(text)},
        *_closing(_message(text, "completed")),
    ]
    return Script(_frames(begin), (_frames([delta]),) * deltas, _frames(end))


@cache
def call_script(deltas: int) -> Script:
    """Call a tool, its arguments cut into so many deltas, at least two."""
    where = {"item_id": "fc_bench", "output_index": 0}
    texts = ['{"content":"', *[WORD] * (deltas - 2), '"}']
    arguments = "".join(texts)
    said = [{"type": "response.function_call_arguments.delta", **where, "delta": text} for text in texts]
    end = [
        {"type": "response.function_call_arguments.done", **where, "arguments": arguments},
        *_closing(_call(arguments, "completed")),
    ]
    return Script(_frames(_opening(_call("", "in_progress"))), tuple(_frames([event]) for event in said), _frames(end))


@cache
def whole_response(deltas: int) -> bytes:
    """The same text as `text_script`, as the JSON body of an answer that is not streamed."""
    return json.encode(_response("completed", [_message(WORD * deltas, "completed")]))


def _frames(events: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(sse.encode(event["type"], json.encode(event)) for event in events)


def _opening(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "response.created", "response": _response("in_progress", [])},
        {"type": "response.in_progress", "response": _response("in_progress", [])},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
    ]


def _closing(item: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": _response("completed", [item])},
    ]


def _response(status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    usage = _USAGE if status == "completed" else None
    return {"id": "resp_bench", "object": "response", "status": status, "output": output, "usage": usage}


def _message(text: str, status: str) -> dict[str, Any]:
    content = [_part(text)] if text else []
    return {"id": "msg_bench", "type": "message", "role": "assistant", "status": status, "content": content}


def _part(text: str) -> dict[str, Any]:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _call(arguments: str, status: str) -> dict[str, Any]:
    identity = {"id": "fc_bench", "type": "function_call", "call_id": "call_bench", "name": "Write"}
    return {**identity, "status": status, "arguments": arguments}
