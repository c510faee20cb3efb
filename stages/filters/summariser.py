"""An answer that is a summary becomes one compaction block, told whole: clients take its one delta for all of it.

What the model thought on the way is left out, as Anthropic leaves it out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import attrs

from stages.canonical.events import BLOCK_STOP, BlockStop, CompactionDelta, CompactionStart, MessageEnd, TextDelta
from stages.canonical.failure import Failure
from stages.wire.summary_seal import seal

_P = TypeVar("_P")

WHOLE = ("end_turn", "stop_sequence")
"""The ends after which an answer is a summary; any other leaves half of one, or none."""


class Summariser:
    """The transducer: parts of a message in; a compaction block and the end out, when the end is known."""

    def __init__(self, tool_changes: tuple[dict[str, Any], ...] | None = None) -> None:
        """Begin with nothing.

        Args:
            tool_changes: those of the conversation that is summed up, told with its summary.
        """
        self._tool_changes = tool_changes
        self._texts: list[str] = []

    def feed(self, part: _P) -> Iterator[_P | CompactionStart | CompactionDelta | BlockStop | MessageEnd]:
        """Take the next part; yield what may pass."""
        if isinstance(part, TextDelta):
            self._texts.append(part.text)
        elif isinstance(part, MessageEnd):
            yield from self._end(part)
        elif isinstance(part, Failure):
            yield part

    def finish(self) -> Iterator[_P]:
        """Let go of nothing: half a summary is none."""
        yield from ()

    def _end(self, end: MessageEnd) -> Iterator[CompactionStart | CompactionDelta | BlockStop | MessageEnd]:
        summary = "".join(self._texts).strip()
        if summary and end.stop_reason in WHOLE:
            yield CompactionStart(seal(summary), self._tool_changes)
            yield CompactionDelta(summary)
            yield BLOCK_STOP
            yield attrs.evolve(end, stop_reason="compaction", stop_sequence=None)
        else:
            yield CompactionStart()  # one without content: the client goes on with what it has
            yield BLOCK_STOP
            yield attrs.evolve(end, stop_reason="compaction" if end.stop_reason in WHOLE else end.stop_reason)
