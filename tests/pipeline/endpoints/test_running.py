"""Admission, by a client in memory: what is turned away, what is not, and that places come back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
import trio
import trio.testing

from pipeline.endpoints.application import application
from pipeline.endpoints.context import Context
from pipeline.endpoints.running import RETRY_AFTER, SPARE
from pipeline.settings import Limits, Timing
from stages.wire import json
from tests.support.client import MemoryClient, Reply
from tests.support.running import REQUEST, context_of
from tests.support.upstream import Script, ScriptedUpstream
from tests.support.upstream_events import CREATED, completed, text


@attrs.define
class Crowd:
    """Requests that hold their places until they are let go."""

    context: Context
    client: MemoryClient
    go: trio.Event
    replies: list[Reply]


@asynccontextmanager
async def crowd(size: int, **limits: Any) -> AsyncIterator[Crowd]:
    """Let so many requests run; all must end well once they are let go."""
    go = trio.Event()
    upstream = ScriptedUpstream(Script([CREATED, text("hi"), go, completed()]))
    context = context_of(upstream, limits=Limits(**limits))
    made = Crowd(context, MemoryClient(application(context)), go, [Reply() for _ in range(size)])
    async with trio.open_nursery() as nursery:
        for reply in made.replies:
            nursery.start_soon(made.client.messages, REQUEST, None, reply)
        await trio.testing.wait_all_tasks_blocked()
        yield made
        go.set()
    assert all(reply.ended and b"message_stop" in reply.body for reply in made.replies)


def refused(reply: Reply) -> None:
    """Assert that a request was turned away, in words that clients know."""
    assert reply.status == 529
    assert reply.headers["retry-after"] == str(RETRY_AFTER)
    assert reply.headers["x-should-retry"] == "true"
    assert reply.json()["error"]["type"] == "overloaded_error"


async def test_as_many_as_the_limit() -> None:
    """One more is turned away, unread; those that run do not notice; and places come back."""
    async with crowd(3, requests=3) as full:
        refused(await full.client.messages(REQUEST))
        refused(await full.client.request("POST", "/v1/messages/count_tokens", b"not even JSON"))
        assert full.context.running.turned_away == 2
        full.go.set()
        await trio.testing.wait_all_tasks_blocked()
        assert (await full.client.messages(REQUEST)).status == 200


async def test_a_place_comes_back_with_the_answer(mock_clock: trio.testing.MockClock) -> None:  # noqa: ARG001 - it stands still
    """Whoever has all of an answer may ask again, also while the upstream has not closed the old one."""
    closing = trio.Event()
    upstream = ScriptedUpstream(Script([CREATED, text("hi"), completed(usage={"input_tokens": 1}), closing]))
    context = context_of(upstream, limits=Limits(requests=1))
    client, replies = MemoryClient(application(context)), [Reply(), Reply()]
    async with trio.open_nursery() as nursery:
        for reply in replies:
            nursery.start_soon(client.messages, REQUEST, None, reply)
            await trio.testing.wait_all_tasks_blocked()
            assert (reply.status, reply.ended, context.running.requests) == (200, True, len(upstream.requests))
        assert (context.running.working, context.running.streams) == (0, 0)
        closing.set()
    assert context.running.requests == 0


async def test_looking_is_free() -> None:
    """Health and models are told to everybody, however full it is."""
    async with crowd(1, requests=1) as full:
        for path in ("/", "/healthz", "/v1/models"):
            assert (await full.client.request("GET", path)).status == 200


async def test_the_bytes_of_all_bodies() -> None:
    """By their own word, and as they come; one request alone always has room."""
    size = len(json.encode(REQUEST))
    async with crowd(2, bodies_bytes=2 * size + 10) as full:
        refused(await full.client.messages(REQUEST))
        refused(await full.client.request("POST", "/v1/messages", b"", {"content-length": "1000"}))
        full.go.set()
        await trio.testing.wait_all_tasks_blocked()
        large = {**REQUEST, "system": "x" * 10 * size}
        assert (await full.client.messages(large)).status == 200


async def test_a_body_that_is_too_large_has_its_own_words() -> None:
    """It would never be taken, so nobody is asked to come again."""
    async with crowd(1, requests=2, body_bytes=1000, bodies_bytes=1500) as full:
        said = await full.client.request("POST", "/v1/messages", b"", {"content-length": "2000"})
        assert said.status == 413


async def test_everybody_is_told_that_the_server_ends() -> None:
    """Streams get their one error, others a status, and nothing is left."""
    upstream = ScriptedUpstream(Script([CREATED, text("hi"), 3600.0]), Script([3600.0]), Script([3600.0]))
    context = context_of(upstream)
    client = MemoryClient(application(context))
    stream, silent, whole = Reply(), Reply(), Reply()
    async with trio.open_nursery() as nursery:
        for reply, asked in ((stream, REQUEST), (silent, REQUEST), (whole, REQUEST | {"stream": False})):
            nursery.start_soon(client.messages, asked, None, reply)
            await trio.testing.wait_all_tasks_blocked()
        context.running.end_all()

    assert [event["type"] for event in stream.events()][-1] == "error"
    assert stream.body.count(b"event: error") == 1
    assert stream.ended
    for reply in (silent, whole):
        refused(reply)
    assert upstream.open == 0


async def test_a_client_that_does_not_read_is_held_to_the_total(autojump_clock: trio.testing.MockClock) -> None:
    """The deadline of a whole request counts, whoever is slow."""
    upstream = ScriptedUpstream(Script([CREATED, text("hi"), text("ho"), text("hu"), 3600.0]))
    client = MemoryClient(application(context_of(upstream, timing=Timing(total=20))), reads=1)
    await client.messages(REQUEST)

    assert autojump_clock.current_time() < 20 + SPARE + 5
    assert upstream.open == 0


@pytest.mark.parametrize("pieces", [[], [b'{"model":']])
async def test_a_body_that_stops_coming(pieces: list[bytes], autojump_clock: trio.testing.MockClock) -> None:
    """It is waited for, from one piece to the next, and then refused with 408."""
    context = context_of(ScriptedUpstream(Script([])))
    told: list[Any] = []

    async def receive() -> Any:
        await trio.sleep(50)
        if pieces:
            return {"type": "http.request", "body": pieces.pop(), "more_body": True}
        return await trio.sleep_forever()

    async def send(event: Any) -> None:
        await trio.lowlevel.checkpoint()
        told.append(event)

    until = 60.0 + 50.0 * len(pieces)
    scope = {"type": "http", "method": "POST", "path": "/v1/messages", "headers": []}
    await application(context)(scope, receive, send)

    assert told[0]["status"] == 408
    assert until <= autojump_clock.current_time() <= until + 6
