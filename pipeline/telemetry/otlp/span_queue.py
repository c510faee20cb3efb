"""Spans that have ended wait here, in a bounded deque, for a trio task that posts them in batches.

The SDK's own processor exports from a thread, which holds up the loop while it encodes, and in a burst loses spans
although there was room for them. Here encoding is cut into small pieces, between which everybody else has a turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import trio
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor

from pipeline.telemetry.otlp.posting import Post

SPANS_A_POST = 64
"""Spans of one post."""

SPANS_AT_A_STRETCH = 8
"""Spans that are encoded at a stretch: less than a millisecond."""

ROOM = 4096
"""Spans that wait at most."""

DELAY = 2.0
"""Seconds that a span waits for others at most."""

LAST_POSTS = 5.0
"""Seconds that posting may take once the server has stopped."""


class SpanQueue(SpanProcessor):
    """Takes spans as they end, and posts them.

    Args:
        post: where they go.
        dropped: called with the number of spans that were lost.
        room: spans that may wait.
    """

    def __init__(self, post: Post, dropped: Callable[[int], None], room: int = ROOM) -> None:
        self._post = post
        self._dropped = dropped
        self._room = room
        self._waiting: deque[ReadableSpan] = deque()
        self._some = trio.Event()
        self._enough = trio.Event()

    def __len__(self) -> int:
        """How many spans wait."""
        return len(self._waiting)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span that is sampled, if there is room; called by the SDK, on the loop."""
        if span.context is None or not span.context.trace_flags.sampled:
            return
        if len(self._waiting) >= self._room:
            self._dropped(1)
            return
        self._waiting.append(span)
        self._some.set()
        if len(self._waiting) >= SPANS_A_POST:
            self._enough.set()

    async def run(self) -> None:
        """Post batches until cancelled; then what still waits is posted, for a few seconds at most.

        Waits for spans, for company for them, and for the receiver; shielded at the end, for the receiver alone.
        """
        try:
            while True:
                await self._some.wait()
                with trio.move_on_after(DELAY):
                    await self._enough.wait()
                await self._post_waiting()
        finally:
            with trio.move_on_after(LAST_POSTS, shield=True):
                await self._post_waiting()
            self._lose(len(self._waiting))
            self._waiting.clear()
            with trio.move_on_after(1, shield=True):
                await self._post.aclose()

    async def _post_waiting(self) -> None:
        """Post all that waits. Cancelled, the batch under way waits again: it may arrive twice, but it is not lost."""
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(SPANS_A_POST, len(self._waiting)))]
            try:
                sent = await self._post.send(await encoded(batch))
            except trio.Cancelled:
                self._waiting.extendleft(reversed(batch))
                raise
            except Exception:  # noqa: BLE001 - whatever is wrong with telemetry, requests go on
                sent = False
            if not sent:
                self._lose(len(batch))
        self._some, self._enough = trio.Event(), trio.Event()

    def _lose(self, count: int) -> None:
        if count:
            self._dropped(count)


async def encoded(spans: Sequence[ReadableSpan]) -> bytes:
    """Write spans as the body of a post; lets others have their turn in between.

    Protocol buffers that follow each other are one message with all of their repeated fields, so pieces need no joint.
    """
    body = bytearray()
    for begin in range(0, len(spans), SPANS_AT_A_STRETCH):
        body += encode_spans(spans[begin : begin + SPANS_AT_A_STRETCH]).SerializeToString()
        await trio.lowlevel.checkpoint()
    return bytes(body)
