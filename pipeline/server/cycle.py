"""One request on a connection, as ASGI: the scope, what the application hears, and what it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

import trio

from pipeline.server.body import Body, MalformedBodyError, body_of
from pipeline.server.client_socket import LARGE_READ, SOCKET_READ, ClientSocket
from pipeline.server.head import Head
from pipeline.server.refusal import BROKEN, Refusal
from pipeline.server.response import CONTINUE, Response

if TYPE_CHECKING:
    from pipeline.server.connection import Terms

AsgiEvent = MutableMapping[str, Any]
"""What ASGI's two sides say to each other."""

AsgiApp = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[AsgiEvent]], Callable[[AsgiEvent], Awaitable[None]]],
    Awaitable[None],
]
"""An ASGI application."""

MOST_AHEAD = 65_536
"""Bytes of further requests that are read while one is being answered; who sends more is not looked after."""

PROBE_AFTER = 0.5
"""Seconds that a client which has closed its side is not asked for a sign before its answer has begun."""

_GONE: AsgiEvent = {"type": "http.disconnect"}
STALLED: AsgiEvent = {"type": "http.disconnect", "cause": "write"}
"""What the application hears when its client was cut because it read nothing; ASGI knows no word for why."""

_MALFORMED = Refusal(400, "The request is not valid HTTP/1.1: the body is not framed as its head says")


class Cycle:
    """A request and its response.

    Args:
        head: what was asked.
        client: the socket.
        rest: bytes that came behind the head.
        terms: what the server grants.

    Attributes:
        rest: bytes that belong to the next request.
        response: what was said so far.
    """

    def __init__(self, head: Head, client: ClientSocket, rest: bytes, terms: Terms) -> None:
        self.rest = rest
        self.response = Response(head.http_version, bodiless=head.method == "HEAD")
        self._head = head
        self._client = client
        self._terms = terms
        self._body: Body = body_of(head.length)
        self._told = False  # whether the application has heard of the body's end
        self._invited = not head.expects
        self._fault: Refusal | None = None

    async def run(self, app: AsgiApp, scope: MutableMapping[str, Any]) -> bool:
        """Let the application answer; return whether the connection can be used again.

        Waits for the application, and it for the client. What it raises, a cancellation too, ends the connection: an
        answer may be half sent.
        """
        await app(scope, self.receive, self.send)
        response = self.response
        if not response.started:
            await self._refuse(self._fault or BROKEN)
        elif not response.complete:
            self._client.close()  # in the middle of the body: its missing end is how the client knows
        return response.keep_alive and self._body.complete and not self._client.gone

    @property
    def crowded(self) -> bool:
        """Whether the client has sent, or still sends, what nobody will read."""
        return bool(self.rest) or not self._body.complete

    async def receive(self) -> AsgiEvent:
        """Return the next piece of the body; behind its end, wait for the client to leave.

        ASGI's `receive`. A body that is none ends like one whose client has left. May be cancelled.
        """
        if self._fault is None and not self._told:
            data = await self._more()
            if data is not None:
                self._told = self._body.complete
                return {"type": "http.request", "body": data, "more_body": not self._told}
        elif not self.response.complete and self._fault is None:
            await self._left()
        else:
            await trio.lowlevel.checkpoint()
        return STALLED if self._client.stalled else _GONE

    async def send(self, message: AsgiEvent) -> None:
        """Take the head or a piece of the body. ASGI's `send`; does nothing once the client has left.

        Waits while the client does not read. Cancelled, a piece may be torn, and nothing can be sent behind it.

        Raises:
            RuntimeError, ValueError: The application breaks the protocol.
        """
        if message["type"] == "http.response.start":
            # What was not read by now is not waited for: the connection ends behind the answer.
            again = self._head.keep_alive and self._body.complete and not self._terms.closing
            self.response.start(message["status"], message.get("headers", ()), keep_alive=again)
        elif message["type"] == "http.response.body":
            data = self.response.body(message.get("body", b""), more=message.get("more_body", False))
            if data and (rest := self._client.send_some(data)):
                await self._client.send_rest(rest)
        else:
            raise RuntimeError("nothing else is spoken here")

    async def _more(self) -> bytes | None:
        """Read on; None when the client has left or sends nonsense. There is no deadline."""
        if self._body.complete:
            return b""
        if not self.rest:
            if not await self._invite():
                return None
            self.rest = await self._client.receive(LARGE_READ if self._body.left > SOCKET_READ else SOCKET_READ)
            if not self.rest:
                self._client.gone = self._told = True
                return None
        try:
            data, self.rest = self._body.feed(self.rest)
        except MalformedBodyError:
            self._fault = _MALFORMED
            return None
        return data

    async def _invite(self) -> bool:
        """Say that the body may come, if that is waited for; False when it was refused already, so none will."""
        if not self._invited:
            if self.response.started:
                return False
            self._invited = True
            await self._client.send(CONTINUE)
        return True

    async def _left(self) -> None:
        """Return when the client has left. What it sends meanwhile is kept for the next request.

        One that closes its side alone still waits for its answer (RFC 9112 lets it; RFC 1945, HTTP/1.0, does not).
        Most answers begin before it has to be asked for a sign, which a simple client may take for the answer.
        """
        while len(self.rest) < MOST_AHEAD:
            data = await self._client.receive()
            if not data:
                if self._head.http_version != "1.0":
                    if not self.response.sent:
                        await trio.sleep(PROBE_AFTER)
                    await self._client.vanished(self.response.probe())
                self._client.gone = True
                return
            self.rest += data
        await trio.sleep_forever()  # it is looked at again when it is written to

    async def _refuse(self, refusal: Refusal) -> None:
        headers, body = refusal.answer()
        self.response.start(refusal.status, headers, keep_alive=False)
        await self._client.send(self.response.body(body, more=False))


def scope_of(
    head: Head, client: tuple[str, int] | None, server: tuple[str, int] | None, state: dict[str, Any]
) -> MutableMapping[str, Any]:
    """Describe a request in ASGI's words."""
    return {
        "type": "http",
        "asgi": {"spec_version": "2.3", "version": "3.0"},
        "http_version": head.http_version,
        "method": head.method,
        "scheme": "http",
        "path": unquote_to_bytes(head.path).decode("utf-8", "replace"),
        "raw_path": head.path,
        "query_string": head.query,
        "root_path": "",
        "headers": head.headers,
        "client": client,
        "server": server,
        "state": state,
        "extensions": {},
    }
