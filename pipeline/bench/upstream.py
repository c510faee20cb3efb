"""The bench's upstream: answers with canned bytes whoever asks, and is told over HTTP with what.

    GET /play/DELTAS/RATE   what every request from now on is answered with; rate 0 is as fast as possible
    POST anything           the answer, as a stream if the body asks for one

A program of its own (`python -m pipeline.bench.upstream --fd N`), so that its time is not the server's.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import socket

import attrs
import trio

from pipeline.bench import canned, http, sockets
from pipeline.bench.pacer import Pacer
from pipeline.workers import end_with_parent

_STREAMED = re.compile(rb'"stream":\s*true')
_PLAY = re.compile(rb"GET /play/(\d+)/(\d+(?:\.\d+)?) ")
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
)
_JSON_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
_YIELD_EVERY = 64  # events after which a stream without pace lets the others write


@attrs.define
class Upstream:
    """Answers every request alike, until it is told otherwise.

    Attributes:
        deltas: of each answer.
        rate: deltas a second; 0 is as fast as possible.
    """

    deltas: int = 20
    rate: float = 0.0
    _pacer: Pacer = attrs.field(factory=Pacer)

    async def serve(self, listener: socket.socket) -> None:
        """Serve a listening socket until cancelled; the connections end with it."""
        listener.settimeout(0)  # not to block
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._pacer.run)
            while True:
                await trio.lowlevel.wait_readable(listener)
                with contextlib.suppress(BlockingIOError):
                    nursery.start_soon(self._converse, listener.accept()[0])

    async def _converse(self, connected: socket.socket) -> None:
        """Answer the requests of one connection until it is closed, or this is cancelled; then close it."""
        with connected, contextlib.suppress(OSError):
            connected.settimeout(0)  # not to block
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while (request := await _request(connected)) is not None:
                await self._answer(connected, request)

    async def _answer(self, connected: socket.socket, request: http.HttpMessage) -> None:
        """Answer one request, and wait until all is sent."""
        if order := _PLAY.match(request.head):
            self.deltas, self.rate = int(order[1]), float(order[2])
            await _json(connected, b"{}")
        elif not request.head.startswith(b"POST"):
            await _json(connected, b'{"object":"list","data":[]}')
        elif _STREAMED.search(request.body):
            await self._stream(connected)
        else:
            await _json(connected, canned.whole_response(self.deltas))

    async def _stream(self, connected: socket.socket) -> None:
        """Stream an answer at its rate, and wait until all is sent, or the reader has left."""
        script, rate = canned.text_script(self.deltas), self.rate
        await sockets.send(connected, _STREAM_HEAD + http.chunk(script.begin))
        pieces = map(http.chunk, script.deltas)
        if rate and not await self._pacer.play(connected, pieces, rate):
            return
        for number, piece in enumerate(pieces):
            await sockets.send(connected, piece)
            if number % _YIELD_EVERY == 0:
                await trio.lowlevel.checkpoint()
        await sockets.send(connected, http.chunk(script.end) + http.chunk(b""))


async def _request(connected: socket.socket) -> http.HttpMessage | None:
    """Wait for one request; None when the client has closed instead. Cancelled, what was read is lost."""
    request = http.HttpMessage()
    while not request.complete:
        data = await sockets.receive(connected)
        if not data:
            return None
        request.add(data)
    return request


async def _json(connected: socket.socket, body: bytes) -> None:
    """Send a JSON answer, and wait until it is sent."""
    await sockets.send(connected, _JSON_HEAD % len(body) + body)


def main() -> None:
    """Serve the listening socket that a parent process hands down, until that ends."""
    parser = argparse.ArgumentParser(description="the upstream of `dragoman bench`")
    parser.add_argument("--fd", type=int, required=True, help="the listening socket")
    arguments = parser.parse_args()
    end_with_parent()
    with socket.socket(fileno=arguments.fd) as listener:
        trio.run(Upstream().serve, listener)


if __name__ == "__main__":
    main()
