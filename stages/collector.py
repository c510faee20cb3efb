"""Canonical events folded into one Message, for clients that do not stream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from stages.canonical.events import (
    BlockStart,
    BlockStop,
    CitationsDelta,
    CompactionDelta,
    Delta,
    FallbackStart,
    JsonDelta,
    MessageEnd,
    SignatureDelta,
    TextDelta,
    ThinkingDelta,
    Usage,
)
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.wire import json, messages_stream

_FIELDS: dict[type, str] = {
    TextDelta: "text",
    ThinkingDelta: "thinking",
    SignatureDelta: "signature",
    JsonDelta: "partial_json",
    CompactionDelta: "content",
}


class Collector:
    """Folds one message; the non-streamed answer is the streamed one, added up.

    After the events have ended, `failure` says why there is no message, or else `message` returns it.
    """

    def __init__(self, plan: AnswerPlan, *, to_write: bool = False) -> None:
        """Prepare a message.

        Args:
            plan: the request's.
            to_write: whether the message is only to be written as JSON, so that a long text may stay in its pieces.
        """
        self._plan = plan
        self._join = _long if to_write else "".join
        self._blocks: list[dict[str, Any]] = []
        self._texts: dict[str, list[str]] = {}
        self._model = plan.model
        self._end: MessageEnd | None = None
        self.failure: Failure | None = None

    @property
    def blocks(self) -> list[dict[str, Any]]:
        """The blocks so far; the last of them may still be open."""
        return self._blocks

    @property
    def usage(self) -> Usage:
        """What a message that has ended cost."""
        return self._end.usage if self._end is not None else Usage()

    @property
    def ended(self) -> bool:
        """Whether the message has had its one ending."""
        return self._end is not None or self.failure is not None

    def collect(self, events: Iterable[BlockStart | Delta | BlockStop | MessageEnd | Failure]) -> None:
        """Take the next events of the message."""
        for event in events:
            field = _FIELDS.get(type(event))
            if field is not None:
                self._texts.setdefault(field, []).append(getattr(event, field))
            elif isinstance(event, BlockStop):
                self._close()
            elif isinstance(event, CitationsDelta):
                self._blocks[-1]["citations"].append(event.citation)
            elif isinstance(event, MessageEnd):
                self._end = event
            elif isinstance(event, Failure):
                self.failure = event
                return
            else:
                self._model = event.model if isinstance(event, FallbackStart) else self._model
                self._blocks.append(messages_stream.content_block(event))  # type: ignore[arg-type] # deltas were handled above

    def message(self) -> dict[str, Any]:
        """Return the whole message; `collect` must have seen its `MessageEnd`."""
        if self._end is None:
            raise RuntimeError("the message has not ended")
        usage = messages_stream.start_usage(self._end.usage) | messages_stream.end_usage(self._end)
        message = {**messages_stream.message_head(self._plan.message_id, self._model, usage), **self._plan.extras}
        ending = messages_stream.ending_fields(self._end) | messages_stream.edits_field(self._plan)
        ending |= messages_stream.transformations_field(self._end)
        return {**message, "content": self._blocks, **ending}

    def _close(self) -> None:
        block, texts = self._blocks[-1], self._texts
        self._texts = {}
        if block["type"] in ("tool_use", "server_tool_use", "mcp_tool_use"):
            block["input"] = _arguments("".join(texts.get("partial_json", ())))
        else:
            block.update((name, self._join(parts)) for name, parts in texts.items())


def _long(parts: list[str]) -> str | json.Long:
    return json.Long(parts) if sum(map(len, parts)) > json.LARGE else "".join(parts)


def _arguments(text: str) -> dict[str, Any] | msgspec.Raw:
    """Parse what the fragments add up to; a call that a limit cut short keeps what can be read of it: nothing."""
    if len(text) > json.LARGE:  # not made only to be written again
        return msgspec.Raw(text.encode()) if json.is_object(text) else {}
    try:
        value = json.decode(text) if text.strip() else {}
    except json.MalformedJson:
        return {}
    return value if isinstance(value, dict) else {}
