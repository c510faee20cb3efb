"""The load client, against servers that do well and badly."""

from __future__ import annotations

import contextlib
import socket
from collections import Counter
from collections.abc import AsyncIterator

import pytest
import trio
import trio.testing

from pipeline.bench import http, sockets
from pipeline.bench.canned import WORD
from pipeline.bench.load import Address, Load, put_load
from pipeline.bench.workloads import BenchError, Workload

_GOOD = WORD.encode() * 5 + b"message_stop"


def _answer(body: bytes, status: bytes = b"200 OK", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\n%bcontent-length: %d\r\n\r\n%b" % (status, more, len(body), body)


@contextlib.asynccontextmanager
async def _server(answer: bytes, *, close: bool = False) -> AsyncIterator[Address]:
    """Answer every request with the same bytes; close afterwards if asked to; say nothing for no bytes."""

    async def converse(connected: socket.socket) -> None:
        connected.settimeout(0)
        with connected, contextlib.suppress(OSError):
            while data := await sockets.receive(connected):
                request = http.HttpMessage()
                request.add(data)
                while not request.complete:
                    request.add(await sockets.receive(connected))
                await sockets.send(connected, answer)
                if close:
                    return

    async def accept() -> None:
        while True:
            await trio.lowlevel.wait_readable(listener)
            nursery.start_soon(converse, listener.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(accept)
            yield Address("127.0.0.1", listener.getsockname()[1])
            nursery.cancel_scope.cancel()


async def _load(answer: bytes, scenario: Workload, *, close: bool = False) -> Load:
    async with _server(answer, close=close) as address:
        return await put_load(address, scenario, b"{}")


_ONCE = Workload("", deltas=5, clients=3, seconds=0, limit=10)


async def test_whole_answers_are_counted_and_timed() -> None:
    """Every client asks once; the first words come before the end."""
    load = await _load(_answer(_GOOD), _ONCE)

    assert len(load.completed) == 3
    assert all(outcome.first is not None and 0 < outcome.first <= outcome.seconds for outcome in load.completed)


async def test_clients_ask_again_until_the_time_is_over() -> None:
    """On the same connection as long as the server keeps it."""
    load = await _load(_answer(_GOOD), Workload("", deltas=5, clients=2, seconds=0.2, limit=10))

    assert len(load.completed) == len(load.outcomes) > 4
    assert load.seconds < 5


async def test_a_server_that_says_goodbye_is_asked_on_a_new_connection() -> None:
    """`connection: close` is no fault."""
    scenario = Workload("", deltas=5, clients=1, seconds=0.1, limit=10)
    load = await _load(_answer(_GOOD, more=b"connection: close\r\n"), scenario, close=True)

    assert len(load.completed) == len(load.outcomes) > 1


@pytest.mark.parametrize(
    ("answer", "close", "fault"),
    [
        (_answer(b"{}", b"529 Overloaded"), False, "status 529"),
        (_answer(WORD.encode() * 4 + b"message_stop"), False, "incomplete"),
        (_answer(WORD.encode() * 5), False, "incomplete"),
        (_answer(_GOOD)[:-3], True, "cut"),
        (b"", True, "closed"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n0\r\n\r\n", False, "framing"),
    ],
)
async def test_what_is_wrong_with_an_answer_has_a_word(answer: bytes, close: bool, fault: str) -> None:
    """And whoever met it asks no more."""
    load = await _load(answer, Workload("", deltas=5, clients=2, seconds=5, limit=10), close=close)

    assert Counter(outcome.fault for outcome in load.outcomes) == {fault: 2}


async def test_a_server_that_says_nothing_is_left_in_time(autojump_clock: trio.testing.MockClock) -> None:
    """The scenario's limit counts what has not ended as failed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        load = await put_load(Address("127.0.0.1", listener.getsockname()[1]), _ONCE, b"{}")

    assert [outcome.fault for outcome in load.outcomes] == ["time out"] * 3
    assert load.seconds == autojump_clock.current_time() == pytest.approx(10)


async def test_nobody_listens() -> None:
    """It counts as a failure of each client."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Address("127.0.0.1", listener.getsockname()[1])
    load = await put_load(address, _ONCE, b"{}")

    assert [outcome.fault for outcome in load.outcomes] == ["Connection refused"] * 3


def test_an_address_on_this_machine() -> None:
    """By any of its names."""
    assert Address.of("http://localhost:8765/v1") == Address("127.0.0.1", 8765)
    assert Address.of("http://[::1]:80") == Address("::1", 80)


@pytest.mark.parametrize("url", ["http://example.org", "https://127.0.0.1:1", "127.0.0.1:1", "http://127.0.0.1:x"])
def test_no_other_machine_is_put_under_load(url: str) -> None:
    """Nor is anything that is not plain HTTP."""
    with pytest.raises(BenchError):
        Address.of(url)
