"""The reader of a message: what it yields is what the correlator's blocks would have said, and who says it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from functools import partial

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from stages.actor import Batch
from stages.block import AnswerEvent, Block, BlockReader
from stages.canonical.events import BLOCK_STOP, MessageEnd, TextDelta, TextStart, ToolUseStart
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.correlator import Ledger, MessageReader, correlate
from stages.correlator.pause import MANY, STRETCH
from stages.filters.stop_scanner import StopScanner
from stages.upstream_reader import Framing
from stages.wire.responses_stream import StreamEvent
from tests.support.running import TIGHT
from tests.support.streams import Stream, streams
from tests.support.upstream import events as framed
from tests.support.upstream_events import CREATED, call, text

PLAN = AnswerPlan("msg_1", "claude", "gpt")


class Inbox:
    """Yields batches, one a turn; None leaves the reader waiting."""

    def __init__(self, batches: Sequence[Batch[StreamEvent] | None]) -> None:
        self._batches = iter(batches)

    def __aiter__(self) -> AsyncIterator[Batch[StreamEvent]]:
        return self

    async def __anext__(self) -> Batch[StreamEvent]:
        await trio.lowlevel.checkpoint()
        for batch in self._batches:
            if batch is None:
                await trio.sleep_forever()
            else:
                return batch
        raise StopAsyncIteration


def batches(*pieces: bytes) -> list[Batch[StreamEvent]]:
    """Read pieces of a body as batches."""
    framing = Framing()
    return [tuple(read) for piece in pieces if (read := framing.feed(piece))]


async def read(told: Sequence[Batch[StreamEvent]], capacity: int) -> list[list[AnswerEvent | Failure]]:
    """Read a message to its end, all that each turn brings."""
    got: list[list[AnswerEvent | Failure]] = []
    async with trio.open_nursery() as nursery:
        reader = MessageReader(Ledger(PLAN), Inbox(told), nursery, capacity=capacity)
        while events := await reader.receive():
            got.append(events)
        assert await reader.receive() == []
    return got


async def through_blocks(told: Sequence[Batch[StreamEvent]], capacity: int) -> list[AnswerEvent | Failure]:
    """Read a message from the correlator's blocks alone."""
    outbox, inbox = trio.open_memory_channel[Batch[Block | MessageEnd]](capacity)
    reader, got = BlockReader(inbox), list[AnswerEvent | Failure]()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(correlate, Ledger(PLAN), Inbox(told), outbox, capacity=capacity))
        while events := await reader.receive():
            got += events
    return got


def heard(events: list[AnswerEvent | Failure]) -> list[AnswerEvent | Failure]:
    """What anybody listens to: a failure ends it, and what its block has to say behind is for nobody."""
    failed = next((at for at, event in enumerate(events) if isinstance(event, Failure)), len(events))
    return events[: failed + 1]


@given(stream=streams(), capacity=st.sampled_from(TIGHT), size=st.sampled_from((1, 3, 1000)))
def test_the_same_as_through_blocks(stream: Stream, capacity: int, size: int) -> None:
    """Whatever the message is made of, and however it is cut."""
    told = batches(*(framed(*stream.events[at : at + size]) for at in range(0, len(stream.events), size)))
    flat = [event for events in trio.run(read, told, capacity) for event in events]

    assert heard(flat) == heard(trio.run(through_blocks, told, capacity))


@pytest.mark.parametrize("capacity", TIGHT)
async def test_a_text_needs_no_task(capacity: int) -> None:
    """Nobody but the reader has anything to do; a call has its actors."""
    done = framed({"type": "response.output_item.done", "output_index": 0, "item": {"type": "message", "id": "msg_0"}})
    said = batches(CREATED + text("a"), text("b"), done + call('{"a": ', 1))
    async with trio.open_nursery() as nursery:
        reader = MessageReader(Ledger(PLAN), Inbox([*said, None]), nursery, capacity=capacity)
        first = [await reader.receive(), await reader.receive()]
        assert not nursery.child_tasks
        later = await reader.receive()
        while not any(isinstance(event, ToolUseStart) for event in later):
            later += await reader.receive()
        assert len(nursery.child_tasks) == 1
        nursery.cancel_scope.cancel()

    assert first == [[TextStart(), TextDelta("a")], [TextDelta("b")]]
    assert later[0] == BLOCK_STOP


async def test_the_end_of_many_items_is_told_piece_by_piece() -> None:
    """It is worked out beside the loop, and others are looked after between two pieces of it."""
    items = [{"type": "message", "id": f"m{at}", "content": f"{at}"} for at in range(3 * MANY)]
    told = batches(framed({"type": "response.completed", "response": {"status": "completed", "output": items}}))

    got = await read(told, 16)

    assert isinstance(got[-1][-1], MessageEnd)
    assert max(sum(isinstance(event, TextStart) for event in events) for events in got) <= STRETCH
    assert sum(isinstance(event, TextStart) for events in got for event in events) == len(items)


async def test_a_call_behind_much_goes_on_in_blocks() -> None:
    """What was put off is handed over with it."""
    items: list[dict[str, object]] = [{"type": "message", "id": f"m{at}", "content": f"{at}"} for at in range(2 * MANY)]
    items.append({"type": "function_call", "id": "fc", "call_id": "c", "name": "f", "arguments": '{"a": 1}'})
    items.append({"type": "message", "id": "last", "content": "bye"})
    told = batches(framed({"type": "response.completed", "response": {"status": "completed", "output": items}}))

    flat = [event for events in await read(told, 0) for event in events]

    assert flat == await through_blocks(told, 0)
    assert sum(isinstance(event, TextStart) for event in flat) == 2 * MANY + 1


async def test_a_filter_ends_it_early() -> None:
    """What the upstream goes on to say is not read, and it has not ended."""
    async with trio.open_nursery() as nursery:
        scanner = StopScanner(("stop",), 1)
        reader = MessageReader(Ledger(PLAN), Inbox([*batches(text("so stop it")), None]), nursery, filters=[scanner])
        events = await reader.receive()
        assert await reader.receive() == []

    assert isinstance(events[-1], MessageEnd)
    assert not reader.ended
