"""Text becomes text blocks; white space in front of a block waits for something to see.

A block of white space alone could not be sent back: Anthropic refuses it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from stages.canonical.events import BLOCK_STOP, BlockStop, CitationsDelta, TextDelta, TextStart

TextEvent = TextStart | CitationsDelta | TextDelta | BlockStop
"""What the text becomes."""


def _plain(_: int) -> Sequence[TextEvent]:
    return (TextStart(),)


class TextBlocks:
    """Writes one block after another; `open` is whether one has begun."""

    def __init__(self) -> None:
        """Begin with none."""
        self.open = False
        self._blank: list[str] = []

    def write(self, text: str, opening: Callable[[int], Sequence[TextEvent]] = _plain) -> list[TextEvent]:
        """Say more text.

        Args:
            text: it.
            opening: how a block begins whose first piece of text has this many characters.
        """
        if self.open:
            return [TextDelta(text)]
        self._blank.append(text)
        if text.isspace():
            return []
        whole, self._blank, self.open = "".join(self._blank), [], True
        return [*opening(len(whole)), TextDelta(whole)]

    def close(self) -> list[TextEvent]:
        """End the open block, if there is one; white space that still waits comes in front of the next."""
        if not self.open:
            return []
        self.open = False
        return [BLOCK_STOP]

    def forget(self) -> None:
        """Drop white space that no block will follow."""
        self._blank.clear()
