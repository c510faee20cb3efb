"""The connection actor over a real pair of sockets, with applications of a few lines; time is a clock that we move."""

from __future__ import annotations

import socket
from typing import Any

import pytest
import trio
import trio.testing

from pipeline.server.connection import UNFINISHED_HEADS, ClientConnection, Terms
from pipeline.server.cycle import STALLED
from tests.support.connected import GET, POST, Receive, Send, harness, reply, whole
from tests.support.turns import Turns


async def test_requests_follow_each_other() -> None:
    """One connection, several requests, each with its own body."""
    async with harness() as served:
        assert (await served.ask(POST % (3, b"abc"))).endswith(b"\r\n\r\n/ abc")
        assert (await served.ask(GET)).endswith(b"\r\n\r\n/ ")


async def test_pipelined_requests_are_answered_in_order() -> None:
    """Sent at once, served one after another, however they are cut."""
    data = (POST % (3, b"abc")) + GET.replace(b"/ ", b"/b ") + (POST % (1, b"c"))
    async with harness() as served:
        answers = b""
        for byte in data:
            answers += await served.ask(bytes([byte]))
        together = await served.ask(data)
        while (more := await served.heard()) != b"":
            together += more

    def bodies(raw: bytes) -> list[bytes]:
        return [piece.partition(b"HTTP/1.1")[0] for piece in raw.split(b"\r\n\r\n")[1:]]

    assert bodies(answers) == bodies(together) == [b"/ abc", b"/b ", b"/ c"]


async def test_requests_sent_together_give_way() -> None:
    """A thousand of them fit into one read: between two, everybody else has a turn."""
    turns, seen = Turns(), list[int]()

    async def noting(_scope: Any, _receive: Receive, send: Send) -> None:
        seen.append(turns.count)
        await reply(send, b"")

    async with harness(noting) as served, turns.counted():
        await served.client.send_all(GET * 20)
        while len(seen) < 20:
            await served.client.receive_some()
    assert len(set(seen)) >= 10  # a round of the scheduler has no order


async def test_a_body_is_waited_for_politely() -> None:
    """100-continue is said once, and only if the application asks for the body."""
    head = b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n"
    async with harness() as served:
        assert await served.ask(head) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert (await served.ask(b"abc")).endswith(b"/ abc")

    async def refuse(_scope: Any, receive: Receive, send: Send) -> None:
        await reply(send, b"no", 401)
        assert (await receive())["type"] == "http.disconnect"

    async with harness(refuse) as served:
        said = await served.ask(head)
        assert said.startswith(b"HTTP/1.1 401 ")
        assert b"connection: close" in said


