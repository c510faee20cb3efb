"""A message as it is read: flat and in order, in the task of whoever reads it.

Between the ledger and the reader of a text or a thought nothing has to wait, so there is no channel and no task
between them either: a hop costs more than the translation of an event.  A call is another matter, since its arguments
have a buffer of their own.  With the first one, what is left of the message goes on in blocks: the correlator's actor
takes over in the nursery of the request, and the reader drains the blocks that it makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

import trio

from stages.actor import Batch, Inbox, LargeBatch, beside
from stages.block import AnswerEvent, Block, BlockReader
from stages.canonical.events import MessageEnd, ToolUseStart
from stages.canonical.failure import Failure
from stages.correlator.actor import GROWTH, go_on, next_batch
from stages.correlator.filtered import Filter, source_of
from stages.correlator.ledger import Ledger
from stages.correlator.pause import PAUSE, divided, stretch
from stages.wire.responses_stream import StreamEvent


class MessageReader:
    """Reads one message, as all that one upstream read yields at a time."""

    def __init__(
        self,
        ledger: Ledger,
        inbox: Inbox[StreamEvent],
        nursery: trio.Nursery,
        *,
        capacity: float = 16,
        filters: Sequence[Filter] = (),
    ) -> None:
        """Begin a message.

        Args:
            ledger: the bookkeeping of this message, unused so far.
            inbox: the upstream's events, batch by batch.
            nursery: where the correlator runs once there are blocks; who closes this reader cancels it as well.
            capacity: batches that a channel holds before its writer waits.
            filters: what the parts of the message pass on their way, in this order.
        """
        self._source = source_of(ledger, filters)
        self._inbox = aiter(inbox)
        self._nursery = nursery
        self._capacity = capacity
        self._parts: Iterator[Any] = iter(())
        self._later: Iterator[Any] | None = None
        self._blocks: BlockReader | None = None
        self._over = False

    @property
    def ended(self) -> bool:
        """Whether the upstream has said all it had to say; False when it was left in the middle."""
        return self._source.ended

    async def receive(self) -> list[AnswerEvent | Failure]:
        """Return the next events, at least one; an empty list means that the message has ended.

        Waits for the upstream. Cancelled, the upstream's connection may be of no more use.
        """
        events: list[AnswerEvent | Failure] = []
        while self._blocks is None and not self._over:
            for part in self._parts:
                if type(part) in GROWTH:
                    events.append(part)
                elif self._stops(part, events):
                    break
            if events:
                return events
            if self._blocks is not None:
                break
            if self._later is not None or self._source.ended:
                await self._read_rest()
            else:
                try:  # here, and not in a function of its own: that would be one more to wake for each event
                    batch = await anext(self._inbox)
                except StopAsyncIteration:
                    self._parts = iter(self._source.cut())
                else:
                    self._take(batch)
        return [] if self._blocks is None else await self._blocks.receive()

    def close(self) -> None:
        """Tell the writers of blocks that nobody reads any more."""
        if self._blocks is not None:
            self._blocks.close()

    def _stops(self, part: Any, events: list[AnswerEvent | Failure]) -> bool:
        """Take a part that is no content; tell whether those behind it have to wait, or will never come."""
        if part is PAUSE:
            self._later = divided(self._parts)
        elif type(part) is ToolUseStart:
            self._go_on_in_blocks(part)
        else:
            events.append(part)
            self._over = isinstance(part, MessageEnd | Failure)
            return self._over
        return True

    async def _read_rest(self) -> None:
        """Get what was put off, which is worked out beside the loop, a little at a time, or what follows the end."""
        if self._later is not None:
            some = await beside(stretch, self._later)
            self._parts, self._later = iter(some), self._later if some else None
        elif (batch := await next_batch(self._inbox, self._source)) is None:
            self._parts = iter(self._source.cut())
        else:
            self._take(batch)

    def _take(self, batch: Batch[StreamEvent]) -> None:
        parts = self._source.read(batch)
        if type(batch) is LargeBatch:
            self._later = divided(parts)
        else:
            self._parts = iter(parts)

    def _go_on_in_blocks(self, start: ToolUseStart) -> None:
        # From here on ledger, parts and inbox are the other task's alone; this one reads blocks.
        outbox, inbox = trio.open_memory_channel[Batch[Block | MessageEnd]](self._capacity)
        self._blocks = BlockReader(inbox)
        begun = chain((start,), self._parts, () if self._later is None else chain((PAUSE,), self._later))
        self._nursery.start_soon(go_on, self._source, begun, self._inbox, outbox, self._capacity)
