"""Connections that hypercorn speaks on: TLS, with HTTP/2, and HTTP/1.1 where the settings want hypercorn's.

Its protocols are its own; what is not offered is cut off here (h2c in both forms, websockets), and a socket that takes
nothing is given up. What else goes wrong inside ends the connection, behind the guard.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.events import Closed, RawData
from hypercorn.protocol.events import Body, EndBody, Event, Response
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext

from pipeline.server.client_socket import reset_on_close
from pipeline.server.connection import Terms
from pipeline.server.cycle import STALLED, AsgiApp
from pipeline.server.handshakes import Handshakes
from pipeline.server.head import split_target
from pipeline.server.refusal import Refusal

CANCEL_AFTER = 0.5
"""Seconds after the end of a connection until what still belongs to it is cancelled."""

_PIECE = 65_536


class HypercornConnection(TCPServer):
    """A client's connection, served by hypercorn.

    Args:
        connected: its socket, non-blocking; this owns it now.
        app: the application.
        served: what is hypercorn's own.
        tls: how the server proves who it is; None speaks in the clear.
        write_patience: seconds that a piece of 64 KiB may take to be written.
    """

    def __init__(
        self,
        connected: socket.socket,
        app: AsgiApp,
        served: Served,
        tls: ssl.SSLContext | None,
        write_patience: float,
    ) -> None:
        self._plain = PatientStream(trio.socket.from_stdlib_socket(connected), write_patience)
        stream: Any = self._plain
        if tls is not None:
            stream = trio.SSLStream(self._plain, tls, server_side=True, https_compatible=True)
        self._scope = trio.CancelScope()
        self._handshakes = None if tls is None else served.handshakes
        whole: Any = drained(app, lambda: self._plain.stalled)
        super().__init__(ASGIWrapper(whole), served.config, served.context, served.state, stream)

    async def run(self) -> None:
        """Serve the client to the end of the connection.

        The scope is also the end of a cancellation inside: hypercorn's task group lets that one out.
        """
        with self._scope:
            shaking, patience = self._handshakes, self.config.ssl_handshake_timeout
            if shaking is None or await shaking.shake(self.stream, patience):  # hypercorn finds it done
                await super().run()

    def rest_no_longer(self) -> None:
        """Do nothing: hypercorn hears of the end by its own context, and closes idle connections itself."""

    def abort(self) -> None:
        """Close the socket at once; the peer gets a reset."""
        self._plain.abort()

    async def protocol_send(self, event: Any) -> None:
        """Send, whole: a piece that is cancelled before its turn would be lost in the middle of a stream.

        What follows a write that fails is not shielded: it may wait for an application that takes nothing any more.
        """
        if not isinstance(event, RawData):
            await super().protocol_send(event)
            return
        try:
            with trio.CancelScope(shield=True):
                async with self.send_lock:
                    await self.stream.send_all(event.data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self._scope.deadline = trio.current_time() + CANCEL_AFTER
            await self.protocol.handle(Closed())

    async def _read_data(self) -> None:
        """Read, but let none of the protocols do what is not offered."""
        made = self.protocol.protocol
        if isinstance(made, H2Protocol):
            made.streams = _Streams(made.streams)
        else:
            given = (made.app, made.config, made.context, made.task_group, made.connection_state)
            plain = _Http11(*given, made.ssl, made.client, made.server, made.send)
            plain.can_read = _Pause(self.stream, plain, self._scope.cancel)
            self.protocol.protocol = plain
        try:
            await super()._read_data()
            await self.idle_task.stop()  # the client has left: there is nothing to wait for
        finally:
            self._release()

    def _release(self) -> None:
        """Wake whoever waits for room on a connection that is over, however it ended: nobody will make any.

        Without a checkpoint, because the connection may be cancelled, while those who wait are shielded from that.
        """
        made = self.protocol.protocol
        if isinstance(made, H2Protocol):
            for buffer in list(made.stream_buffers.values()):
                with contextlib.suppress(StopIteration):
                    buffer.close().send(None)  # it waits for nothing

    async def _close(self) -> None:
        """Close, and let nothing survive: hypercorn may still wait for an application that has ended."""
        await super()._close()
        self._scope.deadline = trio.current_time() + CANCEL_AFTER


def drained(app: AsgiApp, stalled: Callable[[], bool] = lambda: False) -> AsgiApp:
    """Let an application read on while it sends its end: hypercorn waits for that before it closes a stream.

    Else what a refused client still sends would fill hypercorn's queue, and hold its connection for ever.

    Args:
        app: the application.
        stalled: whether the client was cut because it read nothing, which the application hears then.
    """

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        over = trio.Event()

        async def receiving() -> Any:
            message = await receive()
            if message["type"] == "http.disconnect":
                over.set()
                return STALLED if stalled() else message
            return message

        async def sending(message: Any) -> None:
            if message["type"] != "http.response.body" or message.get("more_body", False):
                await send(message)
                return
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_drain, receiving)
                await send(message)
                with trio.move_on_after(CANCEL_AFTER):
                    await over.wait()  # what hypercorn was about to hand over has been taken then
                nursery.cancel_scope.cancel()

        await app(scope, receiving, sending)

    return answering


async def _drain(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class HypercornConnections:
    """The connections of one server, all of them hypercorn's.

    Args:
        app: answers their requests.
        config: hypercorn's own.
        terms: what the server grants.
        state: the lifespan's state.
        tls: how the server proves who it is; None speaks in the clear.

    Attributes:
        handshakes: those of TLS that are under way.
    """

    def __init__(
        self, app: AsgiApp, config: Config, terms: Terms, state: dict[str, Any], tls: ssl.SSLContext | None
    ) -> None:
        self._app = app
        self._terms = terms
        self._tls = tls
        self.handshakes = Handshakes()
        self._served, self._late = (Served(config, state, self.handshakes) for _ in range(2))

    def make(self, connected: socket.socket) -> HypercornConnection:
        """Make a connection; one that comes while the server ends is not told so before its request was read."""
        served = self._late if self._terms.closing else self._served
        return HypercornConnection(connected, self._app, served, self._tls, self._terms.write_patience)

    async def end(self, *, late: bool = False) -> None:
        """Tell hypercorn that the server ends, or that its last moments have come; does not wait."""
        await (self._late if late else self._served).context.terminated.set()


class Served:
    """What hypercorn's connections of a process share."""

    def __init__(self, config: Config, state: dict[str, Any], handshakes: Handshakes) -> None:
        self.config = config
        self.handshakes = handshakes
        self.context = WorkerContext(None)
        self.state: Any = state


