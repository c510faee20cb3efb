"""Clients that leave while they are answered, or only close their side: what the application hears, and when."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import trio
import trio.testing

from pipeline.server.cycle import PROBE_AFTER
from tests.support.connected import GET, Receive, Send, harness, whole


async def test_the_client_leaves() -> None:
    """The application hears of it at once; what it still says goes nowhere."""
    heard = trio.Event()

    async def patient(_scope: Any, receive: Receive, send: Send) -> None:
        await whole(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})
        assert (await receive())["type"] == "http.disconnect"
        heard.set()
        await send({"type": "http.response.body", "body": b"b", "more_body": True})
        assert (await receive())["type"] == "http.disconnect"

    async with harness(patient) as served:
        assert await served.ask(GET)
        await served.client.aclose()
        await heard.wait()


@attrs.define
class Slow:
    """An application that answers when it is told to, unless the client leaves first, as it hears."""

    go: trio.Event = attrs.field(factory=trio.Event)
    left: trio.Event = attrs.field(factory=trio.Event)

    async def __call__(self, _scope: Any, receive: Receive, send: Send) -> None:
        """Answer in two pieces; the second one waits."""
        await whole(receive)
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def _() -> None:
                await receive()
                self.left.set()
                nursery.cancel_scope.cancel()

            await send({"type": "http.response.start", "status": 200, "headers": []})
            await self.go.wait()
            await send({"type": "http.response.body", "body": b"a" * 16, "more_body": True})
            self.go = trio.Event()
            await self.go.wait()
            await send({"type": "http.response.body", "body": b"b" * 16})
            nursery.cancel_scope.cancel()


@pytest.mark.parametrize("early", [True, False])
async def test_a_client_that_closes_its_side_still_listens(
    autojump_clock: trio.testing.MockClock, *, early: bool
) -> None:
    """It gets all of its answer, also of a request that had come before; what asks for it changes nothing."""
    app = Slow()
    async with harness(app) as served:
        await served.client.send_all(GET)
        if early:
            await served.client.send_eof()
        await trio.sleep(60)
        app.go.set()
        await trio.testing.wait_all_tasks_blocked()
        await trio.sleep(1)
        if not early:
            await served.client.send_eof()
        await trio.sleep(60)
        app.go.set()
        said = await served.rest()

    assert not app.left.is_set()
    assert autojump_clock.current_time() >= 121
    interim, _, answer = said.rpartition(b"HTTP/1.1 200 OK\r\n")
    assert interim == (b"HTTP/1.1 100 Continue\r\n\r\n" if early else b"")
    pieces = answer.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert [(int(size, 16), len(data)) for size, data in zip(pieces[::2], pieces[1::2], strict=False)] == [
        (16, 16),
        (16, 16),
        (0, 0),
    ]


async def test_a_client_that_closes_its_side_and_leaves_later(autojump_clock: trio.testing.MockClock) -> None:
    """What the system says of a socket is heard within seconds, though nobody writes."""
    app = Slow()
    async with harness(app) as served:
        await served.client.send_all(GET)
        await served.client.send_eof()
        await trio.sleep(60)
        served.connection.abort()
        await app.left.wait()
        assert autojump_clock.current_time() < 70


async def test_the_end_of_a_connection_of_http_1_0_is_the_end_of_its_request() -> None:
    """The older version says so, and knows nothing that could be asked there."""
    app = Slow()
    async with harness(app) as served:
        await served.client.send_all(GET.replace(b"/1.1", b"/1.0"))
        await served.client.send_eof()
        await app.left.wait()


async def test_further_requests_do_not_hide_that_the_client_leaves(autojump_clock: trio.testing.MockClock) -> None:
    """What comes early is read and kept, up to a bound."""
    heard = trio.Event()

    async def patient(_scope: Any, receive: Receive, _send: Send) -> None:
        await whole(receive)
        assert (await receive())["type"] == "http.disconnect"
        heard.set()

    async with harness(patient) as served:
        await served.client.send_all(GET * 3)
        await trio.testing.wait_all_tasks_blocked()
        await served.client.aclose()
        await heard.wait()
    assert autojump_clock.current_time() <= PROBE_AFTER
