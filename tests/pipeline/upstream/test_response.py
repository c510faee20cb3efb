"""An upstream's answer that has begun: what its reads yield, how it breaks, and how it is closed."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import trio
import trio.testing

from pipeline.inflating import INFLATED_PIECE
from pipeline.upstream.response import CLOSE_TIMEOUT, UpstreamResponse, failure_of_fault
from stages.canonical.failure import Failure, Kind
from tests.pipeline.upstream.asked import body_of, client, upstream
from tests.support.cases import cases
from tests.support.upstream import Script


async def test_an_answer_yields_what_each_read_yielded() -> None:
    """Chunks are neither joined nor cut, and closing gives the connection back."""
    made = client(Script([b"one", b"two"], headers={"X-Request-Id": "r1"}))
    answer = await made.post("/responses", b"{}")

    assert isinstance(answer, UpstreamResponse)
    assert answer.headers["x-request-id"] == "r1"
    assert await body_of(answer) == [b"one", b"two"]
    assert upstream(made).open == 0


async def test_an_encoded_answer_is_decoded() -> None:
    """A gateway that compresses though it was asked not to is understood."""
    packed = gzip.compress(b"hello")
    answer = await client(Script([packed[:5], packed[5:]], headers={"content-encoding": "gzip"})).post("/x", b"{}")

    chunks = await body_of(answer)
    assert b"".join(chunk for chunk in chunks if isinstance(chunk, bytes)) == b"hello"


@cases("cut", [1, 24, 25, 26, 30, 60])
@cases("behind", [b"", b"\0\0\0", b"\x1f"])
@pytest.mark.parametrize("status", [200, 400])
async def test_an_encoded_answer_may_have_several_members(cut: int, behind: bytes, status: int) -> None:
    """All of them are read, wherever they are cut, and whether they hold an answer or an error; padding is none."""
    told = b'{"error":{"message":"hello world"}}'
    packed = b"".join(gzip.compress(piece) for piece in (told[:5], b"", told[5:])) + behind
    script = Script([packed[:cut], packed[cut:]], status, {"content-encoding": "gzip"})
    answer = await client(script).post("/x", b"{}")

    if status == 400:
        assert isinstance(answer, Failure)
        assert answer.message == "hello world"
    else:
        chunks = await body_of(answer)
        assert b"".join(chunk for chunk in chunks if isinstance(chunk, bytes)) == told


@pytest.mark.parametrize("left", [1, 12, 30])
@pytest.mark.parametrize("status", [200, 400])
async def test_an_encoded_answer_without_its_end(left: int, status: int) -> None:
    """It was cut, and that is the upstream's fault; of an error what came counts."""
    packed = gzip.compress(b'{"error":{"message":"hello world"}}' * 3, mtime=0)
    answer = await client(Script([packed[:-left]], status, {"content-encoding": "gzip"})).post("/x", b"{}")

    if status == 200:
        *_, last = await body_of(answer)
        assert isinstance(last, Failure)
        assert last.kind is Kind.UPSTREAM
    else:
        assert isinstance(answer, Failure)
        assert answer.kind is Kind.INVALID_REQUEST


async def test_an_encoded_answer_of_nothing() -> None:
    """It has no members at all."""
    assert not any(await body_of(await client(Script([], headers={"content-encoding": "gzip"})).post("/x", b"{}")))


async def test_an_answer_that_is_a_bomb_comes_in_pieces() -> None:
    """Whoever reads it can stop at his limit."""
    packed = gzip.compress(bytes(2**24), mtime=0)
    chunks = await body_of(await client(Script([packed], headers={"content-encoding": "gzip"})).post("/x", b"{}"))

    assert [len(chunk) for chunk in chunks if isinstance(chunk, bytes)] == [INFLATED_PIECE] * (2**24 // INFLATED_PIECE)


async def test_the_time_of_the_last_read_is_known(autojump_clock: trio.testing.MockClock) -> None:
    """Deadlines are checked elsewhere; the answer only notes when something came."""
    began = autojump_clock.current_time()
    answer = await client(Script([b"one", 7.0, b"two"])).post("/responses", b"{}")

    assert isinstance(answer, UpstreamResponse)
    async with answer:
        await anext(answer)
        first = answer.last_read
        await anext(answer)
        assert (first - began, answer.last_read - began) == (0, 7)


async def test_a_connection_that_breaks_is_the_last_chunk() -> None:
    """A break in the middle is a value, after what had come."""
    answer = await client(Script([b"one", httpx.ReadError("gone")])).post("/responses", b"{}")

    first, second = (await body_of(answer))[:2]
    assert first == b"one"
    assert second == Failure(Kind.UPSTREAM, "The connection to the upstream broke.", cause="ReadError")


@pytest.mark.parametrize("steps", [[b"a", b"b", b"c"], [b"a", httpx.ReadError("gone"), b"c"], []])
async def test_draining_reads_to_the_end_or_the_break(steps: list[Any]) -> None:
    """What follows the last event is thrown away, and a break is nobody's business any more."""
    made = client(Script(steps))
    answer = await made.post("/responses", b"{}")

    assert isinstance(answer, UpstreamResponse)
    async with answer:
        await answer.drain()
    assert upstream(made).open == 0


async def test_closing_is_not_cancelled_half_way(autojump_clock: trio.testing.MockClock) -> None:
    """A cancelled request still gives its connection back; one that will not close is left after a while."""
    closed: list[str] = []

    class Slow(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b""

        async def aclose(self) -> None:
            await trio.sleep(1)
            closed.append("slow")
            await trio.sleep_forever()

    began = autojump_clock.current_time()
    with trio.CancelScope() as scope:
        async with UpstreamResponse(httpx.Response(200, stream=Slow())):
            scope.cancel()

    assert closed == ["slow"]
    assert autojump_clock.current_time() - began == CLOSE_TIMEOUT


@cases(
    ("error", "kind"),
    [
        (httpx.ConnectTimeout("x"), Kind.TIMEOUT),
        (httpx.ConnectError("x"), Kind.UNAVAILABLE),
        (httpx.ReadTimeout("x"), Kind.TIMEOUT),
        (httpx.WriteTimeout("x"), Kind.TIMEOUT),
        (httpx.PoolTimeout("x"), Kind.TIMEOUT),
        (httpx.ProxyError("x"), Kind.UNAVAILABLE),
        (httpx.RemoteProtocolError("x"), Kind.UPSTREAM),
        (httpx.ReadError("x"), Kind.UPSTREAM),
        (httpx.DecodingError("x"), Kind.UPSTREAM),
        (httpx.UnsupportedProtocol("x"), Kind.UPSTREAM),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_transport_raises_has_a_kind(error: Exception, kind: Kind) -> None:
    """Each exception is one kind of failure; its class is the cause, its text stays out."""
    failure = failure_of_fault(error)

    assert (failure.kind, failure.cause) == (kind, type(error).__name__)
    assert "x" not in failure.message.split()