class PatientStream(trio.abc.HalfCloseableStream):
    """A TCP stream whose writes have a deadline: a client that reads nothing is left.

    Attributes:
        socket: trio's, as hypercorn asks for it.
        stalled: whether the client was left because it read nothing.
    """

    def __init__(self, connected: trio.socket.SocketType, write_patience: float) -> None:
        self._stream = trio.SocketStream(connected)
        self.socket = connected
        self._patience = write_patience
        self.stalled = False

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all, piece by piece; waits for the client, for each piece so long.

        Cancelled, a part has gone out, and the connection is of no more use.

        Raises:
            trio.BrokenResourceError: The client has left, or was left.
        """
        whole = memoryview(data)
        for start in range(0, len(whole), _PIECE):
            with trio.move_on_after(self._patience) as scope:
                try:
                    await self._stream.send_all(whole[start : start + _PIECE])
                except trio.BusyResourceError as error:  # hypercorn is just closing it, without its own lock
                    raise trio.BrokenResourceError("the connection is being closed") from error
            if scope.cancelled_caught:
                self.stalled = True
                self.abort()
                raise trio.BrokenResourceError("the client reads nothing")

    async def wait_send_all_might_not_block(self) -> None:
        """Wait for room."""
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Receive, without a deadline."""
        return await self._stream.receive_some(max_bytes)

    async def send_eof(self) -> None:
        """Tell the client that nothing more will come; does not wait for it."""
        await self._stream.send_eof()

    async def aclose(self) -> None:
        """Close; what was sent still arrives, and is not waited for."""
        await self._stream.aclose()

    def abort(self) -> None:
        """Close at once. May be repeated."""
        if self.socket.fileno() >= 0:
            reset_on_close(self.socket)
            self.socket.close()


class _Http11(H11Protocol):
    """HTTP/1.1 that stays HTTP/1.1. Names of headers are in lower case here."""

    async def _check_protocol(self, event: Any) -> None:
        """Switch to nothing: neither by upgrade nor by prior knowledge."""

    async def _create_stream(self, request: Any) -> None:
        """Answer a request as what it is, whatever it would be upgraded to, and read no other behind a doubtful one."""
        headers = [(name, value) for name, value in request.headers if name != b"upgrade"]
        if {b"transfer-encoding", b"content-length"} <= {name for name, _ in headers}:
            headers = [(name, value) for name, value in headers if name != b"content-length"]
            self.keep_alive_requests = self.config.keep_alive_max_requests  # so hypercorn closes behind its answer
        target = request.target
        split = split_target(target, request.method.decode())
        if split is not None and split[0] is not None:
            target = b"?".join(split[1:]) if split[2] else split[1]
            headers = [(b"host", split[0]), *((name, value) for name, value in headers if name != b"host")]
        plain = {"method": request.method, "target": target, "http_version": request.http_version}
        await super()._create_stream(SimpleNamespace(**plain, headers=headers))  # type: ignore[arg-type]

    async def _send_error_response(self, status_code: int) -> None:
        """Say in Anthropic's envelope that this is no request."""
        headers, body = Refusal(status_code, "The request is not valid HTTP/1.1").answer()
        await self.stream_send(Response(STREAM_ID, [*headers, (b"connection", b"close")], status_code))
        await self.stream_send(Body(STREAM_ID, body))
        await self.stream_send(EndBody(STREAM_ID))


class _Pause:
    """What hypercorn's reader waits for while a request is answered and the next one has come: reads on meanwhile.

    Else nobody would notice that such a client has left, and what was asked for it would go on.
    """

    def __init__(self, stream: trio.abc.ReceiveStream, protocol: H11Protocol, left: Callable[[], None]) -> None:
        self._stream = stream
        self._protocol = protocol
        self._left = left
        self._over = trio.Event()

    async def clear(self) -> None:
        """Begin."""
        self._over = trio.Event()

    async def set(self) -> None:
        """End."""
        self._over.set()

    def is_set(self) -> bool:
        """Whether it is over."""
        return self._over.is_set()

    async def wait(self) -> None:
        """Wait for the end of the pause, or of the client."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read_on)
            await self._over.wait()
            nursery.cancel_scope.cancel()

    async def _read_on(self) -> None:
        """Keep what comes for later, up to a bound."""
        read = 0
        with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            while data := await self._stream.receive_some(_PIECE):
                self._protocol.connection.receive_data(bytes(data))
                read += len(data)
                if read >= _PIECE:
                    return
        self._left()


class _Streams(dict[int, Any]):
    """Streams of HTTP/2 by number; what comes for one that was answered early falls into the void."""

    def __missing__(self, _: int) -> _Void:
        return _Void()


class _Void:
    """A stream that is over."""

    async def handle(self, event: Event) -> None:
        """Ignore what still comes."""
