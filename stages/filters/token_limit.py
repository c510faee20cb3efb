"""Cuts an answer at fewer tokens than the upstream can be asked for.

The Responses API takes no `max_output_tokens` below 16, Anthropic's clients ask for 1 (probes) or 0 (which warms the
cache and wants no answer at all).  The upstream is asked for its minimum, and what is too much is cut off here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import attrs

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

_P = TypeVar("_P")

_HEADS = (TextStart, CitationsDelta)
_OTHER_BLOCKS = (ThinkingStart, ToolUseStart)


class TokenLimit:
    """The transducer: parts of a message in, the same parts out while they fit into the limit.

    Text is cut inside; a call or reasoning that begins after the limit is left out, and one that began before it
    passes, since half a call is none.  The end still comes from the upstream, with what it cost; only its reason
    changes.
    """

    def __init__(self, limit: int, tokens: Callable[[str], int]) -> None:
        """Allow `limit` tokens of text, as `tokens` counts them; 0 lets nothing pass but the end."""
        self._limit = limit
        self._tokens = tokens
        self._text = ""
        self._spent = 0
        self._start: list[TextStart | CitationsDelta] = []
        self._closed = limit <= 0
        self._skipping = False
        self._cut = self._closed

    def feed(self, part: _P) -> Iterator[_P | TextStart | CitationsDelta | TextDelta | BlockStop | MessageEnd]:
        """Take the next part; yield what may pass."""
        if isinstance(part, MessageEnd):
            yield self._end(part) if self._cut else part
        elif isinstance(part, _HEADS):
            self._start.append(part)
        elif isinstance(part, TextDelta):
            yield from self._pass(part.text)
        elif isinstance(part, _OTHER_BLOCKS):
            self._skipping = self._closed
            self._cut = self._cut or self._skipping
            if not self._skipping:
                yield part
        elif isinstance(part, BlockStop):
            yield from self._block_stop()
        elif isinstance(part, Failure) or not self._skipping:
            yield part

    def finish(self) -> Iterator[_P]:
        """Nothing is held back."""
        yield from ()

    def _block_stop(self) -> Iterator[BlockStop]:
        """End a block that has passed; one that was skipped, or cut off before, has ended already."""
        open_block = not self._start and not self._skipping
        self._start, self._skipping = [], False
        if open_block:
            yield BLOCK_STOP

    def _pass(self, text: str) -> Iterator[TextStart | CitationsDelta | TextDelta]:
        if self._closed:
            self._cut = True
            return
        fitting = self._fitting(text)
        if fitting:
            yield from self._start
            self._start = []
            self._text += fitting
            yield TextDelta(fitting)
        if len(fitting) < len(text):
            self._closed = self._cut = True

    def _fitting(self, text: str) -> str:
        """The longest beginning of `text` that the limit still allows.

        Tokens of pieces add up to no less than those of the whole, so the whole is counted only near the limit.
        """
        self._spent += self._tokens(text)
        if self._spent <= self._limit:
            return text
        low, high = 0, len(text)
        while low < high:
            middle = (low + high + 1) // 2
            self._spent = self._tokens(self._text + text[:middle])
            if self._spent <= self._limit:
                low = middle
            else:
                high = middle - 1
        self._spent = self._tokens(self._text + text[:low])
        return text[:low]

    def _end(self, end: MessageEnd) -> MessageEnd:
        """Change the reason, not the usage: what the upstream wrote was paid for, though not all of it is shown."""
        return end if end.stop_reason == "refusal" else attrs.evolve(end, stop_reason="max_tokens")
