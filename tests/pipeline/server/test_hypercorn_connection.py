"""What is ours around hypercorn's protocols: patience with writes, what an application hears and may leave unread."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import trio
import trio.testing

from pipeline.server.cycle import STALLED
from pipeline.server.hypercorn_connection import CANCEL_AFTER, PatientStream, drained

GONE = {"type": "http.disconnect"}
END = {"type": "http.response.body", "body": b""}


async def test_a_client_that_reads_nothing_is_left(mock_clock: trio.testing.MockClock) -> None:
    """Each piece has its own deadline; the socket is closed behind it."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)  # noqa: FBT003 - the socket's own way
    stream = PatientStream(trio.socket.from_stdlib_socket(ours), 9.0)
    with theirs:
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def _() -> None:
                with pytest.raises(trio.BrokenResourceError):
                    await stream.send_all(bytes(2**22))

            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(8)
            await trio.testing.wait_all_tasks_blocked()
            assert not stream.stalled
            mock_clock.jump(2)
    assert stream.stalled
    assert ours.fileno() < 0


@pytest.mark.parametrize(("stalled", "heard"), [(True, STALLED), (False, GONE)])
async def test_an_application_hears_why_its_client_is_gone(*, stalled: bool, heard: dict[str, Any]) -> None:
    """Hypercorn says the same of both."""
    told: list[Any] = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        told.append(await receive())

    async def receive() -> Any:
        await trio.lowlevel.checkpoint()
        return GONE

    async def send(_: Any) -> None:
        raise AssertionError

    await drained(app, lambda: stalled)({}, receive, send)
    assert told == [heard]


@pytest.mark.parametrize("leaves", [True, False])
async def test_what_is_not_read_is_read_at_the_end(autojump_clock: trio.testing.MockClock, *, leaves: bool) -> None:
    """While the end is sent, and a moment longer; what comes before it is sent as it is."""
    unread = [{"type": "http.request", "more_body": True}] * 3 + [GONE] * leaves
    sent: list[Any] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({**END, "more_body": True})
        assert len(unread) == 3 + leaves
        await send(END)

    async def receive() -> Any:
        await trio.lowlevel.checkpoint()
        if not unread:
            await trio.sleep_forever()
        return unread.pop(0)

    async def send(message: Any) -> None:
        await trio.lowlevel.checkpoint()
        sent.append(message)

    await drained(app)({}, receive, send)
    assert (sent, unread) == ([{**END, "more_body": True}, END], [])
    assert autojump_clock.current_time() == (0 if leaves else CANCEL_AFTER)
