"""Answers in the shapes of Chat Completions, read as those of the Responses API.

Nobody asked for them: gateways that translate requests and forget the answers send them, whole or as chunks.
Source: the reference of Chat Completions (`chat.completion`, `chat.completion.chunk`), and `reasoning_content` of the
servers that show what they think.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stages.wire import responses_stream
from stages.wire.lenient import listed, mapping, objects, text
from stages.wire.responses_stream import StreamEvent

_THOUGHTS = ("reasoning_content", "reasoning", "reasoning_text")
_MESSAGE, _REASONING = "chat_message", "chat_reasoning"
# Ids of the items that chunks never name.


def is_chat(value: Any) -> bool:
    """Whether a body or a payload is one of Chat Completions: it has choices, if maybe none of them yet."""
    fields = mapping(value)
    return isinstance(fields.get("choices"), list) and "output" not in fields


def error_in(value: dict[str, Any]) -> Any:
    """The error that a body or a chunk tells, beside its choices or in one; None where all is well."""
    choices = objects(value.get("choices"))
    told = next(filter(None, (value.get("error"), *(choice.get("error") for choice in choices))), None)
    failed = any(choice.get("finish_reason") == "error" for choice in choices)
    return told or ({"error": {"code": "server_error"}} if failed else None)


def response_of(body: dict[str, Any]) -> dict[str, Any]:
    """The response that a whole chat completion is: its message is an item, and why it ended the reason."""
    choice = next(iter(objects(body.get("choices"))), {})
    message = mapping(choice.get("message") or choice.get("delta"))
    return {
        "object": "response",
        "output": [{**message, "type": "message"}] if message else [],
        "finish_reason": choice.get("finish_reason"),
        "usage": body.get("usage"),
        "error": error_in(body),
    }


class Chunks:
    """The transducer of a stream of chunks: they become deltas, and what they end with the end of a response."""

    def __init__(self) -> None:
        """Begin with none."""
        self._reason: Any = None
        self._usage: Any = None

    def feed(self, chunk: dict[str, Any]) -> Iterator[StreamEvent]:
        """Take one chunk; yield the events that say the same."""
        self._usage = chunk.get("usage") or self._usage
        for choice in objects(chunk.get("choices"))[:1]:
            delta = mapping(choice.get("delta") or choice.get("message"))
            for name in _THOUGHTS:
                yield from _said("reasoning_text", _REASONING, delta.get(name))
            yield from _said("output_text", _MESSAGE, delta.get("content"))
            for call in objects(delta.get("tool_calls")):
                yield from self._called(call)
            self._reason = choice.get("finish_reason") or self._reason
        if self._usage and self._reason is None and not chunk.get("choices"):
            yield StreamEvent("response.usage", usage=responses_stream.dump(self._usage))

    def finish(self) -> Iterator[StreamEvent]:
        """Take note that the stream has ended: well, if a chunk said why."""
        if self._reason is not None:
            ending = {"finish_reason": self._reason, "usage": self._usage}
            yield StreamEvent("response.completed", response=responses_stream.dump(ending))
        self._reason = None

    def _called(self, call: dict[str, Any]) -> Iterator[StreamEvent]:
        """A piece of a call: the first one names it, the others know it by its index."""
        ident = f"chat_call_{call.get('index') or 0}"
        function = mapping(call.get("function"))
        if name := text(function.get("name")):
            item = {"type": "function_call", "id": ident, "call_id": text(call.get("id")), "name": name}
            yield StreamEvent("response.output_item.added", item=responses_stream.dump(item))
        yield from _said("function_call_arguments", ident, function.get("arguments"))


def _said(kind: str, ident: str, value: Any) -> Iterator[StreamEvent]:
    words = "".join(text(mapping(part).get("text")) for part in listed(value)) or text(value)
    if words:
        yield StreamEvent(f"response.{kind}.delta", item_id=ident, delta=words)
