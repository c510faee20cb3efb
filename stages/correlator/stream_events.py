"""The events of a Responses stream by name: which say something about the content of an item, and which nothing.

What the ledger itself does about items and endings stands at the end of `ledger.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from stages.correlator.call_track import CallTrack
from stages.correlator.message_track import MessageTrack
from stages.correlator.reasoning_track import ReasoningTrack
from stages.tools.server import PROGRESS
from stages.wire.responses_stream import StreamEvent

Handling = tuple[str, Callable[[Any, StreamEvent], None]]
"""The kind of item that an event implies, and what the item's track does with it."""

_DOCUMENTED: dict[str, Handling] = {
    "response.output_text.delta": ("message", MessageTrack.text_delta),
    "response.function_call_arguments.delta": ("function_call", CallTrack.arguments_delta),
    "response.reasoning_summary_text.delta": ("reasoning", ReasoningTrack.summary_delta),
    "response.reasoning_text.delta": ("reasoning", ReasoningTrack.raw_delta),
    "response.refusal.delta": ("message", MessageTrack.refusal_delta),
    "response.custom_tool_call_input.delta": ("function_call", CallTrack.arguments_delta),
    "response.output_text.done": ("message", MessageTrack.text_done),
    "response.refusal.done": ("message", MessageTrack.refusal_done),
    "response.function_call_arguments.done": ("function_call", CallTrack.arguments_done),
    "response.custom_tool_call_input.done": ("function_call", CallTrack.input_done),
    "response.reasoning_summary_text.done": ("reasoning", ReasoningTrack.summary_done),
    "response.reasoning_text.done": ("reasoning", ReasoningTrack.raw_done),
}

_OTHER_NAMES = {
    "output_text": ("text", "content", "message", "output_message"),
    "function_call_arguments": (
        "function_call",
        "function_call.arguments",
        "function_arguments",
        "tool_call",
        "tool_call_arguments",
        "tool_call.arguments",
    ),
    "reasoning_text": ("reasoning", "reasoning_content", "reasoning_content_text", "thinking", "thinking_text"),
    "reasoning_summary_text": ("reasoning_summary",),
}
"""What servers call the content of an item, by what the API calls it."""

CONTENT_EVENTS: dict[str, Handling] = _DOCUMENTED | {
    f"response.{other}.{part}": _DOCUMENTED[f"response.{name}.{part}"]
    for name, others in _OTHER_NAMES.items()
    for other in others
    for part in ("delta", "done")
}
"""Events about the content of one item; nearly all that a stream consists of."""

RUNS: dict[str, tuple[str, Callable[[Any, Sequence[StreamEvent]], None]]] = {
    "response.output_text.delta": ("message", MessageTrack.text_deltas),
    "response.function_call_arguments.delta": ("function_call", CallTrack.arguments_deltas),
    "response.custom_tool_call_input.delta": ("function_call", CallTrack.arguments_deltas),
    "response.reasoning_summary_text.delta": ("reasoning", ReasoningTrack.summary_deltas),
    "response.reasoning_text.delta": ("reasoning", ReasoningTrack.raw_deltas),
}
"""Of these, those that come in runs, and what a track does with a whole run for one part of it."""

MARKS: dict[str, Handling] = {
    "response.content_part.added": ("message", MessageTrack.part_begun),
    "response.content_part.done": ("message", MessageTrack.part_done),
    "response.output_text.annotation.added": ("message", MessageTrack.annotated),
    "response.reasoning_summary_part.added": ("reasoning", ReasoningTrack.summary_begun),
    "response.reasoning_summary_part.done": ("reasoning", ReasoningTrack.summary_ended),
    "response.reasoning_part.added": ("reasoning", ReasoningTrack.raw_begun),
    "response.reasoning_part.done": ("reasoning", ReasoningTrack.raw_ended),
}
"""Events about the parts of an item that is known; of one that is not, they say nothing."""

USAGE_EVENT = "response.usage"
"""The event of those servers that tell the tokens of an answer apart from its end."""

IGNORED_EVENTS = {
    "response.created",
    "response.in_progress",
    "response.queued",
    "keepalive",
    *(f"response.{name}" for name in PROGRESS),
}
"""Events that say nothing the others do not say as well."""
