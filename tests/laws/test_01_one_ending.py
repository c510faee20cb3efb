"""Law 1. One ending: every message ends exactly once, with `message_stop` or with one `error`."""

from __future__ import annotations

from functools import partial

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from stages.actor import Batch
from stages.block import BlockReader
from stages.canonical.events import MessageEnd
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.correlator import Ledger, correlate
from stages.wire.responses_stream import StreamEvent
from tests.support import grammar
from tests.support.running import TIGHT, answer
from tests.support.streams import COMPLETED, INCOMPLETE, Stream, agree, streams
from tests.support.upstream import events as frame


@given(stream=streams(), capacity=st.sampled_from(TIGHT), one_by_one=st.booleans())
def test_a_message_ends_exactly_once(stream: Stream, capacity: int, *, one_by_one: bool) -> None:
    """Whatever the upstream says, the client's stream has one ending, and it is the right one."""
    reads = [frame(event) for event in stream.events] if one_by_one else [stream.body]
    reply = trio.run(partial(answer, *reads, capacity=capacity))
    assert reply.ended
    if reply.status != 200:
        assert stream.stop_reason is None
        assert reply.json()["type"] == "error"
        return
    told = grammar.read(reply.body)
    assert told.ended
    agree(told, stream)


@given(stream=streams(), capacity=st.sampled_from(TIGHT))
def test_a_client_that_does_not_stream_gets_one_answer(stream: Stream, capacity: int) -> None:
    """The same answers folded: a whole message with its stop reason, or an error with a status, never both or half."""
    reply = trio.run(partial(answer, stream.body, capacity=capacity, stream=False))
    assert reply.ended
    assert len(reply.writes) == 1
    said = reply.json()
    if stream.stop_reason is None:
        assert (reply.status >= 400, said["type"]) == (True, "error")
    else:
        assert (reply.status, said["type"], said["stop_reason"]) == (200, "message", stream.stop_reason)


@given(stream=streams(statuses=(COMPLETED, INCOMPLETE)), part=st.floats(0, 1), capacity=st.sampled_from(TIGHT))
def test_a_cut_never_ends_well(stream: Stream, part: float, capacity: int) -> None:
    """Bytes that stop before the end of the terminal event's payload never become a clean ending."""
    body = stream.body.rstrip(b"\n")
    reply = trio.run(partial(answer, body[: int(part * (len(body) - 1))], capacity=capacity))
    assert reply.ended
    if reply.status == 200:
        assert grammar.read(reply.body).error is not None
    else:
        assert reply.json()["type"] == "error"


@given(stream=streams(), more=streams(), capacity=st.sampled_from(TIGHT))
def test_what_follows_an_ending_is_not_heard(stream: Stream, more: Stream, capacity: int) -> None:
    """An upstream that goes on after its terminal event, with another answer or the same one, changes nothing."""
    if stream.body == b"" or not stream.events[-1]["type"].startswith(("response.completed", "response.incomplete")):
        return
    reply = trio.run(partial(answer, stream.body + more.body + stream.body, b"data: [DONE]\n\n", capacity=capacity))
    if reply.status == 200:
        agree(grammar.read(reply.body), stream)


@pytest.mark.parametrize("capacity", TIGHT)
@pytest.mark.parametrize("read", [0, 1, 3])
async def test_no_ending_is_sent_behind_one(capacity: int, read: int) -> None:
    """The correlator closes its channel right behind the ending, whether that came in a read of its own or not."""
    done = StreamEvent(type="response.completed")
    text = StreamEvent(type="response.output_text.delta", item_id="m", output_index=0, delta="x")
    wrong = StreamEvent(type="error")
    batches: list[Batch[StreamEvent]] = [(text,) * read + (done, wrong, done), (wrong, done)]
    send, receive = trio.open_memory_channel[Batch[StreamEvent]](2)
    outbox, blocks = trio.open_memory_channel[Batch[object]](capacity)
    for batch in batches:
        send.send_nowait(batch)
    heard: list[object] = []
    with trio.fail_after(5), send, receive, blocks:
        async with trio.open_nursery() as nursery:
            plan = AnswerPlan("msg_1", "m", "m")
            nursery.start_soon(partial(correlate, Ledger(plan), receive, outbox, capacity=capacity))
            reader = BlockReader(blocks)  # type: ignore[arg-type] # the same
            while events := await reader.receive():
                heard += events
    endings = [event for event in heard if isinstance(event, MessageEnd | Failure)]
    assert len(endings) == 1
    assert heard[-1] is endings[0]
