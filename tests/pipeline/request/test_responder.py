"""A sink waits, handles and passes time; it can be woken from its wait alone, and no write of it is ever cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from pipeline.request.responder import Sink, StreamSink, WholeSink, sink_for
from pipeline.request.timers import Timers
from pipeline.request.upstream_call import Again, RequestJob
from pipeline.settings import Timing
from pipeline.telemetry.logs import make_logger
from pipeline.telemetry.request_log import RequestLog
from stages.actor import Batch, Tee
from stages.block import Block, BlockReader
from stages.canonical.events import Delta, MessageEnd, TextDelta, TextStart
from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import AnswerPlan

LATE = Failure(Kind.TIMEOUT, "too late", cause="total")
BROKEN = Failure(Kind.UPSTREAM, "broken", cause="upstream")
HEAD = ["begin", "message_start", "content_block_start"]


@attrs.define
class SlowClient:
    """A client that reads when it is told to, and keeps what was done to it."""

    done: list[str] = attrs.field(factory=list)
    reads: trio.Event = attrs.field(factory=trio.Event)

    def inform(self, headers: Mapping[str, str]) -> None:
        """Hear of the upstream's headers."""

    async def begin_stream(self) -> None:
        """Get the 200."""
        self.done.append("begin")

    async def write(self, data: bytes) -> None:
        """Get a piece once it reads; a write that is cut never says so."""
        await self.reads.wait()
        await trio.lowlevel.checkpoint()
        self.done += [line[7:].decode() for line in data.split(b"\n") if line.startswith(b"event: ")]

    async def end_stream(self) -> None:
        """Get the end."""
        self.done.append("end")

    async def answer(self, message: dict[str, Any]) -> None:
        """Get a whole message."""
        self.done.append(message["type"])

    async def fail(self, failure: Failure) -> None:
        """Get a failure."""
        await trio.lowlevel.checkpoint()
        self.done.append(failure.message)

    def endable(self, end: Callable[[Failure], None]) -> None:
        """Nobody ends it."""

    async def left(self) -> None:
        """Never leave."""
        await trio.sleep_forever()


class NoHealing:
    """A request that is made once."""

    careful = False

    async def again(self, failure: Failure) -> Again:  # noqa: ARG002 - whatever it was
        """Make it no other way."""
        return None

    def worked(self) -> None:
        """Learn nothing."""


@attrs.define
class Scene:
    """A sink, and all that is around it."""

    sink: Sink
    client: SlowClient
    outbox: trio.MemorySendChannel[Batch[Block | MessageEnd]]

    async def say(self, *texts: str) -> trio.MemorySendChannel[Batch[Delta]]:
        """Begin a block of text with these deltas."""
        content, inside = trio.open_memory_channel[Batch[Delta]](16)
        await self.outbox.send((Block(TextStart(), inside),))
        for text in texts:
            await content.send((TextDelta(text),))
        return content


def scene(*, stream: bool = True, reading: bool = True) -> Scene:
    """A sink that nobody runs yet."""
    client = SlowClient()
    if reading:
        client.reads.set()
    outbox, inbox = trio.open_memory_channel[Batch[Block | MessageEnd]](16)
    facts, _ = trio.open_memory_channel[Any](256)
    job = RequestJob(
        AnswerPlan("msg_1", "m", "u"), b"", NoHealing(), stream, "req_1", RequestLog(make_logger("json", "error"))
    )
    timers = Timers(Timing(), trio.current_time())
    return Scene(sink_for(job, BlockReader(inbox), client, timers, Tee(facts)), client, outbox)


@pytest.mark.parametrize(("stream", "kind"), [(True, StreamSink), (False, WholeSink)])
async def test_the_client_chooses_the_sink(stream: bool, kind: type[Sink]) -> None:
    """A stream is written as it comes, a message once."""
    made = scene(stream=stream)
    content = await made.say("hi")
    content.close()
    await made.outbox.send((MessageEnd("end_turn"),))

    assert type(made.sink) is kind
    assert await made.sink.run()
    assert made.client.done[-1] == ("end" if stream else "message")


@pytest.mark.parametrize("stream", [True, False])
async def test_a_failure_at_once_has_its_own_status(stream: bool) -> None:
    """It is the end, but not the message's own: the upstream may have more to say."""
    made = scene(stream=stream)
    await made.outbox.send((BROKEN,))

    assert not await made.sink.run()
    assert made.client.done == ["broken"]


