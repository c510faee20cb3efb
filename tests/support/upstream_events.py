"""What an upstream says, event by event, for tests that need few words and know exactly when they come."""

from __future__ import annotations

from typing import Any

from tests.support.upstream import events

CREATED = events(
    {"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}},
    {"type": "response.in_progress", "response": {"id": "resp_1", "status": "in_progress"}},
)
"""What OpenAI says at once: nothing."""

KEEPALIVE = events({"type": "keepalive", "sequence_number": 7})
"""What it says while it has nothing to say."""


def text(words: str, index: int = 0) -> bytes:
    """More text of the message with this number."""
    return events(
        {"type": "response.output_text.delta", "item_id": f"msg_{index}", "output_index": index, "delta": words}
    )


def thought(words: str, index: int = 0) -> bytes:
    """More of a reasoning's summary."""
    kind = "response.reasoning_summary_text.delta"
    return events({"type": kind, "item_id": f"rs_{index}", "output_index": index, "summary_index": 0, "delta": words})


def call(arguments: str, index: int = 0) -> bytes:
    """The beginning of a call, and the first of its arguments."""
    item = {"type": "function_call", "id": f"fc_{index}", "call_id": f"call_{index}", "name": "Bash", "arguments": ""}
    kind = "response.function_call_arguments.delta"
    return events(
        {"type": "response.output_item.added", "output_index": index, "item": item},
        {"type": kind, "item_id": f"fc_{index}", "output_index": index, "delta": arguments},
    )


def call_done(arguments: str, index: int = 0) -> bytes:
    """The whole of a call."""
    item = {"type": "function_call", "id": f"fc_{index}", "call_id": f"call_{index}", "name": "Bash"}
    return events({"type": "response.output_item.done", "output_index": index, "item": item | {"arguments": arguments}})


def completed(**fields: Any) -> bytes:
    """The response's good end."""
    return events({"type": "response.completed", "response": {"status": "completed", "output": [], **fields}})


def error(code: str = "server_error", message: str = "It broke.") -> bytes:
    """An `error` event, nested as recorded."""
    return events({"type": "error", "error": {"type": code, "code": code, "message": message}})


def failed(code: str = "server_error", message: str = "It broke.") -> bytes:
    """A response that failed."""
    return events(
        {"type": "response.failed", "response": {"status": "failed", "error": {"code": code, "message": message}}}
    )