async def test_a_body_that_is_none() -> None:
    """Broken chunks are answered with 400, whatever the application does about them."""

    async def trusting(_scope: Any, receive: Receive, _send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async with harness(trusting) as served:
        await served.client.send_all(b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n")
        assert (await served.rest()).startswith(b"HTTP/1.1 400 ")


async def test_what_comes_too_early_is_bounded() -> None:
    """A client that sends requests without end fills its own window, not our memory."""
    done = trio.Event()

    async def busy(_scope: Any, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(receive)
            await done.wait()
            nursery.cancel_scope.cancel()
        await reply(send, b"")

    async with harness(busy) as served:
        sent = 0
        with trio.move_on_after(0.3):
            while sent < 2**20:
                await served.client.send_all(GET * 100)
                sent += len(GET) * 100
        assert sent < 2**19
        done.set()


async def test_an_application_that_fails(autojump_clock: trio.testing.MockClock) -> None:
    """Its exception leaves, for the guard to see, and the socket is closed."""
    assert autojump_clock.current_time() == 0

    async def failing(_scope: Any, _receive: Receive, _send: Send) -> None:
        raise RuntimeError("bug")

    ours, theirs = socket.socketpair()
    theirs.setblocking(False)  # noqa: FBT003 - the standard library's
    ours.sendall(GET)
    with pytest.raises(RuntimeError, match="bug"):
        await ClientConnection(theirs, failing, Terms(), {}).run()
    assert theirs.fileno() == -1
    ours.close()


async def test_applications_that_say_too_little() -> None:
    """Nothing becomes a 500; half a body ends without its end, so that the client can tell."""

    async def silent(_scope: Any, _receive: Receive, _send: Send) -> None:
        pass

    async def half(_scope: Any, receive: Receive, send: Send) -> None:
        await whole(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"a", "more_body": True})

    async with harness(silent) as served:
        await served.client.send_all(GET)
        assert (await served.rest()).startswith(b"HTTP/1.1 500 ")
    async with harness(half) as served:
        await served.client.send_all(GET)
        assert (await served.rest()).endswith(b"1\r\na\r\n")


async def test_heads_that_do_not_end_have_bounded_room() -> None:
    """One that comes when all such heads together hold too much is refused; those that are whole do not notice."""
    async with harness(head_bytes=10_000) as served:
        served.terms.unfinished = UNFINISHED_HEADS
        assert (await served.ask(GET)).startswith(b"HTTP/1.1 200 ")
        said = await served.ask(GET[:10])
        assert said.startswith(b"HTTP/1.1 529 ")
        assert b"overloaded_error" in said
        served.raw.close()
        await served.ended.wait()
        assert served.terms.unfinished == UNFINISHED_HEADS


DEADLINES: dict[str, tuple[bytes, dict[str, float], bytes]] = {
    "before the first request": (b"", {"idle_patience": 9}, b""),
    "an empty line and nothing": (b"\r\n", {"head_patience": 9}, b""),
    "between requests": (GET, {"idle_patience": 9}, b"HTTP/1.1 200 "),
    "in a head": (b"GET / HT", {"head_patience": 9}, b"HTTP/1.1 408 "),
}
"""What a client sends before it falls silent, whose patience ends, and how the last words begin."""


@pytest.mark.parametrize("name", DEADLINES)
async def test_silent_clients(name: str, mock_clock: trio.testing.MockClock) -> None:
    """Nobody is waited for longer than the terms say, and not less."""
    sent, terms, said = DEADLINES[name]
    async with harness(**terms) as served:
        await served.client.send_all(sent)
        await trio.testing.wait_all_tasks_blocked()
        mock_clock.jump(8)
        await trio.testing.wait_all_tasks_blocked()
        assert not served.ended.is_set()
        mock_clock.jump(2)
        assert (await served.rest()).startswith(said)


async def test_a_client_that_does_not_read(mock_clock: trio.testing.MockClock) -> None:
    """It is left after a while without a write that succeeds, and each that succeeds counts anew; it is said why."""
    over, heard = trio.Event(), list[Any]()

    async def talkative(_scope: Any, receive: Receive, send: Send) -> None:
        await whole(receive)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        async with trio.open_nursery() as nursery:

            async def watch() -> None:
                heard.append(await receive())
                nursery.cancel_scope.cancel()

            nursery.start_soon(watch)
            while True:
                await send({"type": "http.response.body", "body": b"a" * 100_000, "more_body": True})
        over.set()

    async with harness(talkative, write_patience=9) as served:
        await served.client.send_all(GET)
        for _ in range(3):
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(8)
            await served.client.receive_some(50_000)
        await trio.testing.wait_all_tasks_blocked()
        assert not over.is_set()
        mock_clock.jump(10)
        await served.ended.wait()
        assert over.is_set()
        assert heard == [STALLED]


async def test_a_server_that_ends() -> None:
    """Idle connections close at once, a running one says that it will, and closes after its answer."""
    go = trio.Event()

    async def slow(_scope: Any, receive: Receive, send: Send) -> None:
        await whole(receive)
        await go.wait()
        await reply(send, b"done")

    async with harness(slow) as served:
        await served.client.send_all(GET)
        await trio.testing.wait_all_tasks_blocked()
        served.terms.closing = True
        served.connection.rest_no_longer()
        go.set()
        said = await served.rest()
        assert b"connection: close" in said
        assert said.endswith(b"done")

    async with harness() as served:
        await served.ask(GET)
        served.connection.rest_no_longer()
        assert await served.rest() == b""


async def test_cancelled_in_the_middle_of_a_write() -> None:
    """Half a piece is never followed by another: the socket is aborted."""

    async def talkative(_scope: Any, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        with trio.move_on_after(0.05):
            await send({"type": "http.response.body", "body": b"a" * 1_000_000, "more_body": True})
        await send({"type": "http.response.body", "body": b"not this", "more_body": False})

    async with harness(talkative) as served:
        await served.client.send_all(GET)
        with trio.move_on_after(5):
            await served.ended.wait()
        try:
            said = await served.rest()
        except trio.BrokenResourceError:
            said = b""
        assert b"not this" not in said


async def test_aborted() -> None:
    """Whoever waits for the socket wakes up, and the request ends."""

    async def patient(_scope: Any, receive: Receive, _send: Send) -> None:
        await whole(receive)
        assert (await receive())["type"] == "http.disconnect"

    async with harness(patient) as served:
        await served.client.send_all(GET)
        await trio.testing.wait_all_tasks_blocked()
        served.connection.abort()
        await served.ended.wait()