async def test_an_end_without_an_ending_is_a_bug_that_is_said() -> None:
    """Law 1 holds even if the correlator just stops."""
    made = scene()
    made.outbox.close()

    assert not await made.sink.run()
    assert made.client.done == ["Internal server error"]


async def test_a_sink_that_waits_can_be_woken(nursery: trio.Nursery) -> None:
    """It gives a sign of life each time, and goes on waiting."""
    made = scene()
    nursery.start_soon(made.sink.run)
    signs = []
    for _ in range(3):
        await trio.testing.wait_all_tasks_blocked()
        assert made.sink.wake(None)
        await trio.testing.wait_all_tasks_blocked()
        signs.append(list(made.client.done))
    nursery.cancel_scope.cancel()

    assert signs[0] == ["begin", "message_start"]
    assert signs[2] == [*signs[0], "ping", "ping"]


async def test_a_deadline_ends_the_message(nursery: trio.Nursery) -> None:
    """As any other failure does."""
    made = scene()
    nursery.start_soon(made.sink.run)
    await trio.testing.wait_all_tasks_blocked()

    assert made.sink.wake(LATE)
    await trio.testing.wait_all_tasks_blocked()
    assert made.client.done == ["too late"]


async def test_a_busy_sink_cannot_be_woken(nursery: trio.Nursery) -> None:
    """The client is the slow one; whatever passed, its write goes on."""
    made = scene(reading=False)
    await made.say("hi")
    nursery.start_soon(made.sink.run)
    await trio.testing.wait_all_tasks_blocked()

    assert not made.sink.wake(LATE)
    made.client.reads.set()
    await trio.testing.wait_all_tasks_blocked()
    nursery.cancel_scope.cancel()
    assert made.client.done[:3] == HEAD
    assert made.client.done[-1] == "content_block_delta"


@pytest.mark.parametrize("failure", [None, LATE])
async def test_what_comes_in_the_moment_of_waking_is_written_whole(
    failure: Failure | None, nursery: trio.Nursery
) -> None:
    """Events that arrived before the sink could run count more than the reason of its waking, and are never cut."""
    made = scene()
    content = await made.say("one")
    nursery.start_soon(made.sink.run)
    await trio.testing.wait_all_tasks_blocked()
    before = len(made.client.done)

    content.send_nowait((TextDelta("two"),))  # the sink is to run again, but has not yet
    assert made.sink.wake(failure)
    await trio.testing.wait_all_tasks_blocked()
    assert made.client.done[before:] == ["content_block_delta"]

    assert made.sink.wake(None)  # and its next wait is one like any other
    await trio.testing.wait_all_tasks_blocked()
    nursery.cancel_scope.cancel()
    assert made.client.done[before:] == ["content_block_delta", "ping"]


async def test_the_servers_end_is_not_forgotten(nursery: trio.Nursery) -> None:
    """Nobody says it twice: what came in the same moment is written, and then the failure."""
    made = scene()
    content = await made.say("one")
    nursery.start_soon(made.sink.run)
    await trio.testing.wait_all_tasks_blocked()
    before = len(made.client.done)

    content.send_nowait((TextDelta("two"),))
    made.sink.end(BROKEN)
    await trio.testing.wait_all_tasks_blocked()
    assert made.client.done[before:] == ["content_block_delta", "error", "end"]


async def test_the_servers_end_waits_for_a_write(nursery: trio.Nursery) -> None:
    """Half an event would leave the client nothing to read; the failure follows the whole one."""
    made = scene(reading=False)
    await made.say("hi")
    nursery.start_soon(made.sink.run)
    await trio.testing.wait_all_tasks_blocked()

    made.sink.end(BROKEN)
    await trio.testing.wait_all_tasks_blocked()
    assert "error" not in made.client.done
    made.client.reads.set()
    await trio.testing.wait_all_tasks_blocked()
    assert made.client.done[-3:] == ["content_block_delta", "error", "end"]


async def test_a_request_that_ends_cuts_everything(nursery: trio.Nursery) -> None:
    """Only that may cut a write."""
    made = scene(reading=False)
    await made.say("hi")
    nursery.start_soon(made.sink.run)
    await trio.testing.wait_all_tasks_blocked()
    nursery.cancel_scope.cancel()
    made.client.reads.set()

    assert made.client.done == ["begin"]
