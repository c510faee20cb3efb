"""Canonical events become the bytes of an Anthropic stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Any

from stages.canonical.events import (
    BlockStart,
    BlockStop,
    CitationsDelta,
    CompactionDelta,
    CompactionStart,
    Delta,
    FallbackStart,
    JsonDelta,
    MessageEnd,
    ResultStart,
    ServerToolUseStart,
    SignatureDelta,
    TextDelta,
    TextStart,
    ThinkingDelta,
    ThinkingStart,
    ToolUseStart,
    Usage,
)
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.wire import json, messages_stream


class Encoder:
    """Writes one message as a stream; blocks are numbered as they come.

    `ended` becomes true with the message's one ending; nothing may be encoded after it.
    """

    def __init__(self, plan: AnswerPlan, request_id: str) -> None:
        """Prepare a message.

        Args:
            plan: the request's plan.
            request_id: what an `error` event repeats from the response's `request-id` header.
        """
        self._plan = plan
        self._request_id = request_id
        self._index = -1
        self._open: BlockStart | None = None
        self._deltas: dict[type, tuple[bytes, Callable[[Any], str], bytes]] = {}
        self._begun = False
        self.ended = False

    def encode(self, events: Iterable[BlockStart | Delta | BlockStop | MessageEnd | Failure]) -> bytes:
        """Write events as frames, `message_start` before the first, all joined for one write."""
        frames = [] if self._begun else [self.begin()]
        for event in events:
            delta = self._deltas.get(type(event))
            if delta is not None:
                head, text, tail = delta
                frames += (head, json.quote(text(event)), tail)
                continue
            frames.append(_RARE[type(event)](self, event))
            if self.ended:
                break  # what a failed block's channel still says, its end for one, is not part of the stream
        return b"".join(frames)

    def begin(self) -> bytes:
        """Write `message_start`, with the counted size of the prompt; empty if it has been written."""
        if self._begun:
            return b""
        self._begun = True
        usage = messages_stream.start_usage(Usage(input_tokens=self._plan.input_tokens))
        message = {**messages_stream.message_head(self._plan.message_id, self._plan.model, usage), **self._plan.extras}
        return messages_stream.frame({"type": "message_start", "message": message})

    def ping(self) -> bytes:
        """Write a ping, which must not come before `message_start`."""
        return self.begin() + messages_stream.PING

    def progress_delta(self) -> bytes:
        """Write what resets a client's idle clock: an empty delta of the open block's kind, or else a ping.

        Claude Code gives up on a stream after 600 s of pings alone.
        """
        kind = _EMPTY.get(type(self._open))
        if kind is None:
            return self.ping()
        head, _, tail = self._deltas[kind]
        return head + b'""' + tail

    def _start(self, start: BlockStart) -> bytes:
        self._index += 1
        self._open = start
        self._deltas = {kind: (head % self._index, text, tail) for kind, ((head, tail), text) in _DELTAS.items()}
        block = {
            "type": "content_block_start",
            "index": self._index,
            "content_block": messages_stream.content_block(start),
        }
        # Where the real API pings: once, right behind the first start.
        return messages_stream.frame(block) + (messages_stream.PING if self._index == 0 else b"")

    def _cite(self, delta: CitationsDelta) -> bytes:
        return messages_stream.citations_delta(self._index, delta.citation)

    def _sum_up(self, delta: CompactionDelta) -> bytes:
        return messages_stream.compaction_delta(self._index, delta.content)

    def _stop(self, _: BlockStop) -> bytes:
        self._open = None
        return messages_stream.block_stop(self._index)

    def _end(self, end: MessageEnd) -> bytes:
        self.ended = True
        delta = {
            "type": "message_delta",
            "delta": messages_stream.ending_fields(end),
            "usage": messages_stream.end_usage(end),
            **messages_stream.edits_field(self._plan),
            **messages_stream.transformations_field(end),
        }
        return messages_stream.frame(delta) + messages_stream.MESSAGE_STOP

    def _fail(self, failure: Failure) -> bytes:
        self.ended = True
        return messages_stream.frame(messages_stream.error(failure, self._request_id))


_DELTAS: dict[type, tuple[tuple[bytes, bytes], Callable[[Any], str]]] = {
    TextDelta: (messages_stream.TEXT_DELTA, attrgetter("text")),
    ThinkingDelta: (messages_stream.THINKING_DELTA, attrgetter("thinking")),
    JsonDelta: (messages_stream.JSON_DELTA, attrgetter("partial_json")),
    SignatureDelta: (messages_stream.SIGNATURE_DELTA, attrgetter("signature")),
}
"""The hot frames: template, and the one string that varies."""

_EMPTY: dict[type, type] = {
    TextStart: TextDelta,
    ThinkingStart: ThinkingDelta,
    ToolUseStart: JsonDelta,
    ServerToolUseStart: JsonDelta,
}
"""The delta that an open block can grow by without growing."""

_RARE: dict[type, Callable[[Encoder, Any], bytes]] = {
    TextStart: Encoder._start,
    ThinkingStart: Encoder._start,
    ToolUseStart: Encoder._start,
    ServerToolUseStart: Encoder._start,
    ResultStart: Encoder._start,
    CompactionStart: Encoder._start,
    FallbackStart: Encoder._start,
    CompactionDelta: Encoder._sum_up,
    CitationsDelta: Encoder._cite,
    BlockStop: Encoder._stop,
    MessageEnd: Encoder._end,
    Failure: Encoder._fail,
}
"""The events that come a few times a message."""
