"""The correlator as a task: channels of channels, the nursery of the blocks, and every way to end."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from stages.actor import Batch, LargeBatch
from stages.block import AnswerEvent, Block, BlockReader
from stages.canonical.events import (
    BLOCK_STOP,
    ArgumentsDone,
    JsonDelta,
    MessageEnd,
    TextDelta,
    TextStart,
    ToolUseStart,
    Usage,
)
from stages.canonical.failure import Failure, Kind
from stages.canonical.omittable import OmittableMember, OmittableMembers
from stages.canonical.plan import AnswerPlan
from stages.correlator.actor import USAGE_TIMEOUT, correlate
from stages.correlator.filtered import Filter
from stages.correlator.ledger import Ledger
from stages.correlator.pause import MANY, PAUSE, SLICE
from stages.correlator.reader import MessageReader
from stages.filters.stop_scanner import StopScanner
from stages.wire import json, responses_stream
from stages.wire.responses_stream import StreamEvent

PLAN = AnswerPlan("msg_1", "claude", "gpt")
BROKEN = Failure(Kind.UPSTREAM, "Broken.")
Batches = Sequence[Batch[StreamEvent]]


def delta(text: str, index: int = 0) -> StreamEvent:
    """More text of one item."""
    return StreamEvent("response.output_text.delta", output_index=index, delta=text)


def done(item: dict[str, Any], index: int = 0) -> StreamEvent:
    """A whole item."""
    return StreamEvent("response.output_item.done", output_index=index, item=responses_stream.dump(item))


CALL = done({"type": "function_call", "id": "fc", "call_id": "call_1", "name": "f", "arguments": '{"a":1}'}, 1)
BAD_CALL = done({"type": "function_call", "id": "fc", "call_id": "call_1", "name": "f", "arguments": "nonsense"}, 1)
END = StreamEvent(
    "response.completed", response=responses_stream.dump({"status": "completed", "usage": {"output_tokens": 3}})
)
ENDED = MessageEnd("end_turn", Usage(output_tokens=3))


class Script:
    """An inbox that plays batches, one a turn, and then ends or waits for ever."""

    def __init__(self, batches: Batches, *, hangs: bool = False) -> None:
        self._batches = iter(batches)
        self._hangs = hangs

    def __aiter__(self) -> AsyncIterator[Batch[StreamEvent]]:
        return self

    async def __anext__(self) -> Batch[StreamEvent]:
        await trio.lowlevel.checkpoint()
        for batch in self._batches:
            return batch
        if self._hangs:
            await trio.sleep_forever()
        raise StopAsyncIteration


async def run(
    *batches: Batch[StreamEvent],
    capacity: float = 16,
    outer: float = 16,
    filters: Sequence[Filter] = (),
    plan: AnswerPlan = PLAN,
) -> tuple[list[AnswerEvent | Failure], bool]:
    """Correlate a script; return the message as a reader sees it, and whether the upstream had ended."""
    outbox, blocks = trio.open_memory_channel[Batch[Block | MessageEnd]](outer)
    reader = BlockReader(blocks)
    events: list[AnswerEvent | Failure] = []
    ended: list[bool] = []

    async def correlating() -> None:
        ended.append(await correlate(Ledger(plan), Script(batches), outbox, capacity=capacity, filters=filters))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(correlating)
        while got := await reader.receive():
            events += got
    return events, ended[0]


@pytest.mark.parametrize("capacity", [0, 1, 16])
@pytest.mark.parametrize("outer", [0, 1, 16])
async def test_a_message_of_text_and_call(capacity: float, outer: float) -> None:
    """Blocks come in order with what they hold, the ending last, whatever the channels hold."""
    events, ended = await run((delta("a"), delta("b")), (delta("c"),), (CALL,), (END,), capacity=capacity, outer=outer)

    assert events == [
        TextStart(),
        TextDelta("a"),
        TextDelta("b"),
        TextDelta("c"),
        BLOCK_STOP,
        ToolUseStart("toolu_call_1", "f"),
        JsonDelta(""),
        JsonDelta('{"a":1}'),
        BLOCK_STOP,
        MessageEnd("tool_use", Usage(output_tokens=3)),
    ]
    assert ended


@pytest.mark.parametrize("capacity", [0, 1, 16])
async def test_arguments_are_repaired_by_their_schema(capacity: float) -> None:
    """Each call by its own tool's; the ending tells how many members were left out, in its calls and by its filters."""
    plan = attrs.evolve(PLAN, omittables={"f": OmittableMembers({"a": OmittableMember(null=True)})})
    calls = [
        done(
            {
                "type": "function_call",
                "id": f"fc_{index}",
                "call_id": f"call_{index}",
                "name": name,
                "arguments": '{"a":null}',
            },
            index,
        )
        for index, name in enumerate("fgf")
    ]
    ending = StreamEvent("response.completed", response=responses_stream.dump({"status": "completed"}))

    events, _ = await run(*((event,) for event in (*calls, ending)), capacity=capacity, plan=plan)

    told = [event.partial_json for event in events if isinstance(event, JsonDelta) and event.partial_json]
    assert told == ["{}", '{"a":null}', "{}"]
    assert isinstance(events[-1], MessageEnd)
    assert events[-1].repaired == 2


