"""Emulates `stop_sequences` on the text of an answer: the upstream knows no such thing.

How to think about it.  Text passes as it comes, except for an end that could still become a sequence; that end is held
until the next text decides, so at most the longest sequence less one character waits.  When a sequence is complete, the
text before it passes, the block and the message end, and the upstream is of no use any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from stages.canonical.events import BLOCK_STOP, BlockStop, CitationsDelta, MessageEnd, TextDelta, TextStart, Usage
from stages.canonical.failure import Failure

_P = TypeVar("_P")

_HEADS = (TextStart, CitationsDelta)
_ENDS = (BlockStop, Failure)


class StopScanner:
    """The transducer: parts of a message in, the same parts out, up to the first stop sequence.

    Sequences are looked for in each text block; reasoning and calls are not text.
    """

    def __init__(self, sequences: tuple[str, ...], input_tokens: int, tokens: Callable[[str], int]) -> None:
        """Look for sequences.

        Args:
            sequences: the client's, none of them empty.
            input_tokens: the counted size of the prompt, since a cancelled upstream tells no usage.
            tokens: counts the tokens of a text, for the same reason.
        """
        self._sequences = tuple(dict.fromkeys(sequence for sequence in sequences if sequence))
        self._input_tokens = input_tokens
        self._tokens = tokens
        self._held = ""
        self._start: list[TextStart | CitationsDelta] = []
        self._sent: list[str] = []

    def feed(self, part: _P) -> Iterator[_P | TextStart | CitationsDelta | TextDelta | BlockStop | MessageEnd]:
        """Take the next part; yield what may pass."""
        if isinstance(part, _HEADS):
            self._start.append(part)  # waits for text, because a block may stop before its first character
        elif isinstance(part, TextDelta):
            yield from self._scan(part.text)
        elif isinstance(part, _ENDS):
            yield from self._release(self._held)
            self._held, self._start = "", []
            yield part
        else:
            yield part

    def finish(self) -> Iterator[TextStart | CitationsDelta | TextDelta]:
        """Let go of what was held."""
        yield from self._release(self._held)
        self._held = ""

    def _scan(self, text: str) -> Iterator[TextStart | CitationsDelta | TextDelta | BlockStop | MessageEnd]:
        text = self._held + text
        matches = [(at, -len(sequence), sequence) for sequence in self._sequences if (at := text.find(sequence)) >= 0]
        if matches:
            at, _, sequence = min(matches)
            yield from self._stop(text[:at], sequence)
            return
        held = max((overlap(text, sequence) for sequence in self._sequences), default=0)
        self._held = text[len(text) - held :]
        yield from self._release(text[: len(text) - held])

    def _stop(
        self, text: str, sequence: str
    ) -> Iterator[TextStart | CitationsDelta | TextDelta | BlockStop | MessageEnd]:
        yield from self._release(text)
        if not self._start:
            yield BLOCK_STOP
        usage = Usage(input_tokens=self._input_tokens, output_tokens=self._tokens("".join(self._sent) + sequence))
        yield MessageEnd("stop_sequence", usage, stop_sequence=sequence)

    def _release(self, text: str) -> Iterator[TextStart | CitationsDelta | TextDelta]:
        if not text:
            return
        yield from self._start
        self._start = []
        self._sent.append(text)
        yield TextDelta(text)


def overlap(text: str, sequence: str) -> int:
    """How many characters at the end of `text` are a beginning of `sequence`, but not all of it."""
    longest = min(len(text), len(sequence) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(sequence[:n])), 0)
