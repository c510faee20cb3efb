"""Law 3. Blocks are whole, ordered, numbered 0, 1, 2 ... and never interleaved, whatever order the upstream speaks in.

That numbers count up and blocks do not interleave is what `grammar.read` insists on; here it is fed the worst.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from tests.support import grammar
from tests.support.client import Reply
from tests.support.items import Event, Item, Style, calls, messages, reasonings
from tests.support.running import TIGHT, answer
from tests.support.streams import COMPLETED, Stream, agree, content_of, interleaved, plain, streams
from tests.support.upstream import Step, events

OPENAI = Style()
ENDING: Event = {"type": "response.completed", "response": {"status": "completed", "output": []}}
_ITEMS = st.lists(st.sampled_from((reasonings, messages, calls)), min_size=2, max_size=5).flatmap(
    lambda kinds: st.tuples(*(kind(OPENAI, index, listed=False) for index, kind in enumerate(kinds)))
)


def _told(body: Sequence[Event], capacity: int, size: int) -> list[dict[str, Any]]:
    """Run events, `size` of them at a time; return the content that the client read."""
    steps = [events(*body[at : at + size]) for at in range(0, len(body), size)]
    reply = trio.run(partial(answer, *steps, capacity=capacity))
    assert reply.status == 200, reply.body
    told = grammar.read(reply.body)
    assert told.error is None, told.error
    return [plain(block) for block in told.content]


@given(stream=streams(statuses=(COMPLETED,)), capacity=st.sampled_from(TIGHT), size=st.sampled_from((1, 2, 1000)))
def test_any_stream_in_any_order(stream: Stream, capacity: int, size: int) -> None:
    """A stream whose items speak all at once becomes its blocks, one after the other, in order of appearance."""
    steps = [events(*stream.events[at : at + size]) for at in range(0, len(stream.events), size)]
    reply = trio.run(partial(answer, *steps, capacity=capacity))

    agree(grammar.read(reply.body), stream)


@given(data=st.data(), items=_ITEMS, capacity=st.sampled_from(TIGHT), size=st.sampled_from((1, 4)))
def test_order_is_all_that_interleaving_can_change(
    data: st.DataObject, items: tuple[Item, ...], capacity: int, size: int
) -> None:
    """Two mixtures in which the items appear in one order give the same content."""
    firsts = [item.events[0] for item in items]
    rest = [Item(item.events[1:], item.final) for item in items]
    one, other = (data.draw(interleaved(rest)) for _ in range(2))

    first = _told([*firsts, *one, ENDING], capacity, size)

    assert first == _told([*firsts, *other, ENDING], 16, 1)
    assert first == list(content_of(items))


def _mixtures(queues: tuple[tuple[Event, ...], ...]) -> Iterator[tuple[Event, ...]]:
    """All the ways to mix queues that keep the order of each."""
    if not any(queues):
        yield ()
    for at, queue in enumerate(queues):
        if queue:
            left = (*queues[:at], queue[1:], *queues[at + 1 :])
            yield from ((queue[0], *more) for more in _mixtures(left))


def _call(index: int) -> tuple[Event, ...]:
    place = {"item_id": f"fc_{index}", "output_index": index}
    item = {"type": "function_call", "id": f"fc_{index}", "call_id": f"call_{index}", "name": "Bash"}
    delta = "response.function_call_arguments.delta"
    return (
        {"type": "response.output_item.added", "output_index": index, "item": {**item, "arguments": ""}},
        {"type": delta, **place, "delta": '{"n":'},
        {"type": delta, **place, "delta": f"{index}}}"},
        {"type": "response.output_item.done", "output_index": index, "item": {**item, "arguments": f'{{"n":{index}}}'}},
    )


@pytest.mark.parametrize("capacity", TIGHT)
def test_every_mixture_of_two_calls(capacity: int) -> None:
    """Parallel calls in all 70 mixtures: two whole blocks, the one that was announced first before the other."""
    mixtures = list(_mixtures((_call(0), _call(1))))
    assert len(mixtures) == 70
    for mixture in mixtures:
        content = _told([*mixture, ENDING], capacity, 1)
        order = sorted((0, 1), key=lambda index: mixture.index(_call(index)[0]))
        assert [(b["id"], b["partial_json"]) for b in content] == [(f"toolu_call_{n}", f'{{"n":{n}}}') for n in order]


@given(stream=streams(), capacity=st.sampled_from(TIGHT))
def test_the_whole_message_is_the_streamed_one(stream: Stream, capacity: int) -> None:
    """A client that does not stream gets the same blocks in the same order, or the failure's own status."""
    reply = trio.run(partial(answer, stream.body, capacity=capacity, stream=False))
    message = reply.json()
    if stream.stop_reason is None:
        assert (message["type"], reply.status >= 400) == ("error", True)
        return
    streamed = grammar.read(trio.run(partial(answer, stream.body, capacity=capacity)).body)
    assert message["stop_reason"] == streamed.delta["stop_reason"]
    assert [block["type"] for block in message["content"]] == [block["type"] for block in streamed.content]
    for block, other in zip(message["content"], streamed.content, strict=True):
        shared = block.keys() & other.keys()
        assert {key: block[key] for key in shared} == {key: other[key] for key in shared}


@pytest.mark.parametrize("capacity", TIGHT)
async def test_the_one_whose_turn_it_is_is_not_held_back(capacity: int) -> None:
    """What the open block gets is written at once, however much waits behind it."""
    first, second = _call(0), _call(1)
    gate, reply = trio.Event(), Reply()
    steps: list[Step] = [events(first[0], *second, first[1]), gate, events(*first[2:], ENDING)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(answer, *steps, capacity=capacity, reply=reply))
        await trio.testing.wait_all_tasks_blocked()
        told = grammar.read(reply.body, whole=False)
        assert [block["partial_json"] for block in told.content] == ['{"n":']
        gate.set()
    assert [block["id"] for block in grammar.read(reply.body).content] == ["toolu_call_0", "toolu_call_1"]
