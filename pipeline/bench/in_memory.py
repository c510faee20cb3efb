"""A server without sockets, for what is measured in one process: a request goes in, its answer is thrown away.

Both sides are as cheap as they can be made, so that what is measured is what stands between them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, MutableMapping, Sequence
from typing import Any

import httpx
import trio

from pipeline.endpoints.application import Application
from pipeline.endpoints.exchange import Headers

SENT_AT_ONCE = 65_536
"""Bytes that the client sends at once."""

_READ = 16_384
# Bytes of one read of the upstream's answer.


class SameAnswer(httpx.AsyncBaseTransport):
    """An upstream that answers everything with the same bytes, in pieces of one read, and counts no tokens.

    Attributes:
        said: the answer's body, an SSE stream.
    """

    def __init__(self, said: bytes) -> None:
        self.said = said

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer, without a wait."""
        if request.url.path.endswith("/input_tokens"):
            return httpx.Response(404)
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=_Pieces(self.said))


class _Pieces(httpx.AsyncByteStream):
    def __init__(self, said: bytes) -> None:
        self._said = said

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for at in range(0, len(self._said), _READ):
            await trio.lowlevel.checkpoint()
            yield self._said[at : at + _READ]


async def post_in_memory(app: Application, body: bytes, headers: Sequence[tuple[bytes, bytes]] = ()) -> int:
    """Send a request for a message, and throw its answer away; return the status.

    Waits for the whole answer, and gives way to others at each piece of body and answer. Cancelled, the request is.
    """
    pieces = [body[at : at + SENT_AT_ONCE] for at in range(0, len(body), SENT_AT_ONCE)]
    status, gone = 0, trio.Event()

    async def receive() -> MutableMapping[str, Any]:
        await trio.lowlevel.checkpoint()
        if pieces:
            return {"type": "http.request", "body": pieces.pop(0), "more_body": bool(pieces)}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(event: MutableMapping[str, Any]) -> None:
        nonlocal status
        status = event.get("status", status)
        if event["type"] == "http.response.body" and not event.get("more_body"):
            gone.set()
        await trio.lowlevel.checkpoint()

    sent: Headers = list(headers)
    scope = {"type": "http", "method": "POST", "path": "/v1/messages", "query_string": b"", "headers": sent}
    await app({**scope, "http_version": "1.1"}, receive, send)
    return status
