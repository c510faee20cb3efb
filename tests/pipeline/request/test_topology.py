"""What time does to a request: the commit point, signs of life, deadlines, and the upstream's last word."""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

import attrs
import httpx
import pytest
import trio
import trio.testing

from pipeline.request.upstream_call import DRAIN_TIMEOUT
from pipeline.settings import Limits, Timing
from tests.support import grammar
from tests.support.client import Reply
from tests.support.running import REQUEST, TIGHT, answer, client_of
from tests.support.upstream import Script, ScriptedUpstream, Step
from tests.support.upstream_events import CREATED, KEEPALIVE, call, completed, text, thought

Clock = trio.testing.MockClock


@attrs.frozen
class Written:
    """One write to the client: its time since the request began, and the names of its events."""

    time: float
    names: list[str]


def repeated(times: int, *steps: Step) -> list[Step]:
    """Say the same again and again."""
    return list(steps) * times


async def _timed(*steps: Step, timing: Timing | None = None) -> tuple[Reply, list[Written]]:
    """Run a request; return what was written when."""
    began = trio.current_time()
    reply = await answer(*steps, timing=timing or Timing())
    return reply, [
        Written(time - began, [event["type"] for event in Reply(writes=[data]).events()])
        for time, data in zip(reply.times, reply.writes, strict=True)
    ]


# -- the commit point -----------------------------------------------------------------------------------------------


async def test_content_commits_at_once(autojump_clock: Clock) -> None:
    """The first content goes out when it comes, with everything that must stand before it, in one write."""
    _, (first, *_) = await _timed(CREATED, 3.0, text("hi"), 1.0, completed())

    assert first.time == 3
    assert first.names == ["message_start", "content_block_start", "ping", "content_block_delta"]


async def test_silence_commits_after_a_while(autojump_clock: Clock) -> None:
    """A healthy upstream without a word of content: `message_start` goes out after `commit_after` seconds."""
    _, written = await _timed(CREATED, 7.0, text("hi"), completed())

    assert [(each.time, each.names[0]) for each in written[:2]] == [(5, "message_start"), (7, "content_block_start")]
    assert written[0].names == ["message_start"]


async def test_keepalives_do_not_commit(autojump_clock: Clock) -> None:
    """What says nothing does not count as content."""
    _, written = await _timed(CREATED, 2.0, KEEPALIVE, 2.0, KEEPALIVE, 2.0, text("hi"), completed())

    assert written[0].time == 5


async def test_commit_time_is_counted_from_the_upstreams_answer(autojump_clock: Clock) -> None:
    """How long the upstream took to send its head does not hasten the commitment to its stream."""
    upstream = _Late(60, Script([CREATED, 9.0, text("hi"), completed()]))
    reply = await client_of(upstream).messages(REQUEST)

    assert reply.times[0] == trio.current_time() - 9 + 5


class _Late(ScriptedUpstream):
    """An upstream that takes its time to answer at all."""

    def __init__(self, seconds: float, script: Script) -> None:
        async def wait() -> None:
            await trio.sleep(seconds)

        super().__init__(script)
        self._wait = wait

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Wait, then answer."""
        await self._wait()
        return await super().handle_async_request(request)


# -- signs of life ---------------------------------------------------------------------------------------------------


async def test_silence_is_pinged(autojump_clock: Clock) -> None:
    """A silent stream carries a ping every ten seconds after its last write."""
    _, written = await _timed(text("hi"), 35.0, text("ho"), completed())

    assert [(each.time, each.names) for each in written[1:4]] == [(t, ["ping"]) for t in (10, 20, 30)]


async def test_upstream_keepalives_do_not_stop_pings(autojump_clock: Clock) -> None:
    """The client must hear something, not we: reads without content leave it as silent as before."""
    _, written = await _timed(text("hi"), *repeated(7, 5.0, KEEPALIVE), completed())

    assert [each.time for each in written if each.names == ["ping"]] == [10, 20, 30]


@pytest.mark.parametrize(
    ("begin", "kind"),
    [(text("x"), "text_delta"), (thought("x"), "thinking_delta"), (call('{"a":'), "input_json_delta")],
    ids=["text", "thinking", "call"],
)
async def test_long_silence_grows_the_open_block_by_nothing(begin: bytes, kind: str, autojump_clock: Clock) -> None:
    """After two minutes without content an empty delta of the open block's own kind, which resets a client's clock."""
    reply, written = await _timed(begin, 245.0, completed())
    deltas = [each.time for each in written if each.time and each.names == ["content_block_delta"]]
    empty = [event["delta"] for event in reply.events() if event["type"] == "content_block_delta"]

    assert deltas == [120, 240]
    assert [each.time for each in written if each.names == ["ping"]] == [t for t in range(10, 250, 10) if t % 120]
    assert [delta for delta in empty if delta["type"] == kind and not any(list(delta.values())[1:])]


async def test_long_silence_without_a_block_is_pinged(autojump_clock: Clock) -> None:
    """Where no block is open there is nothing to grow."""
    _, written = await _timed(CREATED, 140.0, text("hi"), completed())

    assert [each.time for each in written if each.names == ["ping"]] == [15.0 + 10 * n for n in range(13)]


async def test_clients_that_do_not_stream_hear_nothing_before_the_end(autojump_clock: Clock) -> None:
    """A whole answer is one write, however long it takes."""
    reply = await answer(CREATED, 140.0, text("hi"), 140.0, completed(), stream=False)

    assert reply.times == [280]
    assert reply.json()["content"] == [{"type": "text", "text": "hi"}]


# -- deadlines ---------------------------------------------------------------------------------------------------------


async def test_an_upstream_that_falls_silent_fails_the_stream(autojump_clock: Clock) -> None:
    """Silence for `silence` seconds becomes the stream's one `error`, and the upstream is let go of."""
    reply, written = await _timed(text("hi"), 5000.0)
    told = grammar.read(reply.body)

    assert told.error is not None
    assert told.error["type"] == "timeout_error"
    assert written[-1] == Written(300, ["error"])


