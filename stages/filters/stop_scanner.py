"""Emulates `stop_sequences` on the text of an answer: the upstream knows no such thing.

How to think about it.  Text passes as it comes, except for an end that could still become a sequence; that end is held
until the next text decides, so at most the longest sequence less one character waits.  When a sequence is complete, the
text before it passes, the block and the message end, and the upstream is of no use any more.  The first to be complete
counts, as for a model that is stopped while it writes; of several that end together it is the longest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from stages.canonical.events import BLOCK_STOP, BlockStop, CitationsDelta, MessageEnd, TextDelta, TextStart, Usage
from stages.canonical.failure import Failure
from stages.filters.sequences import Searcher

_P = TypeVar("_P")

_HEADS = (TextStart, CitationsDelta)
_ENDS = (BlockStop, Failure)


class StopScanner:
    """The transducer: parts of a message in, the same parts out, up to the first stop sequence.

    Sequences are looked for in each text block; reasoning and calls are not text.
    """

    def __init__(self, sequences: tuple[str, ...], input_tokens: int) -> None:
        """Look for sequences.

        Args:
            sequences: the client's, none of them empty.
            input_tokens: the counted size of the prompt, since an upstream that is left tells no usage. For the same
                reason, what was written is to be counted by whoever sees the end.
        """
        self._searcher = Searcher(filter(None, sequences))
        self._input_tokens = input_tokens
        self._held = ""
        self._start: list[TextStart | CitationsDelta] = []

    def feed(self, part: _P) -> Iterator[_P | TextStart | CitationsDelta | TextDelta | BlockStop | MessageEnd]:
        """Take the next part; yield what may pass."""
        if isinstance(part, _HEADS):
            self._start.append(part)  # waits for text, because a block may stop before its first character
        elif isinstance(part, TextDelta):
            yield from self._scan(part.text)
        elif isinstance(part, _ENDS):
            yield from self._release(self._held)
            self._held, self._start = "", []
            self._searcher.restart()
            yield part
        else:
            yield part

    def finish(self) -> Iterator[TextStart | CitationsDelta | TextDelta]:
        """Let go of what was held."""
        yield from self._release(self._held)
        self._held = ""

    def _scan(self, text: str) -> Iterator[TextStart | CitationsDelta | TextDelta | BlockStop | MessageEnd]:
        before, found = len(self._held), self._searcher.feed(text)
        text = self._held + text
        if found is not None:
            yield from self._stop(text[: before + found.end - len(found.text)], found.text)
            return
        passes = len(text) - self._searcher.depth
        self._held = text[passes:]
        yield from self._release(text[:passes])

    def _stop(
        self, text: str, sequence: str
    ) -> Iterator[TextStart | CitationsDelta | TextDelta | BlockStop | MessageEnd]:
        yield from self._release(text)
        if not self._start:
            yield BLOCK_STOP
        yield MessageEnd("stop_sequence", Usage(input_tokens=self._input_tokens), stop_sequence=sequence)

    def _release(self, text: str) -> Iterator[TextStart | CitationsDelta | TextDelta]:
        if not text:
            return
        yield from self._start
        self._start = []
        yield TextDelta(text)
