"""The bench's upstream."""

from __future__ import annotations

import socket

import pytest

from pipeline.bench import canned, sockets
from pipeline.bench.canned import WORD
from pipeline.bench.load import Address
from tests.pipeline.bench.peers import ask, post, upstream


async def _play(connected: socket.socket, words: bytes) -> None:
    await ask(connected, b"GET /play/%b HTTP/1.1\r\nhost: x\r\n\r\n" % words)


async def _connected(address: Address) -> socket.socket:
    return await sockets.connect(address.host, address.port)


@pytest.mark.parametrize("rate", [b"0", b"2000"])
async def test_a_stream_has_the_deltas_that_were_ordered(rate: bytes) -> None:
    """As fast as possible, or paced: the same bytes, more than once on a connection."""
    async with upstream() as address:
        with await _connected(address) as connected:
            await _play(connected, b"30/" + rate)
            answers = [(await ask(connected, post(b'{"stream": true}'))).body for _ in range(2)]

    assert answers == [b"".join(canned.text_script(30).pieces)] * 2


async def test_an_answer_that_is_not_streamed() -> None:
    """Whoever does not ask for a stream gets JSON."""
    async with upstream() as address:
        with await _connected(address) as connected:
            await _play(connected, b"5/0")
            answer = await ask(connected, post(b'{"stream":false}'))

    assert answer.body.count(WORD.encode()) == 5
    assert b"application/json" in answer.head


async def test_an_order_counts_for_everybody() -> None:
    """It is given on one connection and obeyed on another."""
    async with upstream() as address:
        with await _connected(address) as one, await _connected(address) as two:
            await _play(one, b"3/0")
            answer = await ask(two, post(b"{}"))

    assert answer.body == canned.whole_response(3)


async def test_other_questions_have_an_answer_too() -> None:
    """Some proxies ask for the models before they serve."""
    async with upstream() as address:
        with await _connected(address) as connected:
            answer = await ask(connected, b"GET /v1/models HTTP/1.1\r\nhost: x\r\n\r\n")

    assert answer.body == b'{"object":"list","data":[]}'