async def test_reads_without_content_break_the_silence(autojump_clock: Clock) -> None:
    """An upstream that can still be heard is not silent."""
    reply, _ = await _timed(text("hi"), *repeated(4, 200.0, KEEPALIVE), completed())

    assert grammar.read(reply.body).error is None


@pytest.mark.parametrize("stream", [True, False])
async def test_silence_before_the_commit_point_is_a_status(autojump_clock: Clock, *, stream: bool) -> None:
    """A deadline that passes before anything was sent is an HTTP error."""
    reply = await answer(CREATED, 99.0, timing=Timing(silence=4), stream=stream)

    assert (reply.status, reply.json()["error"]["type"]) == (504, "timeout_error")
    assert reply.times == [4]


async def test_a_request_may_not_take_for_ever(autojump_clock: Clock) -> None:
    """The deadline of the whole request holds for an upstream that talks and talks."""
    _, written = await _timed(*repeated(100, text("blah "), 10.0), timing=Timing(total=95))

    assert written[-1] == Written(95, ["error"])


async def test_the_whole_deadline_holds_before_the_upstream_answers(autojump_clock: Clock) -> None:
    """An upstream that does not even send its head cannot outlast the deadline of the request."""
    upstream = _Late(5000, Script([completed()]))
    reply = await client_of(upstream, timing=Timing(total=95)).messages(REQUEST)

    assert (reply.status, reply.times) == (504, [95])
    assert upstream.bodies == []


@pytest.mark.parametrize("capacity", TIGHT)
async def test_a_slow_client_is_not_the_upstreams_silence(capacity: int, autojump_clock: Clock) -> None:
    """A client that takes longer for a piece than an upstream may be silent gets all of its message."""
    upstream = ScriptedUpstream(Script([*(text(f"{n} ") for n in range(40)), completed()]))
    timing = Timing(silence=30, total=1e9)
    client = client_of(upstream, timing=timing, limits=Limits(channel_batches=capacity))
    client.slowness = 40.5
    told = grammar.read((await client.messages(REQUEST)).body)

    assert told.error is None
    assert told.content[0]["text"] == "".join(f"{n} " for n in range(40))
    assert upstream.open == 0


# -- the upstream's last word ----------------------------------------------------------------------------------------


USAGE = {"input_tokens": 1}


async def test_a_connection_is_read_to_its_end(autojump_clock: Clock) -> None:
    """What follows the last event is read, so that the connection can be used again; the client does not wait."""
    upstream = ScriptedUpstream(Script([text("hi"), completed(usage=USAGE), 0.2, b"data: [DONE]\n\n", 0.2]))
    reply = await client_of(upstream).messages(REQUEST)

    assert upstream.bodies[0].finished
    assert upstream.open == 0
    assert reply.times[-1] == 0


@pytest.mark.parametrize("rest", [[60.0], repeated(600, 0.1, b": still here\n\n")], ids=["silent", "chatty"])
async def test_an_upstream_that_does_not_end_is_left(rest: list[Step], autojump_clock: Clock) -> None:
    """An upstream that goes on after its last event is left after a moment."""
    upstream = ScriptedUpstream(Script([text("hi"), completed(usage=USAGE), *rest]))
    reply = await client_of(upstream).messages(REQUEST)

    assert upstream.open == 0
    assert not upstream.bodies[0].finished
    assert reply.times[-1] == 0
    assert trio.current_time() == pytest.approx(DRAIN_TIMEOUT)


async def test_a_failed_answer_is_not_waited_for(autojump_clock: Clock) -> None:
    """After a failure there is nothing to wait for."""
    upstream = ScriptedUpstream(Script([text("hi"), b"data: {]\n\n", 60.0]))
    await client_of(upstream).messages(REQUEST)

    assert upstream.open == 0
    assert trio.current_time() == 0
