"""Law 6: the memory of a request is bounded by numbers in the settings, also when the client stops reading.

What is measured is how far the upstream is read: whoever holds more must have read more. Every place that keeps
something has its number: channels (`channel_batches`), blocks that wait for their turn (`waiting_bytes`), one event of
the upstream (`event_bytes`), and the whole of an answer, of whatever form (`response_bytes`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
import trio
import trio.testing

from pipeline.settings import Limits
from stages.wire import json
from tests.support.client import MemoryClient, Reply
from tests.support.running import REQUEST, TIGHT, answer, client_of
from tests.support.upstream import Body, Script, ScriptedUpstream, events
from tests.support.waiting import TIMEOUT

PIECE = "0123456789" * 10
"""What each chunk of an endless answer adds to it."""


def text(at: int) -> dict[str, Any]:
    """More of a text."""
    return {"type": "response.output_text.delta", "item_id": f"i{at}", "output_index": at, "delta": PIECE}


def thinking(at: int) -> dict[str, Any]:
    """More of a summary."""
    return {"type": "response.reasoning_summary_text.delta", "item_id": f"i{at}", "output_index": at, "delta": PIECE}


def arguments(at: int) -> dict[str, Any]:
    """More of a call's arguments; the first piece begins an object, as what does not waits for the truth."""
    delta = '{"' + PIECE
    return {"type": "response.function_call_arguments.delta", "item_id": f"i{at}", "output_index": at, "delta": delta}


KINDS = {"message": text, "reasoning": thinking, "function_call": arguments}
"""Kinds of items, and how each grows."""


COUNT: dict[str, Any] = {name: REQUEST[name] for name in ("model", "messages")}
"""A request whose tokens are to be counted."""


def announced(kind: str, at: int) -> bytes:
    """The beginning of an item."""
    item = {"type": kind, "id": f"i{at}", "name": "Bash", "call_id": f"call_{at}"}
    return events({"type": "response.output_item.added", "output_index": at, "item": item})


class Endless(ScriptedUpstream):
    """An upstream whose answer goes on for ever."""

    def __init__(
        self, first: bytes, more: Callable[[int], bytes], status: int = 200, form: str = "event-stream"
    ) -> None:
        super().__init__(Script(_Steps(first, more), status, {"content-type": form}))

    @property
    def body(self) -> Body:
        """What it has answered."""
        return self.bodies[0]


class _Steps(list[bytes]):
    """Steps without an end."""

    def __init__(self, first: bytes, more: Callable[[int], bytes]) -> None:
        super().__init__()
        self._first, self._more = first, more

    def __iter__(self) -> Iterator[bytes]:
        yield self._first
        yield from map(self._more, count())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("capacity", TIGHT)
@pytest.mark.parametrize("reads", [0, 1, 5])
async def test_a_client_that_stops_reading(kind: str, capacity: int, reads: int) -> None:
    """The upstream is read on by what the channels hold, and no further."""
    more = events(KINDS[kind](0))
    upstream = Endless(announced(kind, 0), lambda _: more)
    client = client_of(upstream, limits=Limits(channel_batches=capacity))
    client.reads = reads
    with trio.fail_after(TIMEOUT):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.messages, REQUEST)
            await trio.testing.wait_all_tasks_blocked(0.01)
            # Three channels in a row at most, one batch in each hand between them, and one write may have taken all.
            assert upstream.body.reads <= (reads + 4) * (capacity + 3)
            client.leave()

    assert upstream.open == 0


async def _messages(client: MemoryClient, *, stream: bool) -> Reply:
    """Send a request that must not take for ever."""
    with trio.fail_after(TIMEOUT):
        return await client.messages(REQUEST | {"stream": stream})


def _failure(reply: Reply) -> str:
    error = reply.events()[-1] if reply.status == 200 else reply.json()
    assert error["type"] == "error"
    return str(error["error"]["type"])


