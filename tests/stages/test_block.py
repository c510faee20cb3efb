"""A message read flat: all that is ready at once, in order, and never a wait while something is."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from stages.actor import Batch
from stages.block import AnswerEvent, Block, BlockReader
from stages.canonical.events import BLOCK_STOP, Delta, MessageEnd, TextDelta, TextStart, ThinkingDelta, ThinkingStart
from stages.canonical.failure import Failure, Kind

BROKEN = Failure(Kind.UPSTREAM, "Broken.")
END = MessageEnd("end_turn")
Content = trio.MemorySendChannel[Batch[Delta]]


def block(start: TextStart | ThinkingStart, *batches: Batch[Delta], closed: bool = True) -> tuple[Block, Content]:
    """Make a block that holds these batches already."""
    send, receive = trio.open_memory_channel[Batch[Delta]](10)
    for batch in batches:
        send.send_nowait(batch)
    if closed:
        send.close()
    return Block(start, receive), send


def reader(*items: Batch[Block | MessageEnd], closed: bool = True) -> tuple[BlockReader, Any]:
    """Make the reader of a message that has sent these items already."""
    send, receive = trio.open_memory_channel[Batch[Block | MessageEnd]](10)
    for item in items:
        send.send_nowait(item)
    if closed:
        send.close()
    return BlockReader(receive), send


async def test_all_that_is_there_comes_at_once() -> None:
    """A whole message that waits is one list, and after it comes nothing for ever."""
    one, _ = block(ThinkingStart(), (ThinkingDelta("a"), ThinkingDelta("b")), (ThinkingDelta("c"),))
    two, _ = block(TextStart(), (TextDelta("d"),))
    made, _ = reader((one,), (two,), (END,))

    assert await made.receive() == [
        ThinkingStart(),
        ThinkingDelta("a"),
        ThinkingDelta("b"),
        ThinkingDelta("c"),
        BLOCK_STOP,
        TextStart(),
        TextDelta("d"),
        BLOCK_STOP,
        END,
    ]
    assert await made.receive() == []
    assert await made.receive() == []


async def test_it_waits_only_when_nothing_is_there() -> None:
    """What comes later comes with the next call, wherever the message stands."""
    first, content = block(TextStart(), (TextDelta("a"),), closed=False)
    made, send = reader((first,), closed=False)
    got: list[list[AnswerEvent | Failure]] = []

    async def read() -> None:
        while events := await made.receive():
            got.append(events)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        for say in (
            lambda: content.send_nowait((TextDelta("b"),)),
            content.close,
            lambda: send.send_nowait((END,)),
            send.close,
        ):
            await trio.testing.wait_all_tasks_blocked()
            say()

    assert got == [[TextStart(), TextDelta("a")], [TextDelta("b")], [BLOCK_STOP], [END]]


async def test_blocks_are_drained_one_after_another() -> None:
    """A later block waits, though it is ready, until the one before it has ended."""
    first, content = block(ThinkingStart(), closed=False)
    second, _ = block(TextStart(), (TextDelta("later"),))
    made, _ = reader((first, second, END))
    assert await made.receive() == [ThinkingStart()]
    content.send_nowait((ThinkingDelta("first"),))
    assert await made.receive() == [ThinkingDelta("first")]
    content.close()

    assert await made.receive() == [BLOCK_STOP, TextStart(), TextDelta("later"), BLOCK_STOP, END]


@pytest.mark.parametrize("inside", [True, False])
async def test_failures_come_in_their_place(inside: bool) -> None:
    """A failure inside a block or between blocks is one more event."""
    made_block, _ = block(TextStart(), *([(TextDelta("a"), BROKEN)] if inside else [(TextDelta("a"),)]))
    made, _ = reader((made_block,), *(() if inside else ((BROKEN,),)))

    events = await made.receive()
    assert events[:2] == [TextStart(), TextDelta("a")]
    assert events.index(BROKEN) == (2 if inside else 3)


async def test_an_empty_message_is_its_end() -> None:
    """No block is needed."""
    made, _ = reader((END,))

    assert await made.receive() == [END]


async def test_a_channel_that_closes_while_it_is_waited_for_is_an_end() -> None:
    """The writer may vanish at any time without anybody hanging."""
    made, send = reader(closed=False)
    async with trio.open_nursery() as nursery:

        async def close() -> None:
            await trio.testing.wait_all_tasks_blocked()
            send.close()

        nursery.start_soon(close)
        assert await made.receive() == []


async def test_closing_tells_every_writer() -> None:
    """Whoever still writes, to the message, the open block or a waiting one, learns that nobody reads."""
    first, one = block(ThinkingStart(), closed=False)
    second, two = block(TextStart(), closed=False)
    made, send = reader((first, second, END), closed=False)
    await made.receive()
    made.close()

    for channel in (one, two, send):
        with pytest.raises(trio.BrokenResourceError):
            channel.send_nowait((BROKEN,))


async def test_closing_before_anything_came() -> None:
    """A reader may be closed unused."""
    made, send = reader(closed=False)
    made.close()

    with pytest.raises(trio.BrokenResourceError):
        send.send_nowait((END,))
