"""What of an answer rests on a count of ours, since the upstream has no word for it.

That is a limit below what it can be asked for, and the usage of an answer that a stop sequence has ended: the upstream
is left before it tells any.  The exact vocabulary is in a process of its own, which is loaded at the first wish; until
it is there, an estimate counts, and nobody waits for more than one answer from it.
"""

from __future__ import annotations

from typing import Protocol

import attrs

from stages.block import AnswerEvent
from stages.canonical.events import MessageEnd, TextDelta
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.filters.token_limit import TokenLimit

Events = list[AnswerEvent | Failure]
"""What one read of an answer yields."""


class Counting(Protocol):
    """Counts texts of answers, as exactly as can be done at once."""

    def want(self) -> None:
        """Take note that exact counts will be asked for; waits for nothing."""
        ...

    async def tokens(self, text: str) -> int:
        """Count the tokens of a text; waits where another process does it."""
        ...

    async def fitting(self, text: str, limit: int) -> tuple[str, int]:
        """Return the longest beginning of a text that has no more than `limit` tokens, and its tokens; may wait too."""
        ...


class AnswerReader(Protocol):
    """Where the events of an answer come from."""

    async def receive(self) -> Events:
        """Wait for the next events, at least one; an empty list means that there are no more."""
        ...


class CountedReader:
    """Puts into the events of one answer what is counted here; it stands behind everything else that reads them."""

    def __init__(self, reader: AnswerReader, plan: AnswerPlan, counting: Counting) -> None:
        self._reader = reader
        self._counting = counting
        self._limit = None if plan.cut_at is None else TokenLimit(plan.cut_at, counting.fitting)
        self._said: list[str] = []

    async def receive(self) -> Events:
        """Return the next events that pass; waits for them, and for counts."""
        while events := await self._reader.receive():
            if self._limit is not None:
                events = [passed for event in events for passed in await self._limit.feed(event)]
            if events:
                return [await self._told(event) for event in events]
        return []

    async def _told(self, event: AnswerEvent | Failure) -> AnswerEvent | Failure:
        """Tell the end of a stopped answer what it has cost: its text, and the sequence that its client never sees."""
        if isinstance(event, TextDelta):
            self._said.append(event.text)
        elif isinstance(event, MessageEnd) and event.stop_sequence is not None:
            written = await self._counting.tokens("".join(self._said) + event.stop_sequence)
            return attrs.evolve(event, usage=attrs.evolve(event.usage, output_tokens=written))
        return event


def prepare(plan: AnswerPlan, counting: Counting) -> None:
    """Have the vocabulary at hand for an answer that needs it; to be said before the upstream is asked."""
    if plan.cut_at or plan.stop_sequences:
        counting.want()


def with_counts(reader: AnswerReader, plan: AnswerPlan, counting: Counting) -> AnswerReader:
    """Return who reads an answer with what is counted here: the same reader for most, which need no count."""
    return CountedReader(reader, plan, counting) if plan.cut_at is not None or plan.stop_sequences else reader
