"""Law 2. No block outlives `message_stop`: the stop is sent after the block nursery's `async with` has closed."""

from __future__ import annotations

from functools import partial
from typing import Any

import attrs
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from stages.block import Block
from stages.canonical.events import MessageEnd
from stages.canonical.plan import AnswerPlan
from stages.correlator import Ledger, correlate
from stages.wire import json, responses_stream
from stages.wire.responses_stream import StreamEvent
from tests.support import grammar
from tests.support.running import TIGHT, answer
from tests.support.streams import COMPLETED, INCOMPLETE, Stream, streams
from tests.support.upstream_events import call, call_done, completed, text

PLAN = AnswerPlan("msg_1", "claude-sonnet-5-5", "gpt-6")
CALL = call('{"a": ') + call_done('{"a": 1}') + completed()
"""A message of one call."""


def _batches(body: bytes, size: int) -> list[tuple[StreamEvent, ...]]:
    """Cut a stream into batches of `size` events."""
    payloads = [json.encode(event) for event in _events(body)]
    parsed = [responses_stream.decode(payload) for payload in payloads]
    return [tuple(parsed[at : at + size]) for at in range(0, len(parsed), size)]


def _events(body: bytes) -> list[Any]:
    return [json.decode(frame.split(b"data: ", 1)[1]) for frame in body.split(b"\n\n") if frame]


class _Inbox:
    """Yields batches with a checkpoint before each, as a connection does."""

    def __init__(self, batches: list[tuple[StreamEvent, ...]]) -> None:
        self._batches = iter(batches)

    def __aiter__(self) -> _Inbox:
        return self

    async def __anext__(self) -> tuple[StreamEvent, ...]:
        await trio.lowlevel.checkpoint()
        for batch in self._batches:
            return batch
        raise StopAsyncIteration


@attrs.frozen
class Run:
    """A correlator at work.

    Attributes:
        task: the task it runs in.
        inbox: what it hands out, batch by batch.
    """

    task: trio.lowlevel.Task
    inbox: trio.MemoryReceiveChannel[Any]

    @property
    def blocks_alive(self) -> int:
        """How many tasks of blocks live."""
        return sum(len(nursery.child_tasks) for nursery in self.task.child_nurseries)


def _start(nursery: trio.Nursery, body: bytes, capacity: int, size: int = 1) -> Run:
    send, receive = trio.open_memory_channel[Any](capacity)
    inbox = _Inbox(_batches(body, size))
    before = nursery.child_tasks
    nursery.start_soon(partial(correlate, Ledger(PLAN), inbox, send, capacity=capacity))
    (task,) = nursery.child_tasks - before
    return Run(task, receive)


async def _at_the_end(body: bytes, capacity: int, size: int) -> None:
    """Read a message in order, and look around when its end is handed out."""
    ends = 0
    async with trio.open_nursery() as nursery:
        run = _start(nursery, body, capacity, size)
        async for batch in run.inbox:
            for part in batch:
                if isinstance(part, Block):
                    async for _ in part.content:
                        assert not ends, "content after the end"
                else:
                    assert isinstance(part, MessageEnd)
                    ends += 1
                    assert not run.task.child_nurseries, "the end overtook the nursery of the blocks"
    assert ends == 1


@given(
    stream=streams(statuses=(COMPLETED, INCOMPLETE)),
    capacity=st.sampled_from(TIGHT),
    size=st.sampled_from((1, 3, 1000)),
)
def test_the_nursery_has_closed_when_the_end_is_sent(stream: Stream, capacity: int, size: int) -> None:
    """Whoever is handed the end of a message finds that the tasks of its blocks, and their nursery, are gone."""
    trio.run(_at_the_end, stream.body, capacity, size)


@pytest.mark.parametrize("capacity", [0, 1])
async def test_a_block_that_is_not_read_holds_back_the_end(capacity: int) -> None:
    """While a block's task cannot hand its content over, no end is sent, however long that takes."""
    async with trio.open_nursery() as nursery:
        run = _start(nursery, CALL, capacity)
        ((block,),) = [await run.inbox.receive()]
        await trio.testing.wait_all_tasks_blocked()
        assert run.blocks_alive == 1
        with pytest.raises(trio.WouldBlock):
            run.inbox.receive_nowait()

        content = "".join([delta.partial_json async for batch in block.content for delta in batch])
        (end,) = await run.inbox.receive()

    assert content == '{"a": 1}'
    assert isinstance(end, MessageEnd)


@pytest.mark.parametrize("capacity", TIGHT)
async def test_a_reader_that_goes_away_ends_the_blocks(capacity: int) -> None:
    """Whoever closes the channels ends the correlator, and with it every block."""
    async with trio.open_nursery() as nursery:
        run = _start(nursery, text("hi") + CALL, capacity)
        ((block,),) = [await run.inbox.receive()]
        block.content.close()
        run.inbox.close()

    assert run.blocks_alive == 0


@given(stream=streams(), capacity=st.sampled_from(TIGHT))
def test_a_stopped_message_has_no_open_block(stream: Stream, capacity: int) -> None:
    """In the client's bytes every block is closed before the message stops, and none begins after that."""
    reply = trio.run(partial(answer, stream.body, capacity=capacity))
    if reply.status != 200:
        return
    told = grammar.read(reply.body)
    if told.error is None:
        assert told.whole == len(told.content)
        assert told.names[-2:] == ["message_delta", "message_stop"]


class _Bug(_Inbox):
    """Hands out its batches, and then breaks in a way that nobody has foreseen."""

    async def __anext__(self) -> tuple[StreamEvent, ...]:
        try:
            return await super().__anext__()
        except StopAsyncIteration:
            raise RuntimeError("a bug") from None


@pytest.mark.parametrize("capacity", TIGHT)
@pytest.mark.parametrize("begun", [text("hi"), call('{"a": ')], ids=["text", "call"])
async def test_a_bug_while_a_block_is_open_sends_no_end(begun: bytes, capacity: int) -> None:
    """An exception leaves through the nursery: the block's channel closes, and no end pretends that all was well."""
    send, receive = trio.open_memory_channel[Any](capacity)
    heard: list[object] = []

    async def run() -> None:
        async with trio.open_nursery() as nursery:
            inbox = _Bug(_batches(begun, 1))
            nursery.start_soon(partial(correlate, Ledger(PLAN), inbox, send, capacity=capacity))
            nursery.start_soon(_listen, receive, heard)

    with trio.fail_after(5), receive, pytest.raises(ExceptionGroup) as caught:
        await run()
    assert caught.group_contains(RuntimeError, match="a bug")
    assert not [part for part in heard if not isinstance(part, Block)]


async def _listen(inbox: trio.MemoryReceiveChannel[Any], heard: list[object]) -> None:
    async for batch in inbox:
        heard += batch
        for part in batch:
            async for _ in part.content:
                pass


@pytest.mark.parametrize("capacity", TIGHT)
async def test_a_block_that_fails_at_its_end_takes_the_place_of_the_stop(capacity: int) -> None:
    """A call may turn out to be none when its last byte is there and the end is on its way: no stop follows."""
    reply = await answer(call("[") + call_done("[1]") + completed(), capacity=capacity)
    told = grammar.read(reply.body)
    assert told.error is not None
    assert told.whole == 0