@pytest.mark.parametrize("capacity", TIGHT)
@pytest.mark.parametrize("kind", KINDS)
async def test_blocks_that_wait(kind: str, capacity: int) -> None:
    """A second item that says too much while the first is open fails the message."""
    more = events(KINDS[kind](1))
    upstream = Endless(announced("message", 0) + events(text(0)) + announced(kind, 1), lambda _: more)
    limits = Limits(waiting_bytes=5000, channel_batches=capacity)
    reply = await _messages(client_of(upstream, limits=limits), stream=True)

    assert _failure(reply) == "api_error"
    assert upstream.body.reads <= 5000 / len(PIECE) + 3
    assert upstream.open == 0


async def test_what_waits_within_the_limit_is_kept() -> None:
    """The same below the limit is an answer like any other."""
    ends = events(*(_done(at) for at in (0, 1)), {"type": "response.completed", "response": {"status": "completed"}})
    waiting = events(*(text(1) for _ in range(40)))
    told = announced("message", 0) + events(text(0)) + announced("message", 1) + waiting + ends
    reply = await answer(told, limits=Limits(waiting_bytes=5000))

    texts = [event["delta"]["text"] for event in reply.events() if event["type"] == "content_block_delta"]
    assert "".join(texts) == PIECE * 41
    assert reply.events()[-1]["type"] == "message_stop"


def _done(at: int) -> dict[str, Any]:
    item = {"type": "message", "id": f"i{at}"}
    return {"type": "response.output_item.done", "output_index": at, "item": item}


@pytest.mark.parametrize("stream", [True, False])
async def test_one_event_without_an_end(*, stream: bool) -> None:
    """An event that never ends is given up at its limit."""
    upstream = Endless(b"event: response.output_text.delta\ndata: {", lambda _: b"x" * 1000)
    limits = Limits(event_bytes=20_000, response_bytes=40_000)
    reply = await _messages(client_of(upstream, limits=limits), stream=stream)

    assert _failure(reply) == "api_error"
    assert upstream.body.reads <= (20 if stream else 40) + 2


@pytest.mark.parametrize("stream", [True, False])
async def test_a_body_without_an_end(*, stream: bool) -> None:
    """The same for an answer that does not stream."""
    upstream = Endless(b'{"output": [', lambda _: b" " * 1000, form="application/json")
    limits = Limits(event_bytes=20_000, response_bytes=20_000)
    reply = await _messages(client_of(upstream, limits=limits), stream=stream)

    assert _failure(reply) == "api_error"
    assert upstream.body.reads <= 22


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("kind", KINDS)
async def test_an_answer_without_an_end(kind: str, *, stream: bool) -> None:
    """Small events that never end, taken by a patient client: texts and arguments add up, so there is a limit."""
    more = events(KINDS[kind](0))
    upstream = Endless(announced(kind, 0), lambda _: more)
    reply = await _messages(client_of(upstream, limits=Limits(response_bytes=50_000)), stream=stream)

    assert _failure(reply) == "api_error"
    assert upstream.body.reads <= 50_000 / len(more) + 3


@pytest.mark.parametrize("stream", [True, False])
async def test_items_without_an_end(*, stream: bool) -> None:
    """Items that are announced one after the other, none of which says anything."""
    upstream = Endless(announced("message", 0), lambda at: announced("some_future_item", at + 1))
    reply = await _messages(client_of(upstream, limits=Limits(response_bytes=50_000)), stream=stream)

    assert _failure(reply) == "api_error"
    assert upstream.body.reads < 500


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
async def test_an_error_without_an_end(path: str) -> None:
    """What an error says is read up to a megabyte."""
    upstream = Endless(b'{"error": "', lambda _: b"x" * 100_000, status=400)
    with trio.fail_after(TIMEOUT):
        reply = await client_of(upstream).request("POST", path, json.encode(COUNT | {"max_tokens": 100}))

    assert reply.status in (200, 400)
    assert upstream.body.reads <= 13
    assert upstream.open == 0


async def test_a_count_without_an_end() -> None:
    """A number that takes more than a megabyte to say is none: the tokens are counted here."""
    upstream = Endless(b'{"input_tokens": ', lambda _: b"1" * 100_000)
    with trio.fail_after(TIMEOUT):
        reply = await client_of(upstream).request("POST", "/v1/messages/count_tokens", json.encode(COUNT))

    assert reply.status == 200
    assert 0 < reply.json()["input_tokens"] < 100
    assert upstream.body.reads <= 13
