"""An upstream transport that lets another one answer, and remembers what went by."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import attrs
import httpx

from stages.wire import json


@attrs.define(eq=False)
class Exchange:
    """One request to the upstream and what came back.

    Attributes:
        path: where it went.
        request: its JSON body.
        status: the answer's HTTP status.
        answer: the bytes of the answer's body, as far as they were read.
        open: whether its reader holds on to it still.
    """

    path: str
    request: dict[str, Any]
    status: int = 0
    answer: bytearray = attrs.field(factory=bytearray)
    open: bool = True

    @property
    def input(self) -> list[dict[str, Any]]:
        """The items of the request's input."""
        items: list[dict[str, Any]] = self.request["input"]
        return items

    @property
    def events(self) -> list[dict[str, Any]]:
        """The payloads of the answer's stream, as far as they were read."""
        lines = bytes(self.answer).split(b"\n")
        return [json.decode(line[5:]) for line in lines if line.startswith(b"data:") and b"[DONE]" not in line]

    @property
    def output(self) -> list[dict[str, Any]]:
        """The items that the answer finished, in order."""
        return [event["item"] for event in self.events if event["type"] == "response.output_item.done"]


class Recorder(httpx.AsyncBaseTransport):
    """Passes requests on to `inner`, and remembers them.

    Attributes:
        exchanges: all that went by, oldest first.
    """

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.exchanges: list[Exchange] = []

    @property
    def messages(self) -> list[Exchange]:
        """What went to `/responses` itself: no counting, no lists of models."""
        return [exchange for exchange in self.exchanges if exchange.path.endswith("/responses")]

    @property
    def open(self) -> int:
        """How many answers are held on to."""
        return sum(exchange.open for exchange in self.exchanges)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Let the inner transport answer."""
        body = await request.aread()
        exchange = Exchange(request.url.path, json.decode(body) if body else {})
        self.exchanges.append(exchange)
        try:
            response = await self._inner.handle_async_request(request)
        except BaseException:
            exchange.open = False
            raise
        exchange.status = response.status_code
        assert isinstance(response.stream, httpx.AsyncByteStream)
        stream = _Tapped(response.stream, exchange)
        return httpx.Response(
            response.status_code, headers=response.headers, stream=stream, extensions=response.extensions
        )

    async def aclose(self) -> None:
        """Close the inner transport."""
        await self._inner.aclose()


class _Tapped(httpx.AsyncByteStream, AsyncIterator[bytes]):
    """A body whose chunks are copied into an exchange; no generator, so that leaving it needs no help."""

    def __init__(self, inner: httpx.AsyncByteStream, exchange: Exchange) -> None:
        self._inner = inner
        self._chunks = aiter(inner)
        self._exchange = exchange

    def __aiter__(self) -> _Tapped:
        return self

    async def __anext__(self) -> bytes:
        chunk = await anext(self._chunks)
        self._exchange.answer += chunk
        return chunk

    async def aclose(self) -> None:
        """Close the inner body."""
        self._exchange.open = False
        await self._inner.aclose()
