"""An answer that is there as a whole, such as a line of a batch's output, read by the stages of every other."""

from __future__ import annotations

from typing import Any

import trio

from pipeline.request.counted import Counting, with_counts
from pipeline.request.upstream_call import filters_of
from stages.actor import Batch
from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import AnswerPlan
from stages.collector import Collector
from stages.correlator import Ledger, MessageReader
from stages.upstream_reader import events_of
from stages.wire.responses_stream import StreamEvent


class _Once:
    """An inbox with one batch in it."""

    def __init__(self, batch: Batch[StreamEvent]) -> None:
        self._left = [batch]

    def __aiter__(self) -> _Once:
        return self

    async def __anext__(self) -> Batch[StreamEvent]:
        """Return the batch, then end; never waits."""
        if not self._left:
            raise StopAsyncIteration
        return self._left.pop()


async def read_answer(response: Any, plan: AnswerPlan, counting: Counting) -> dict[str, Any] | Failure:
    """Turn a whole response into a Message, or say why it is none.

    Waits for its own stages, and for what is counted; cancelled, all of them end.

    Args:
        response: the upstream's response object.
        plan: how to read it.
        counting: counts what the upstream does not.
    """
    collector, inbox = Collector(plan), _Once(tuple(events_of(response, plan)))
    async with trio.open_nursery() as nursery:
        reader = MessageReader(Ledger(plan), inbox, nursery, filters=filters_of(plan))
        try:
            events = with_counts(reader, plan, counting)
            while not collector.ended and (batch := await events.receive()):
                collector.collect(batch)
        finally:
            reader.close()  # before the nursery ends: it waits for writers, and they for a reader
    if collector.failure is not None or not collector.ended:
        return collector.failure or Failure(Kind.UPSTREAM, "The upstream's answer is not finished.")
    return collector.message()
