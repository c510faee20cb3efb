"""The life of a server: it listens, serves, and ends in time.

Sockets and configuration are hypercorn's, and the application stays one that `hypercorn -k trio` serves; what is ours
is who holds the connections. The end has three steps: idle connections close, and who comes now is answered by
a refusal or finds nobody; running requests have their grace; then whatever still runs is told to end itself, and a
moment later every socket is closed.
"""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import attrs
import trio
from hypercorn.config import Config

from pipeline.server.connection import OwnConnections, Terms
from pipeline.server.cycle import AsgiApp
from pipeline.server.guard import Guard, Guarded
from pipeline.server.lifespan import Lifespan
from pipeline.server.listener import accept_all
from pipeline.server.shutdown import Shutdown

LAST_MOMENTS = 2.0
"""Seconds for what still runs at the end of the grace to say so, since the last one has."""

MOST_LAST_WORDS = 10.0
"""Seconds in all: a thousand streams say it one after the other, on a busy machine."""


class Connections(Protocol):
    """Whose connections a server holds, by what is spoken on them."""

    def make(self, connected: socket.socket) -> Guarded:
        """Make a connection of a client's socket, which it owns then."""
        ...

    async def end(self, *, late: bool = False) -> None:
        """Let those that were made end with what they serve, or the `late` ones, which came when it was closing.

        Does not wait for their ends.
        """
        ...


@attrs.define(eq=False)
class Server:
    """Serves one application until it is told to stop.

    Attributes:
        app: the application.
        config: hypercorn's own configuration: addresses, TLS, grace, and its limits.
        terms: what clients are granted on connections that are ours.
        guard: keeps one connection's accident from the others.
        own_http1: whether plain connections are ours; else hypercorn's.
        at_stop: called when the end begins: tells the application to begin nothing new.
        at_end_of_grace: called when the grace is over: tells whatever still runs to end itself.
    """

    app: AsgiApp
    config: Config
    terms: Terms
    guard: Guard
    own_http1: bool = True
    at_stop: Callable[[], None] = lambda: None
    at_end_of_grace: Callable[[], None] = lambda: None
    _tls: ssl.SSLContext | None = attrs.field(default=None, init=False)
    _connections: set[Guarded] = attrs.field(factory=set, init=False)
    _latecomers: set[Guarded] = attrs.field(factory=set, init=False)
    _left: trio.Event = attrs.field(factory=trio.Event, init=False)
    _state: dict[str, Any] = attrs.field(factory=dict, init=False)

    async def run(self, shutdown: Shutdown, ready: Callable[[list[str]], None]) -> None:
        """Serve until `shutdown` begins, and the grace is over or all requests are.

        Waits for all of that. Cancelled, there is no grace: connections are cut, and the application hears no shutdown.

        Args:
            shutdown: asks for the end.
            ready: called with the URLs once connections are accepted.
        """
        lifespan = Lifespan(self.app, self._state)
        async with trio.open_nursery() as living:
            living.start_soon(lifespan.run)
            await lifespan.ask("startup")
            # The inner one: the application hears of the shutdown when the last connection has ended.
            async with trio.open_nursery() as connections:
                await self._serve(connections, shutdown, ready)
            await lifespan.ask("shutdown")
            living.cancel_scope.cancel()

    def renew_certificate(self) -> None:
        """Read the certificate again, for the handshakes to come; does nothing without TLS, or before it serves."""
        if self._tls is not None and self.config.certfile and self.config.keyfile:
            self._tls.load_cert_chain(self.config.certfile, self.config.keyfile)

    async def _serve(self, nursery: trio.Nursery, shutdown: Shutdown, ready: Callable[[list[str]], None]) -> None:
        held = self._speak()
        sockets = self.config.create_sockets()
        listeners = [*sockets.secure_sockets, *sockets.insecure_sockets]
        try:
            async with trio.open_nursery() as accepting:
                for listener in listeners:
                    listener.listen(self.config.backlog)
                    accepting.start_soon(accept_all, listener, partial(self._start, nursery, held.make))
                scheme = "http" if self._tls is None else "https"
                ready([f"{scheme}://{_written(each.getsockname())}" for each in listeners])
                await shutdown.begun.wait()
                self.terms.closing = True
                if not shutdown.closed:  # still accepting: who comes now is told by a refusal
                    await self._drain(shutdown, held)
                accepting.cancel_scope.cancel()
        finally:
            for listener in listeners:
                listener.close()
        if shutdown.closed:
            await self._drain(shutdown, held)
        await held.end(late=True)
        await self._end(nursery)

    def _speak(self) -> Connections:
        """Decide who speaks with clients; hypercorn's HTTP/2 and websockets are imported only where it does."""
        tls = self._tls = self.config.create_ssl_context()
        if tls is None and self.own_http1:
            return OwnConnections(self.app, self.terms, self._state)
        from pipeline.server.hypercorn_connection import HypercornConnections

        return HypercornConnections(self.app, self.config, self.terms, self._state, tls)

    def _start(self, nursery: trio.Nursery, make: Callable[[socket.socket], Guarded], connected: socket.socket) -> None:
        connection = self.guard.make(make, connected)
        if connection is not None:
            held = self._latecomers if self.terms.closing else self._connections
            held.add(connection)
            nursery.start_soon(self._hold, connection, held)

    async def _hold(self, connection: Guarded, held: set[Guarded]) -> None:
        try:
            await self.guard.run(connection)
        finally:
            held.discard(connection)
            self._left.set()

    async def _drain(self, shutdown: Shutdown, held: Connections) -> None:
        """Let the requests that run end, within their grace; then tell them to. Whoever came later holds nobody up."""
        self.at_stop()
        await held.end()
        for connection in list(self._connections):
            connection.rest_no_longer()
        if self._connections:
            with trio.move_on_after(self.config.graceful_timeout):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_when_set, shutdown.hurried, nursery.cancel_scope)
                    await self._gone(self._connections)
                    nursery.cancel_scope.cancel()
            self.at_end_of_grace()
            with trio.move_on_after(MOST_LAST_WORDS):
                await self._gone(self._connections, LAST_MOMENTS)

    async def _end(self, nursery: trio.Nursery) -> None:
        """Close every socket; who was just being refused has a moment to hear it."""
        for connection in list(self._latecomers):
            connection.rest_no_longer()
        with trio.move_on_after(LAST_MOMENTS):
            await self._gone(self._latecomers)
        # Before the cancellation: that alone would wait for writes of hypercorn's, which are shielded.
        for connection in [*self._connections, *self._latecomers]:
            connection.abort()
        nursery.cancel_scope.cancel()

    async def _gone(self, held: set[Guarded], patience: float = math.inf) -> None:
        """Wait until all these connections have ended, or none has for so many seconds."""
        while held:
            self._left = trio.Event()  # nothing waits between the look and this: no end is missed
            with trio.move_on_after(patience) as scope:
                await self._left.wait()
            if scope.cancelled_caught:
                return


async def _when_set(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


def _written(address: Any) -> str:
    """Write an address as it stands in a URL; a socket of Unix has a path."""
    if not isinstance(address, tuple):
        return f"unix:{address}"
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
