"""A client in memory: it speaks ASGI to the real application, without a server between."""

from __future__ import annotations

import math
from collections.abc import Mapping, MutableMapping
from typing import Any

import attrs
import trio

from stages.wire import json


@attrs.define
class Reply:
    """What came back.

    Attributes:
        status: the HTTP status; 0 while none has come.
        headers: names in lower case.
        writes: the pieces of the body, as they were written.
        times: when each piece was written, in trio's seconds.
        ended: whether the body's end was sent.
    """

    status: int = 0
    headers: dict[str, str] = attrs.field(factory=dict)
    writes: list[bytes] = attrs.field(factory=list)
    times: list[float] = attrs.field(factory=list)
    ended: bool = False

    @property
    def body(self) -> bytes:
        """All that was written."""
        return b"".join(self.writes)

    def json(self) -> Any:
        """The body as JSON."""
        return json.decode(self.body)

    def events(self) -> list[dict[str, Any]]:
        """The body as the payloads of a stream, pings included."""
        frames = [frame for frame in self.body.split(b"\n\n") if frame]
        return [json.decode(frame.split(b"data: ", 1)[1]) for frame in frames]


@attrs.define
class MemoryClient:
    """One client of an ASGI application.

    Attributes:
        app: the application.
        reads: how many pieces of an answer it reads before it stops reading; infinite by default.
        leaves_after: how many pieces it reads before it closes the connection; infinite by default.
        slowness: seconds that it takes to read one piece.
    """

    app: Any
    reads: float = math.inf
    leaves_after: float = math.inf
    slowness: float = 0.0
    _gone: trio.Event = attrs.field(factory=trio.Event)

    def leave(self) -> None:
        """Close the connection now."""
        self._gone.set()

    async def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        reply: Reply | None = None,
    ) -> Reply:
        """Send a request, and return what came back once the application is done with it."""
        reply = reply or Reply()
        path, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
        }
        pieces = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> MutableMapping[str, Any]:
            await trio.lowlevel.checkpoint()
            if pieces:
                return pieces.pop(0)
            await self._gone.wait()
            return {"type": "http.disconnect"}

        async def send(event: MutableMapping[str, Any]) -> None:
            await trio.lowlevel.checkpoint()
            if event["type"] == "http.response.start":
                reply.status = event["status"]
                reply.headers = {k.decode(): v.decode() for k, v in event["headers"]}
                return
            if len(reply.writes) >= self.reads:
                await trio.sleep_forever()
            if event["body"]:
                reply.writes.append(event["body"])
                reply.times.append(trio.current_time())
                await trio.sleep(self.slowness)
            reply.ended = not event["more_body"]
            if len(reply.writes) >= self.leaves_after:
                self.leave()

        await self.app(scope, receive, send)
        return reply

    async def messages(self, value: Any, headers: Mapping[str, str] | None = None, reply: Reply | None = None) -> Reply:
        """Send a message request."""
        return await self.request("POST", "/v1/messages", json.encode(value), headers, reply)
