"""The correlator as a task: it turns the ledger's sequence into channels, and owns the nursery the blocks live in.

Law 2 is the shape of `go_on`: the message's end is sent when `_feed_blocks` has returned, whose nursery holds all
blocks, so none can outlive it, whatever happened inside.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, get_args

import attrs
import trio

from stages.actor import Batch, Inbox, LargeBatch, Outbox, beside
from stages.block import Block
from stages.canonical.events import BlockStart, BlockStop, MessageEnd, ToolUseStart
from stages.canonical.failure import Failure
from stages.correlator.filtered import Filter, PartSource, source_of
from stages.correlator.ledger import Ledger
from stages.correlator.pause import PAUSE, divided, stretch
from stages.correlator.track import Content
from stages.json_buffer import JsonBuffer, buffer_json
from stages.wire.responses_stream import StreamEvent

GROWTH = frozenset(get_args(Content))
"""Pieces of the open block's content, which is what nearly all parts of a message are."""


class _Feeder:
    """Sends each block's content down the block's own channel, one batch per upstream read."""

    def __init__(
        self,
        blocks: trio.Nursery,
        outbox: Outbox[Block | MessageEnd],
        capacity: float,
        buffers: list[JsonBuffer],
    ) -> None:
        self._blocks = blocks
        self._outbox = outbox
        self._capacity = capacity
        self._buffers = buffers
        self._open: trio.MemorySendChannel[Any] | None = None
        self._pending: list[Any] = []

    async def put(self, event: BlockStart | BlockStop) -> None:
        """Take the beginning or the end of a block, which may have to wait here."""
        if isinstance(event, BlockStop):
            await self._end()
        else:
            await self._begin(event)

    def add(self, event: Content) -> None:
        """Take a piece of the open block's content; no task switch for each of them."""
        self._pending.append(event)

    async def flush(self, kind: type[tuple[Any, ...]] = tuple) -> None:
        """Send what this upstream read added to the open block, as a batch of this kind."""
        if self._pending and self._open is not None:
            batch, self._pending = kind(self._pending), []
            try:
                # The next thing this task does is to wait for the upstream: no need to do it here.
                self._open.send_nowait(batch)
            except trio.WouldBlock:
                await self._open.send(batch)

    async def fail(self, failure: Failure) -> None:
        """Send a failure after all that came before it, inside the open block or between blocks; waits for room."""
        await self.flush()
        if self._open is None:
            await self._outbox.send((failure,))
        else:
            await self._open.send((failure,))

    def close(self) -> None:
        """Close the channel of a block that was not finished."""
        if self._open is not None:
            self._open.close()
            self._open = None

    async def _begin(self, start: BlockStart) -> None:
        send, receive = trio.open_memory_channel[Any](self._capacity)
        self._open = send
        if isinstance(start, ToolUseStart):
            buffered, content = trio.open_memory_channel[Any](self._capacity)
            buffer = JsonBuffer(start.omittable)
            self._blocks.start_soon(buffer_json, buffer, receive, buffered)
            self._buffers.append(buffer)
        else:
            content = receive
        try:
            # Without a checkpoint the reader finds the block and what this upstream read put into it together.
            self._outbox.send_nowait((Block(start, content),))
        except trio.WouldBlock:
            await self._outbox.send((Block(start, content),))

    async def _end(self) -> None:
        await self.flush()
        self.close()


async def correlate(
    ledger: Ledger,
    inbox: Inbox[StreamEvent],
    outbox: Outbox[Block | MessageEnd],
    *,
    capacity: float = 16,
    filters: Sequence[Filter] = (),
) -> bool:
    """Run the correlator of one message: upstream events in, blocks and one ending out.

    Args:
        ledger: the bookkeeping of this message, unused so far.
        inbox: the upstream's events, batch by batch.
        outbox: gets each `Block` once the one before it is whole, then the `MessageEnd`, or a `Failure`.
        capacity: batches that a block's channel holds before the correlator waits for its reader.
        filters: what the parts of the message pass on their way, in this order.

    Returns:
        Whether the upstream has said all it had to say; False when it was left in the middle.
    """
    await go_on(source_of(ledger, filters), (), inbox, outbox, capacity)
    return ledger.ended


