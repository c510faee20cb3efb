"""Law 5. Nothing survives its request: no task, no upstream connection, no channel; cancelled at any checkpoint or not.

Cancelled in two ways at every step that the scheduler makes: from outside, as when the server stops, and by a client
that leaves.  Each request is run again and again, struck one step later each time, until it gets through untouched.
"""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

import gc
import gzip
from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
import httpx
import pytest
import structlog.testing
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from pipeline.settings import Limits
from pipeline.telemetry import names
from tests.support import grammar
from tests.support.cancellation import CancelAtStep, channels, garbage
from tests.support.client import MemoryClient, Reply
from tests.support.hosted import ADVISING, ASKED, COMPACTED, COMPACTING, FALLEN, FALLING
from tests.support.running import REQUEST, TIGHT, client_of
from tests.support.streams import Stream, streams
from tests.support.upstream import Script, ScriptedUpstream, events, json_script
from tests.support.upstream_events import CREATED, call, call_done, completed, error, text, thought

RICH = (
    CREATED + thought("hm"),
    thought("so", 0) + text("a", 1),
    events({"type": "response.output_item.done", "output_index": 1, "item": {"type": "message", "id": "msg_1"}}),
    0.1,
    call("", 2) + call('{"b"', 3),
    call_done('{"b": 1}', 3) + call_done("{}", 2),
    completed(),
    0.1,
    b"data: [DONE]\n\n",
)
"""An answer with some of everything, and a connection that ends a moment after it."""


@attrs.frozen
class Course:
    """A course that a request can take: what the upstream does, what the client asks, and how often we try again."""

    scripts: tuple[Script | Exception, ...]
    request: dict[str, Any] = REQUEST
    retries: int = 0


COURSES = {
    "rich": Course((Script(RICH),)),
    "whole": Course((Script(RICH),), REQUEST | {"stream": False}),
    "stopped": Course((Script(RICH),), REQUEST | {"stop_sequences": ["a"]}),
    "silent": Course((Script([CREATED, 11.0, text("hi"), 130.0, completed(), 60.0]),)),
    "failing": Course((Script([CREATED, text("hi"), error(), 60.0]),)),
    "refused": Course((json_script({"error": {"message": "No."}}, 429),)),
    "hosted": Course(ADVISING, ASKED),
    "summed up": Course(COMPACTED, COMPACTING),
    "fallen back": Course(FALLEN, FALLING),
    "retried": Course((httpx.ConnectError("no"), Script(RICH)), retries=1),
}
"""Courses with different things open at different times."""


@attrs.frozen
class End:
    """How a request that was struck has ended."""

    canceller: CancelAtStep
    reply: Reply
    upstream: ScriptedUpstream
    log: structlog.testing.CapturingLogger
    ended_at: float

    def check(self) -> None:
        """Assert that nothing of it is left."""
        assert not self.canceller.alive
        assert self.upstream.open == 0
        if self.reply.status == 200 and "event-stream" in self.reply.headers["content-type"]:
            grammar.read(self.reply.body, whole=False)
        lines = [call for call in self.log.calls if call.args == (names.REQUEST,)]
        assert len(lines) == 1 or not self.upstream.requests


Strike = Callable[[MemoryClient, trio.CancelScope], object]


def _cancels(_: MemoryClient, scope: trio.CancelScope) -> None:
    scope.cancel()


def _leaves(client: MemoryClient, _: trio.CancelScope) -> None:
    client.leave()


async def _struck(course: Course, strike: Strike, step: int, capacity: int) -> End:
    """Run a request and strike at a step."""
    upstream, log, reply = ScriptedUpstream(*course.scripts), structlog.testing.CapturingLogger(), Reply()
    limits = Limits(channel_batches=capacity)
    client = client_of(upstream, limits=limits, retries=course.retries, log=log)
    with trio.CancelScope() as scope:
        canceller = CancelAtStep(step, partial(strike, client, scope))
        with canceller.raised():
            await client.messages(course.request, reply=reply)
    return End(canceller, reply, upstream, log, trio.current_time())


