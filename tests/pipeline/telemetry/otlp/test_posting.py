"""What is asked again, and what is given up."""

from __future__ import annotations

import httpx
import pytest
import trio.testing

from pipeline.telemetry.otlp.environment import Destination
from pipeline.telemetry.otlp.posting import LONGEST_PAUSE, PAUSES, Post
from tests.support.otlp import TRACES, Receiver


@pytest.mark.parametrize(
    ("statuses", "taken", "posts"),
    [
        ((200,), True, 1),
        ((503, 429, 202), True, 3),
        ((None, 200), True, 2),
        ((400,), False, 1),
        ((302,), False, 1),
        ((503,), False, 4),
        ((None,), False, 4),
    ],
)
async def test_who_is_asked_again(
    autojump_clock: trio.testing.MockClock, statuses: tuple[int | None, ...], *, taken: bool, posts: int
) -> None:
    """An error about the data is final; one about the moment is not, for a while."""
    receiver = Receiver(*statuses)
    began = autojump_clock.current_time()

    assert await receiver.post().send(b"spans") is taken
    assert receiver.bodies == [b"spans"] * posts
    assert autojump_clock.current_time() - began == sum(PAUSES[: posts - 1])


async def test_what_a_post_carries() -> None:
    """Headers of the destination besides ours, and a compressed body where that was asked for."""
    receiver = Receiver()
    await receiver.post(Destination(TRACES.url, {"x-key": "k"}, gzip=True)).send(b"spans")
    (post,) = receiver.posts

    assert {"x-key": "k", "content-type": "application/x-protobuf", "content-encoding": "gzip"}.items() <= {
        **post.headers
    }.items()
    assert receiver.bodies == [b"spans"]


async def test_one_that_is_silent(autojump_clock: trio.testing.MockClock) -> None:
    """It has its time, and so have the attempts after it."""
    receiver = Receiver(slow=1000.0)
    began = autojump_clock.current_time()

    assert not await receiver.post().send(b"spans")
    assert autojump_clock.current_time() - began == 4 * TRACES.timeout + sum(PAUSES)


class _Trickle(httpx.AsyncByteStream, httpx.AsyncBaseTransport):
    """Answers 200 with a body that never ends, and 503 with a wait that never does."""

    def __init__(self, status: int, headers: dict[str, str]) -> None:
        self._answer = httpx.Response(status, headers=headers, stream=self)
        self.read = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        return self._answer

    async def __aiter__(self):  # type: ignore[no-untyped-def] # noqa: ANN204 - an endless stream of bytes
        while True:
            self.read += 1
            yield b"x" * 2**14


async def test_an_answer_without_an_end() -> None:
    """Its head is enough."""
    trickle = _Trickle(200, {})
    assert await Post(TRACES, trickle).send(b"spans")
    assert trickle.read == 0


async def test_how_long_a_receiver_may_have_us_wait(autojump_clock: trio.testing.MockClock) -> None:
    """As long as it says, within reason."""
    began = autojump_clock.current_time()
    trickle = _Trickle(503, {"retry-after": "999999"})

    assert not await Post(TRACES, trickle).send(b"spans")
    assert autojump_clock.current_time() - began == 3 * LONGEST_PAUSE


async def test_a_destination_that_cannot_be() -> None:
    """A certificate file that is not there is found out when it is needed, and harms nobody."""
    post = Post(Destination("https://receiver/v1/traces", certificate="/nowhere.pem"), pauses=())
    assert not await post.send(b"spans")