async def test_all_in_one_batch_is_the_same() -> None:
    """One upstream read may hold a whole answer."""
    assert await run((delta("a"), delta("b"), CALL, END)) == await run((delta("a"),), (delta("b"),), (CALL,), (END,))


async def test_an_empty_answer_is_its_end() -> None:
    """No block, one ending."""
    assert await run((END,)) == ([ENDED], True)


@pytest.mark.parametrize("after", [(), (delta("later"),)])
async def test_what_follows_the_ending_is_not_read(after: Batch[StreamEvent]) -> None:
    """The ending is the last thing, whatever the upstream adds."""
    events, _ = await run((delta("a"),), (END, *after), (delta("later"),))

    assert events == [TextStart(), TextDelta("a"), BLOCK_STOP, ENDED]


@pytest.mark.parametrize("before", [(), (delta("a"),)])
async def test_a_failure_follows_what_came_before_it(before: Batch[StreamEvent]) -> None:
    """Inside the open block or before any, and nothing but the block's end comes after it."""
    events, ended = await run((*before, BROKEN, delta("never")))

    assert events == ([TextStart(), TextDelta("a"), BROKEN, BLOCK_STOP] if before else [BROKEN])
    assert not ended


async def test_a_failure_between_blocks() -> None:
    """When no block is open, the failure stands by itself."""
    finished = done({"type": "message", "content": [{"type": "output_text", "text": "a"}]})

    assert (await run((delta("a"),), (finished,), (BROKEN,)))[0] == [TextStart(), TextDelta("a"), BLOCK_STOP, BROKEN]


@pytest.mark.parametrize("before", [(), ((delta("a"),),)])
async def test_a_stream_that_ends_without_an_ending_was_cut(before: Batches) -> None:
    """Silence is never a clean ending."""
    events, ended = await run(*before)
    (failure,) = [event for event in events if isinstance(event, Failure)]

    assert failure.cause == "stream_cut"
    assert not any(isinstance(event, MessageEnd) for event in events)
    assert not ended


async def test_a_call_whose_arguments_are_no_json_fails_inside_its_block() -> None:
    """The buffer's failure travels in the block's own channel."""
    events, _ = await run((BAD_CALL, END))

    assert events[:3] == [ToolUseStart("toolu_call_1", "f"), JsonDelta(""), JsonDelta("nonsense")]
    assert isinstance(events[3], Failure)


class Shout:
    """A filter that ends the message at the first question mark, and else makes text loud."""

    def feed(self, part: Any) -> Iterator[Any]:
        """Take the next part."""
        if part == TextDelta("?"):
            yield BLOCK_STOP
            yield MessageEnd("stop_sequence")
        else:
            yield TextDelta(part.text.upper()) if isinstance(part, TextDelta) else part

    def finish(self) -> Iterator[Any]:
        """Nothing is held back."""
        yield from ()


async def test_filters_change_what_passes() -> None:
    """Each part of the message goes through them."""
    events, ended = await run((delta("a"), CALL), (END,), filters=[Shout()])

    assert events[:3] == [TextStart(), TextDelta("A"), BLOCK_STOP]
    assert isinstance(events[-1], MessageEnd)
    assert ended


async def test_a_filter_may_end_the_message_early() -> None:
    """The upstream was left in the middle, and the caller is told."""
    events, ended = await run((delta("a"), delta("?"), delta("never")), (END,), filters=[Shout()])

    assert events == [TextStart(), TextDelta("A"), BLOCK_STOP, MessageEnd("stop_sequence")]
    assert not ended


async def test_a_reader_that_has_left_ends_it_quietly() -> None:
    """Closing the message's channel, or a block's, means "do not bother"."""
    for depth in (0, 1):
        outbox, blocks = trio.open_memory_channel[Batch[Block | MessageEnd]](0)
        reader = BlockReader(blocks)
        batches = [(delta("a"),), (delta("b"),), (delta("c"),), (CALL,), (END,)]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(correlate, Ledger(PLAN), Script(batches), outbox)
            if depth:
                await reader.receive()
            reader.close()


