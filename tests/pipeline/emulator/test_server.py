"""The emulator as an ASGI application."""

from __future__ import annotations

from functools import partial
from typing import Any

import httpx
import hypercorn.trio
import pytest
import trio
from hypercorn.config import Config
from trio.testing import MockClock, assert_checkpoints

from pipeline.emulator import emulator_application
from pipeline.emulator.answer import Frame
from pipeline.emulator.scenarios import GREETING
from pipeline.emulator.server import AsgiApplication, keep_pace
from stages.wire import json
from tests.pipeline.emulator.talk import asked


class Client:
    """The other end of an ASGI connection: says what it has to say, then waits until it leaves."""

    def __init__(self, *messages: dict[str, Any]) -> None:
        self._to_say = list(messages)
        self._left = trio.Event()
        self.heard: list[dict[str, Any]] = []

    async def receive(self) -> dict[str, Any]:
        """Say the next message, or that one has left."""
        if self._to_say:
            return self._to_say.pop(0)
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        """Hear a message."""
        await trio.lowlevel.checkpoint()
        self.heard.append(message)

    def leave(self) -> None:
        """Close the connection."""
        self._left.set()

    async def visit(self, app: AsgiApplication) -> None:
        """Let an application serve this client."""
        await app({"type": "http", "method": "POST", "path": "/v1/responses"}, self.receive, self.send)


def body(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Cut the body of a request into two messages."""
    data = json.encode(request)
    return [
        {"type": "http.request", "body": data[:9], "more_body": True},
        {"type": "http.request", "body": data[9:], "more_body": False},
    ]


async def test_an_answer_is_sent_event_by_event() -> None:
    """Status, headers, one message for each event, and an end."""
    client = Client(*body(asked("[[text]]", stream=True)), {"type": "http.request", "body": b"", "more_body": False})
    await client.visit(emulator_application(delay=0))

    assert client.heard[0]["status"] == 200
    assert (b"content-type", b"text/event-stream; charset=utf-8") in client.heard[0]["headers"]
    assert all(message["body"].startswith(b"event: response.") for message in client.heard[1:-1])
    assert client.heard[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_a_client_who_leaves_ends_the_answer(autojump_clock: MockClock) -> None:
    """The answer's task ends at once, in the middle of a pause, and sends no end."""
    assert autojump_clock.rate == 0
    client = Client(*body(asked("[[silence 3600]]", stream=True)))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.visit, emulator_application(delay=0))
        await trio.sleep(5)
        client.leave()
        await trio.sleep(5)
        assert not nursery.child_tasks

    assert len(client.heard) == 3
    assert client.heard[-1]["more_body"] is True


async def test_a_client_who_leaves_early_hears_nothing() -> None:
    """Gone before the end of its body: no answer is made."""
    client = Client({"type": "http.request", "body": b"{", "more_body": True})
    client.leave()
    await client.visit(emulator_application(delay=0))

    assert client.heard == []


async def test_lifespan() -> None:
    """Start and stop are confirmed."""
    client = Client({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
    await emulator_application()({"type": "lifespan"}, client.receive, client.send)

    assert [message["type"] for message in client.heard] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_other_scopes_are_left_alone() -> None:
    """A WebSocket gets no answer, which the server turns into a refusal."""
    client = Client()
    await emulator_application()({"type": "websocket"}, client.receive, client.send)

    assert client.heard == []


async def test_over_a_real_socket() -> None:
    """The server hypercorn on trio serves it: streamed and not."""
    config = Config()
    config.bind = ["127.0.0.1:0"]
    config.accesslog = None
    config.errorlog = None
    async with trio.open_nursery() as nursery:
        serve = partial(hypercorn.trio.serve, emulator_application(delay=0), config)  # type: ignore[arg-type]
        (url,) = await nursery.start(serve)
        async with httpx.AsyncClient(base_url=url) as client:
            plain = await client.post("/v1/responses", json=asked("hello"))
            async with client.stream("POST", "/v1/responses", json=asked("[[long 9]]", stream=True)) as response:
                lines = [line async for line in response.aiter_lines()]
        nursery.cancel_scope.cancel()

    assert plain.json()["output"][0]["content"][0]["text"] == GREETING
    assert (lines[0], lines[-3]) == ("event: response.created", "event: response.completed")


@pytest.mark.parametrize(("pause", "seconds"), [(None, 7.0), (0.0, 0.0), (2.5, 2.5)])
async def test_keep_pace(pause: float | None, seconds: float, autojump_clock: MockClock) -> None:
    """A frame's own pause wins over the sender's delay; without any wait there is still a checkpoint."""
    begun = autojump_clock.current_time()
    with assert_checkpoints():
        await keep_pace(Frame(b"x", pause), 7.0)

    assert trio.current_time() - begun == pytest.approx(seconds)
