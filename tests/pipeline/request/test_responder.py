"""A sink reads and writes by turns; what time has to say comes between its writes, and none of them is ever cut."""

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
from pipeline.tokenizer import Tokenizer
from stages.block import AnswerEvent
from stages.canonical.events import BLOCK_STOP, MessageEnd, TextDelta, TextStart
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

    async def again(self, failure: Failure) -> Again:  # noqa: ARG002 - whatever it was
        """Make it no other way."""
        return None

    def worked(self) -> None:
        """Learn nothing."""


Said = AnswerEvent | Failure


@attrs.frozen
class Told:
    """Events that wait to be read, batch by batch; none once it is closed."""

    inbox: trio.MemoryReceiveChannel[list[Said]]

    async def receive(self) -> list[Said]:
        """Wait for the next ones."""
        try:
            return await self.inbox.receive()
        except trio.EndOfChannel:
            return []


@attrs.define
class Scene:
    """A sink, and all that is around it."""

    sink: Sink
    client: SlowClient
    timers: Timers
    outbox: trio.MemorySendChannel[list[Said]]

    def say(self, *events: Said) -> None:
        """Let the upstream say something, all in one read."""
        self.outbox.send_nowait(list(events))


def scene(*, stream: bool = True, reading: bool = True) -> Scene:
    """A sink that nobody runs yet."""
    client = SlowClient()
    if reading:
        client.reads.set()
    outbox, inbox = trio.open_memory_channel[list[Said]](16)
    log = RequestLog(make_logger("json", "error"))
    job = RequestJob(AnswerPlan("msg_1", "m", "u"), b"", NoHealing(), stream, "req_1", log, Tokenizer())
    timers = Timers(Timing(), trio.current_time())
    return Scene(sink_for(job, Told(inbox), client, timers), client, timers, outbox)


HI = (TextStart(), TextDelta("hi"))


@pytest.mark.parametrize(("stream", "kind"), [(True, StreamSink), (False, WholeSink)])
async def test_the_client_chooses_the_sink(stream: bool, kind: type[Sink]) -> None:
    """A stream is written as it comes, a message once; the log has heard of it by then."""
    made = scene(stream=stream)
    made.say(*HI)
    made.say(BLOCK_STOP, MessageEnd("end_turn"))

    assert type(made.sink) is kind
    assert await made.sink.run()
    assert made.client.done[-1] == ("end" if stream else "message")
    assert made.sink.job.log.outcome == "ok"


@pytest.mark.parametrize("stream", [True, False])
async def test_a_failure_at_once_has_its_own_status(stream: bool) -> None:
    """It is the end, but not the message's own: the upstream may have more to say."""
    made = scene(stream=stream)
    made.say(BROKEN)

    assert not await made.sink.run()
    assert made.client.done == ["broken"]


async def test_an_end_without_an_ending_is_a_bug_that_is_said() -> None:
    """Law 1 holds even if the correlator just stops."""
    made = scene()
    made.outbox.close()

    assert not await made.sink.run()
    assert made.client.done == ["Internal server error"]


async def test_signs_of_life_while_it_waits(nursery: trio.Nursery) -> None:
    """The first one commits to a stream; the wait for the upstream goes on, untouched."""
    made = scene()
    nursery.start_soon(made.sink.run)
    await trio.testing.wait_all_tasks_blocked()
    for _ in range(3):
        await made.sink.pass_time()
    assert made.client.done == ["begin", "message_start", "ping", "ping"]

    made.say(*HI)
    await trio.testing.wait_all_tasks_blocked()
    nursery.cancel_scope.cancel()
    assert made.client.done[4:] == ["content_block_start", "ping", "content_block_delta"]


@pytest.mark.parametrize(("stream", "said"), [(True, ["begin", *HEAD[1:], "error", "end"]), (False, ["too late"])])
async def test_a_deadline_ends_the_message(stream: bool, said: list[str], nursery: trio.Nursery) -> None:
    """As any other failure does; whoever has said it is the last to speak."""
    made = scene(stream=stream)
    made.say(*HI)
    nursery.start_soon(made.sink.run)
    await trio.testing.wait_all_tasks_blocked()

    assert await made.sink.end(LATE)
    made.say(TextDelta("more"))
    await trio.testing.wait_all_tasks_blocked()
    nursery.cancel_scope.cancel()
    assert [name for name in made.client.done if name not in ("ping", "content_block_delta")] == said
    assert made.sink.busy


async def test_a_busy_sink_is_not_interrupted(nursery: trio.Nursery) -> None:
    """The client is the slow one; whatever passed, its write goes on, and nothing is said."""
    made = scene(reading=False)
    made.say(*HI)
    nursery.start_soon(made.sink.run)
    await trio.testing.wait_all_tasks_blocked()

    assert made.sink.busy
    assert not await made.sink.end(LATE)
    await made.sink.pass_time()
    made.client.reads.set()
    await trio.testing.wait_all_tasks_blocked()
    nursery.cancel_scope.cancel()
    assert made.client.done == [*HEAD, "ping", "content_block_delta"]


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("last", [BROKEN, MessageEnd("end_turn")], ids=["failed", "ended"])
async def test_what_comes_behind_the_end_is_not_said(stream: bool, last: Said) -> None:
    """A deadline may fall into the moment in which the message ends: an answer has one end, and one head."""
    made = scene(stream=stream)
    made.say(last)
    await made.sink.run()
    told = list(made.client.done)

    assert not await made.sink.end(LATE)
    await made.sink.pass_time()
    assert made.client.done == told


async def test_what_comes_during_a_sign_of_life_follows_it(nursery: trio.Nursery) -> None:
    """Neither is cut: the events wait for the ping that a slow client has not read yet, and no second one overtakes."""
    made = scene(reading=False)
    nursery.start_soon(made.sink.run)
    nursery.start_soon(made.sink.pass_time)
    await trio.testing.wait_all_tasks_blocked()
    made.say(*HI)
    await trio.testing.wait_all_tasks_blocked()
    await made.sink.pass_time()
    assert made.client.done == ["begin"]

    made.client.reads.set()
    await trio.testing.wait_all_tasks_blocked()
    nursery.cancel_scope.cancel()
    assert made.client.done == [*HEAD, "ping", "content_block_delta"]


async def test_the_servers_end_waits_for_a_write(nursery: trio.Nursery) -> None:
    """Half an event would leave the client nothing to read; the failure follows the whole one."""
    made = scene(reading=False)
    made.say(*HI)
    nursery.start_soon(made.sink.run)
    await trio.testing.wait_all_tasks_blocked()

    made.timers.stop(BROKEN)
    await trio.testing.wait_all_tasks_blocked()
    assert "error" not in made.client.done
    made.client.reads.set()
    await trio.testing.wait_all_tasks_blocked()
    assert made.client.done[-3:] == ["content_block_delta", "error", "end"]


async def test_a_request_that_ends_cuts_everything(nursery: trio.Nursery) -> None:
    """Only that may cut a write."""
    made = scene(reading=False)
    made.say(*HI)
    nursery.start_soon(made.sink.run)
    await trio.testing.wait_all_tasks_blocked()
    nursery.cancel_scope.cancel()
    made.client.reads.set()

    assert made.client.done == ["begin"]
