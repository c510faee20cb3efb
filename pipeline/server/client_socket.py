"""The socket of a client: reads what is there, and writes with a deadline between two writes that succeed.

It works on the plain socket and waits with `trio.lowlevel`: a write that the socket takes at once is one system call,
without a checkpoint, a lock or a scope. Errors of the peer are no exceptions here: the client is `gone`, reading gives
the end, and writing does nothing, as ASGI asks of a server.
"""

from __future__ import annotations

import contextlib
import socket
import struct

import trio

SOCKET_READ = 65_536
"""Bytes asked of the socket by one read."""

LARGE_READ = 262_144
"""The same in the middle of a large body: each read costs a turn of the loop."""

FIRST_LOOK, RAREST_LOOK = 0.01, 1.0
"""Seconds between two looks at whether a client that has closed its side still listens; each is twice the last."""

_NO_TIME = struct.pack("ii", 1, 0)


def reset_on_close(connected: socket.socket | trio.socket.SocketType) -> None:
    """Let closing a socket throw away what was not sent, and tell the peer so (RST): lingering for no time at all."""
    with contextlib.suppress(OSError):  # the peer was faster
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_TIME)


class ClientSocket:
    """One client's connected, non-blocking socket, which it owns.

    Args:
        connected: the socket.
        write_patience: seconds between two writes that succeed; a client that reads nothing for so long is left.

    Attributes:
        gone: whether the client has left, or was left.
        stalled: whether it was left because it read nothing.
    """

    __slots__ = ("_patience", "_socket", "_torn", "gone", "stalled")

    def __init__(self, connected: socket.socket, write_patience: float) -> None:
        self._socket = connected
        self._patience = write_patience
        self._torn = False
        self.gone = False
        self.stalled = False

    async def receive(self, most: int = SOCKET_READ) -> bytes:
        """Return bytes of the client, waiting if there are none yet; empty at the end. May be cancelled."""
        while (data := self.receive_now(most)) is None:
            await self._wait_readable()
        if not data:
            await trio.lowlevel.checkpoint()
        return data

    def receive_now(self, most: int = SOCKET_READ) -> bytes | None:
        """Return bytes that are there already; empty at the end, and None when there are none yet."""
        try:
            if not self.gone:
                return self._socket.recv(most)
        except BlockingIOError:
            return None
        except OSError:
            self.abort()
        return b""

    async def send(self, data: bytes) -> None:
        """Send all bytes, if the client still listens; waits while it does not read. See `send_rest`."""
        if rest := self.send_some(data):
            await self.send_rest(rest)

    def send_some(self, data: bytes) -> memoryview | None:
        """Send what the socket takes at once; return what `send_rest` is to send, if that is anything."""
        if self.gone or self._torn:
            return memoryview(data)
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.abort()
            return None
        return memoryview(data)[sent:] if sent < len(data) else None

    async def send_rest(self, rest: memoryview) -> None:
        """Send what is left of some bytes, if the client still listens; waits while it does not read.

        Cancelled in a wait, it leaves half a piece behind: whatever is sent after that is not, and the socket is
        aborted.
        """
        if self.gone or self._torn:
            self.abort()
            await trio.lowlevel.checkpoint()  # whoever goes on writing is to be cancelled, not to hold up everybody
            return
        self._torn = True  # until all is out: a cancellation leaves it so
        while rest and not self.gone:
            await self._wait_writable()
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                continue
            except OSError:
                self.abort()
        self._torn = False

    async def vanished(self, probe: bytes) -> None:
        """Return when a client that has closed its side does not listen either. May be cancelled.

        Both look alike until something is sent: the system of a client that has left refuses it. That refusal is
        nothing one could wait for, since the end that was read stays readable, so it is looked at now and then.

        Args:
            probe: what is sent to find out; nothing leaves it to the next write.
        """
        if probe and not self._torn:
            self._send_small(probe)
        pause = FIRST_LOOK
        while not self.gone:
            await trio.sleep(pause)
            pause = min(2 * pause, RAREST_LOOK)
            self._look()

    def _look(self) -> None:
        """Find out whether the socket has broken, as far as the system knows."""
        if self._socket.fileno() >= 0 and self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.abort()

    def _send_small(self, data: bytes) -> None:
        """Send a few bytes now, or none of them where the client is slow to read."""
        try:
            sent = self._socket.send(data)
        except BlockingIOError:
            return
        except OSError:
            sent = 0
        if sent < len(data):
            self.abort()

    async def _wait_readable(self) -> None:
        try:
            await trio.lowlevel.wait_readable(self._socket)
        except trio.ClosedResourceError:
            self.gone = True

    async def _wait_writable(self) -> None:
        with trio.move_on_after(self._patience) as scope:
            try:
                await trio.lowlevel.wait_writable(self._socket)
            except trio.ClosedResourceError:
                self.gone = True
        if scope.cancelled_caught:
            self.stalled = True
            self.abort()

    def shut(self) -> None:
        """Tell the client that nothing more will come."""
        if not self.gone:
            try:
                self._socket.shutdown(socket.SHUT_WR)
            except OSError:
                self.abort()

    def abort(self) -> None:
        """Close at once and throw away what was not sent; whoever waits for the socket wakes up. May be repeated."""
        self.gone = True
        if self._socket.fileno() >= 0:
            reset_on_close(self._socket)
            self.close()

    def close(self) -> None:
        """Close; what was sent still arrives, unless something was torn. May be repeated."""
        if self._torn and not self.gone:
            self.abort()
        self.gone = True
        if self._socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()