async def test_cancelling_leaves_nothing_behind() -> None:
    """Wherever it waits, the channels are closed and no buffer runs on (law 5)."""
    for batches in ([], [(delta("a"),)], [(CALL,)], [(delta("a"), CALL)]):
        outbox, blocks = trio.open_memory_channel[Batch[Block | MessageEnd]](0)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(correlate, Ledger(PLAN), Script(batches, hangs=True), outbox)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()

        with pytest.raises(trio.EndOfChannel):
            blocks.receive_nowait()


async def test_no_block_outlives_the_message() -> None:
    """The ending is sent only after the last buffer has said all (law 2)."""
    outbox, blocks = trio.open_memory_channel[Batch[Block | MessageEnd]](16)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(correlate, Ledger(PLAN), Script([(CALL, END)]), outbox)
        ((block,),) = [await blocks.receive()]
        assert isinstance(block, Block)
        assert isinstance(await blocks.receive(), tuple)

        assert block.content.statistics().open_send_channels == 0
        content = [event async for batch in block.content for event in batch]
        assert content == [JsonDelta(""), JsonDelta('{"a":1}')]


async def test_a_cut_stream_loses_nothing_that_a_filter_holds() -> None:
    """A stop scanner waits to see whether `X` begins its sequence; when nothing more comes, the client gets it."""
    events, ended = await run((delta("abcX"),), filters=[StopScanner(("XYZ",), 0)])

    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "abcX"
    assert next(event for event in events if isinstance(event, Failure)).cause == "stream_cut"
    assert not ended


def _many() -> tuple[StreamEvent, ...]:
    """A text of several slices, and calls that are all told again at the end."""
    message = {"type": "message", "id": "m", "content": [{"type": "output_text", "text": "word " * SLICE}]}
    calls = [
        {"type": "function_call", "id": f"fc_{n}", "call_id": f"c_{n}", "name": "f", "arguments": json.encode({"a": n})}
        for n in range(2 * MANY)
    ]
    calls[0]["arguments"] = json.encode({"a": "b" * 3 * SLICE})
    items = [message, *({**call, "arguments": call["arguments"].decode()} for call in calls)]  # type: ignore[attr-defined]
    response = responses_stream.dump({"status": "completed", "output": items, "usage": {"output_tokens": 3}})
    end = StreamEvent("response.completed", response=response)
    return (*(done(item, at) for at, item in enumerate(items[:MANY])), end)


@pytest.mark.parametrize("capacity", [0, 16])
async def test_what_is_large_is_the_same_message(capacity: float) -> None:
    """Worked out beside the loop, in slices, and with the rest of an end that says that it is long."""
    plain = [part for part in Ledger(PLAN).read(_many()) if part is not PAUSE]

    events, ended = await run(LargeBatch(_many()), capacity=capacity)

    def texts(parts: Sequence[Any], kind: type, field: str) -> str:
        return "".join(getattr(part, field) for part in parts if isinstance(part, kind))

    assert ended
    assert events[-1] == plain[-1]
    assert texts(events, TextDelta, "text") == texts(plain, TextDelta, "text")
    assert texts(events, JsonDelta, "partial_json") == texts(plain, ArgumentsDone, "text")
    assert sum(isinstance(event, ToolUseStart) for event in events) == 2 * MANY
    assert max(len(event.text) for event in events if isinstance(event, TextDelta)) == SLICE


CALL_ADDED = StreamEvent(
    "response.output_item.added",
    item=responses_stream.dump({"type": "function_call", "call_id": "c", "name": "f"}),
)


@pytest.mark.parametrize("calls", [False, True])
async def test_what_an_answer_cost_is_not_waited_for_long(
    calls: bool,
    autojump_clock: trio.testing.MockClock,  # noqa: ARG001 - a clock that jumps need not be spoken to
) -> None:
    """A server that tells no tokens, and keeps its connection open, holds nobody up."""
    unpaid = StreamEvent("response.completed", response=responses_stream.dump({"status": "completed"}))
    send, receive = trio.open_memory_channel[Any](1)
    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        reader = MessageReader(Ledger(PLAN), receive, nursery)
        await send.send((CALL_ADDED if calls else delta("a"), unpaid))
        events = [event async for event in _all_of(reader)]
        reader.close()

    assert isinstance(events[-1], MessageEnd)
    assert trio.current_time() - begun == USAGE_TIMEOUT


async def _all_of(reader: MessageReader) -> AsyncIterator[Any]:
    while batch := await reader.receive():
        for event in batch:
            yield event