async def go_on(
    source: PartSource,
    begun: Iterable[Any],
    inbox: Inbox[StreamEvent],
    outbox: Outbox[Block | MessageEnd],
    capacity: float,
) -> None:
    """Run the correlator of a message whose beginning was read by somebody else; waits and ends as `correlate` does.

    Args:
        source: where the parts of the message come from.
        begun: parts of a batch that was read already, and were not told yet.
        inbox: the batches that follow.
        outbox: gets each `Block` once the one before it is whole, then the `MessageEnd`, or a `Failure`.
        capacity: batches that a block's channel holds before the correlator waits for its reader.
    """
    with outbox:
        try:
            buffers: list[JsonBuffer] = []
            ending = await _feed_blocks(source, begun, inbox, outbox, capacity, buffers)
            if isinstance(ending, MessageEnd):
                await outbox.send((_counted(ending, buffers),))
        except* trio.BrokenResourceError:
            pass  # the reader said "do not bother": it has what it needs, or its client has left


def _counted(ending: MessageEnd, buffers: list[JsonBuffer]) -> MessageEnd:
    """Add what the calls' buffers left out; they have all finished by now."""
    left_out = sum(buffer.left_out for buffer in buffers)
    return attrs.evolve(ending, repaired=ending.repaired + left_out) if left_out else ending


async def _feed_blocks(
    source: PartSource,
    begun: Iterable[Any],
    inbox: Inbox[StreamEvent],
    outbox: Outbox[Block | MessageEnd],
    capacity: float,
    buffers: list[JsonBuffer],
) -> MessageEnd | Failure | None:
    async with trio.open_nursery() as blocks:
        feeder = _Feeder(blocks, outbox, capacity, buffers)
        try:
            batches = aiter(inbox)
            ending = await _feed(feeder, begun)
            while ending is None:
                await feeder.flush()
                batch = await next_batch(batches, source)
                if batch is None:
                    return await _feed(feeder, source.cut())
                ending = await (_feed_large if type(batch) is LargeBatch else _feed)(feeder, source.read(batch))
            return ending
        finally:
            feeder.close()  # inside the nursery: the open block's task ends with its channel, and is waited for here


USAGE_TIMEOUT = 0.5
"""Seconds that an answer which has ended waits for what it cost."""


async def next_batch(batches: AsyncIterator[Batch[StreamEvent]], source: PartSource) -> Batch[StreamEvent] | None:
    """The upstream's next events; None at its end.

    Waits for them, but behind the end of an answer for `USAGE_TIMEOUT` at most. Cancelled, there is no going on.
    """
    if not source.ended:
        return await anext(batches, None)
    with trio.move_on_after(USAGE_TIMEOUT):
        return await anext(batches, None)
    return None


async def _feed_large(feeder: _Feeder, parts: Iterable[Any]) -> MessageEnd | Failure | None:
    """Hand parts on as `_feed` does, but work them out beside the loop, and pass on a little of them at a time."""
    rest = divided(parts)
    while some := await beside(stretch, rest):
        ending = await _feed(feeder, some)
        if ending is not None:
            return ending
        await feeder.flush(LargeBatch)
    return None


async def _feed(feeder: _Feeder, parts: Iterable[Any]) -> MessageEnd | Failure | None:
    """Hand parts on, up to the message's end or a failure, which is returned; waits for room in the channels."""
    parts = iter(parts)
    for part in parts:
        if type(part) in GROWTH:
            feeder.add(part)
        elif isinstance(part, MessageEnd):
            return part
        elif isinstance(part, Failure):
            await feeder.fail(part)
            return part
        elif part is PAUSE:
            return await _feed_large(feeder, parts)
        else:
            await feeder.put(part)
    return None
