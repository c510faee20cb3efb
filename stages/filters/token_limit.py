"""Cuts an answer at fewer tokens than the upstream can be asked for.

The Responses API takes no `max_output_tokens` below 16, Anthropic's clients ask for 1 (probes) or 0 (which warms the
cache and wants no answer at all).  The upstream is asked for its minimum, and what is too much is cut off here.

Whoever counts exactly may be in another process, so a text is held until its block ends, which is sixteen tokens at
most, and is asked about once.  That waits, which no other filter does: this one stands behind them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import attrs

from stages.block import AnswerEvent
from stages.canonical.events import (
    BLOCK_STOP,
    BlockStop,
    CitationsDelta,
    MessageEnd,
    TextDelta,
    TextStart,
    ThinkingStart,
    ToolUseStart,
)
from stages.canonical.failure import Failure

Fitting = Callable[[str, int], Awaitable[tuple[str, int]]]
"""A text and a number of tokens in; the longest beginning of the text that has no more, and how many it has, out."""

_HEADS = (TextStart, CitationsDelta)
_OTHER_BLOCKS = (ThinkingStart, ToolUseStart)


class TokenLimit:
    """Events of a message in, the same events out while they fit into the limit.

    Text is cut inside; a call or reasoning that begins after the limit is left out, and one that began before it
    passes, since half a call is none.  The end still comes from the upstream, with what it cost; only its reason
    changes.
    """

    def __init__(self, limit: int, fitting: Fitting) -> None:
        """Allow `limit` tokens of text, as `fitting` counts them; 0 lets nothing pass but the end."""
        self._left = limit
        self._fitting = fitting
        self._head: list[AnswerEvent] = []
        self._text: list[str] = []
        self._closed = limit <= 0
        self._skipping = False
        self._cut = self._closed

    async def feed(self, event: AnswerEvent | Failure) -> list[AnswerEvent | Failure]:
        """Take the next event; return what may pass.  Waits for the count where a text has ended."""
        if isinstance(event, _HEADS):
            self._head.append(event)
        elif isinstance(event, TextDelta):
            self._text.append(event.text)
        elif isinstance(event, BlockStop):
            return await self._end_block()
        elif isinstance(event, Failure):
            return [*await self._fitting_text(), event]
        elif isinstance(event, MessageEnd):
            return [self._end(event) if self._cut else event]
        else:
            if isinstance(event, _OTHER_BLOCKS):
                self._skipping = self._closed
                self._cut = self._cut or self._skipping
            return [] if self._skipping else [event]
        return []

    async def _end_block(self) -> list[AnswerEvent | Failure]:
        """Let a block end if any of it has passed."""
        if self._head:
            passing = await self._fitting_text()
            return [*passing, BLOCK_STOP] if passing else []
        skipped, self._skipping = self._skipping, False
        return [] if skipped else [BLOCK_STOP]

    async def _fitting_text(self) -> list[AnswerEvent | Failure]:
        """Let the beginning of the held text pass that still fits, behind its block's start; nothing if none does."""
        head, text = self._head, "".join(self._text)
        self._head, self._text = [], []
        passing, spent = ("", 0) if self._closed else await self._fitting(text, self._left)
        self._left -= spent
        if len(passing) < len(text):
            self._closed = self._cut = True
        return [*head, TextDelta(passing)] if passing else []

    def _end(self, end: MessageEnd) -> MessageEnd:
        """Change the reason, not the usage: what the upstream wrote was paid for, though not all of it is shown."""
        return end if end.stop_reason == "refusal" else attrs.evolve(end, stop_reason="max_tokens")
