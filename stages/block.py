"""A content block as its reader sees it, and the reader of a whole message.

Blocks are a channel of channels: the correlator hands over the receiving end of each block in order, and whoever reads
drains one block after another.  So blocks can never interleave, and none can outlive the message.
"""

from __future__ import annotations

import attrs
import trio

from stages.actor import Batch
from stages.canonical.events import BLOCK_STOP, BlockStart, BlockStop, Delta, MessageEnd
from stages.canonical.failure import Failure


@attrs.frozen
class Block:
    """How a content block starts, and the channel its content arrives on; the channel's end is the block's."""

    start: BlockStart
    content: trio.MemoryReceiveChannel[Batch[Delta]]


AnswerEvent = BlockStart | Delta | BlockStop | MessageEnd
"""What an encoder or a collector is fed, in the order of the message."""


class BlockReader:
    """Reads a channel of channels as one flat sequence of events, without ever waiting while something is ready.

    One call to `receive` returns all that is there now, so that all that one upstream read yielded leaves as one
    write; it waits only when nothing is.
    """

    def __init__(self, blocks: trio.MemoryReceiveChannel[Batch[Block | MessageEnd]]) -> None:
        self._blocks = blocks
        self._queue: list[Block | MessageEnd | Failure] = []
        self._open: trio.MemoryReceiveChannel[Batch[Delta]] | None = None

    async def receive(self) -> list[AnswerEvent | Failure]:
        """Return the next events, at least one; an empty list means that the message has ended.

        Waits only while nothing is ready. Cancelled then, it has taken nothing: the next call goes on where this one
        was, which is what lets a sink be woken and read on.
        """
        events: list[AnswerEvent | Failure] = []
        while True:
            try:
                if not self._take(events):
                    return events
            except trio.WouldBlock:
                if events:
                    return events
                await self._wait(events)

    def close(self) -> None:
        """Tell the writers that nobody reads any more."""
        if self._open is not None:
            self._open.close()
        for item in self._queue:
            if isinstance(item, Block):
                item.content.close()
        self._blocks.close()

    def _take(self, events: list[AnswerEvent | Failure]) -> bool:
        """Move what is ready into `events`; False once nothing can follow."""
        if self._open is not None:
            try:
                events.extend(self._open.receive_nowait())
            except trio.EndOfChannel:
                self._open = None
                events.append(BLOCK_STOP)
        elif self._queue:
            self._begin(self._queue.pop(0), events)
        else:
            try:
                self._queue.extend(self._blocks.receive_nowait())
            except trio.EndOfChannel:
                return False
        return True

    async def _wait(self, events: list[AnswerEvent | Failure]) -> None:
        """Wait for one batch, from wherever the next one must come; cancelled, the channel still has it."""
        try:
            if self._open is not None:
                events.extend(await self._open.receive())
            else:
                self._queue.extend(await self._blocks.receive())
        except trio.EndOfChannel:
            return  # the next look sees the same end and draws the consequence

    def _begin(self, item: Block | MessageEnd | Failure, events: list[AnswerEvent | Failure]) -> None:
        if isinstance(item, Block):
            self._open = item.content
            events.append(item.start)
        else:
            events.append(item)