async def _at_every_step(course: Course, strike: Strike, capacity: int) -> int:
    """Strike a request at its first step, its second, and so on; return how many steps it has.

    Where a channel holds more than one batch, most steps are those of the tightest one again: every fifth is struck.
    """
    for step in range(0, 100_000, 1 if capacity == 0 else 5):
        end = await _struck(course, strike, step, capacity)
        end.check()
        if end.canceller.struck_at is None:
            return step
        assert end.ended_at == end.canceller.struck_at, f"it took time to end after step {step}"
    raise AssertionError("the request has no end")


@pytest.mark.parametrize("capacity", TIGHT)
@pytest.mark.parametrize("strike", [_cancels, _leaves])
@pytest.mark.parametrize("course", COURSES)
async def test_struck_at_every_step(
    course: str, strike: Strike, capacity: int, autojump_clock: trio.testing.MockClock
) -> None:
    """Struck at any step, a request ends at once, without a second of waiting, and leaves nothing behind."""
    before = channels()

    steps = await _at_every_step(COURSES[course], strike, capacity)

    assert steps > 10
    assert channels() == before


@pytest.mark.parametrize("strike", [_cancels, _leaves])
@pytest.mark.parametrize("course", COURSES)
async def test_nothing_waits_for_the_garbage_collector(
    course: str, strike: Strike, autojump_clock: trio.testing.MockClock
) -> None:
    """What ends is freed there and then, struck or not: what lasted for minutes is looked at once in hours."""
    whole = await _struck(COURSES[course], strike, 10**9, 1)
    with garbage() as found:
        for step in (10**9, whole.canceller.steps // 2):
            await _struck(COURSES[course], strike, step, 1)

    assert found == []


@given(stream=streams(), where=st.floats(0, 1), capacity=st.sampled_from(TIGHT))
def test_struck_anywhere_in_any_stream(stream: Stream, where: float, capacity: int) -> None:
    """The same for any stream, at one place in it."""
    course = Course((Script([bytes([byte]) for byte in stream.body[:40]] + [stream.body[40:]]),))

    async def run() -> None:
        whole = await _struck(course, _cancels, 10**9, capacity)
        whole.check()
        end = await _struck(course, _cancels, int(where * whole.canceller.steps), capacity)
        end.check()

    trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))


MOMENTS = {
    "before the head": 1.0,
    "before the commit point": 3.0,
    "at the commit point": 7.0,
    "before any content": 8.0,
    "mid-block": 12.0,
    "in a long silence": 100.0,
    "in the farewell": 200.3,
}
"""When a client leaves, in seconds after its request."""


class _Late(ScriptedUpstream):
    """An upstream that needs two seconds to send its head."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Wait, then answer."""
        await trio.sleep(2)
        return await super().handle_async_request(request)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_client_that_leaves(moment: str, autojump_clock: trio.testing.MockClock, *, stream: bool) -> None:
    """When a client leaves, the upstream is let go of in the same moment, whatever it is doing."""
    upstream = _Late(Script([CREATED, 8.0, text("hi"), 190.0, completed(), 60.0]))
    client = client_of(upstream)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.messages, REQUEST | {"stream": stream})
        await trio.sleep(MOMENTS[moment])
        assert not any(body.closed.is_set() for body in upstream.bodies)
        client.leave()
        left_at = autojump_clock.current_time()

    assert upstream.open == 0
    assert autojump_clock.current_time() == left_at == MOMENTS[moment]
    assert len(upstream.bodies) == (moment != "before the head")


async def test_a_compressed_body_that_is_left(autojump_clock: trio.testing.MockClock) -> None:
    """A compressed answer that ends early leaves no generator behind for the garbage collector to complain of."""
    packed = gzip.compress(CREATED + text("hi") + error(), mtime=0)
    headers = {"content-type": "text/event-stream", "content-encoding": "gzip"}
    upstream = ScriptedUpstream(Script([packed[:20], packed[20:], 60.0], headers=headers))
    reply = await client_of(upstream).messages(REQUEST)
    gc.collect()  # an unfinished generator is a warning here, and warnings are errors

    assert grammar.read(reply.body).error is not None
    assert upstream.open == 0


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_left_before_it_was_served(*, stream: bool) -> None:
    """Nothing is started for long, and nothing stays, for a client that is gone already."""
    upstream = ScriptedUpstream(Script([CREATED, trio.Event()]))
    client = client_of(upstream)
    client.leave()
    with trio.fail_after(5):
        await client.messages(REQUEST | {"stream": stream})

    assert upstream.open == 0
