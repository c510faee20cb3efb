"""Wires: a connected socket with nothing but what an exchange needs: read what is there, send all, close at once.

They work on the plain socket and wait with `trio.lowlevel`: a read of a paced stream is one wait and one system call,
without the first try, the checkpoint and the context managers of `trio.SocketStream`. TLS goes through memory, not
through `trio.SSLStream`, because that one hands out a single TLS record (a single event, mostly) per call, while here
all records of one read are decrypted together.

Errors are the socket's own (`OSError`, of which `ssl.SSLError` is one) and `trio.ClosedResourceError`.
"""

from __future__ import annotations

import socket
import ssl
from typing import Protocol

import trio

from pipeline.upstream.http1.dialling import Connect, dial

READ_SIZE = 65_536
"""Bytes asked of the socket by one read."""

_RECORD = 16_384
"""The most that one TLS record holds (RFC 8446, section 5.1): reading less would leave a rest inside OpenSSL."""

_SLICE = 262_144
"""Bytes encrypted before they are sent: bounds the second copy of a large body."""


class Wire(Protocol):
    """What an exchange needs of its connection."""

    async def receive(self) -> bytes:
        """Wait for bytes and return what is there, at most about 64 KiB; empty when the peer has closed.

        Cancelled, the wire is of no more use: TLS may have lost what it had to answer.
        """
        ...

    def send_some(self, data: bytes) -> bytes | memoryview:
        """Send what can be sent without waiting; return the rest."""
        ...

    async def send_all(self, data: bytes | memoryview) -> None:
        """Send all bytes; waits for room. Cancelled, a part has gone out, and the wire is of no more use."""
        ...

    @property
    def stale(self) -> bool:
        """Whether an idle wire is of no more use: the peer has closed it, or speaks unasked. Does not wait."""
        ...

    def close(self) -> None:
        """Close at once, without a checkpoint and without a farewell. May be repeated."""
        ...


class PlainWire:
    """A wire over a non-blocking TCP socket, which it owns."""

    __slots__ = ("_socket",)

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected

    async def receive(self) -> bytes:
        """Wait for bytes, then take them: between the events of a model there is nothing to take without waiting."""
        while True:
            # Asked for each time: a closed socket's number may already be another's.
            await trio.lowlevel.wait_readable(self._socket.fileno())
            try:
                return self._socket.recv(READ_SIZE)
            except BlockingIOError:  # woken for nothing
                continue

    def send_some(self, data: bytes) -> bytes | memoryview:
        """Send without waiting as far as that goes."""
        try:
            return memoryview(data)[self._socket.send(data) :] if data else data
        except BlockingIOError:
            return data

    async def send_all(self, data: bytes | memoryview) -> None:
        """Send without waiting as far as that goes, then as room appears."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[self._socket.send(rest) :]
            except BlockingIOError:
                await trio.lowlevel.wait_writable(self._socket.fileno())

    @property
    def stale(self) -> bool:
        """Peek: an idle wire that is in order has nothing to read, not even its end."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def close(self) -> None:
        """Close the socket, and wake whoever waits for it with `trio.ClosedResourceError`."""
        if self._socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self._socket.fileno())
            self._socket.close()


class TlsWire:
    """TLS over a plain wire. As everywhere in HTTPS, a peer may close without saying goodbye, and so do we."""

    __slots__ = ("_ended", "_incoming", "_outgoing", "_plain", "_tls")

    def __init__(self, plain: PlainWire, context: ssl.SSLContext, server_hostname: str) -> None:
        self._plain = plain
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        self._ended = False

    async def handshake(self) -> None:
        """Shake hands and verify the peer as the context asks; waits for it, without a deadline of its own.

        Raises:
            ssl.SSLError: The peer could not be verified, or does not speak TLS.
            ConnectionResetError: The peer closed in the middle of it.
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                await self._flush()
                if not await self._fill():
                    raise ConnectionResetError("the upstream closed the connection during the TLS handshake") from None
            else:
                await self._flush()
                return

    async def receive(self) -> bytes:
        """Read the socket once, mostly, and decrypt all records that are whole."""
        while not self._ended:
            # Something may wait here since the handshake.
            if not self._incoming.pending and not await self._fill():
                break
            data = self._decrypt()
            if self._outgoing.pending:  # a key update has to be answered
                await self._flush()
            if data:
                return data
        self._ended = True
        return b""

    def send_some(self, data: bytes) -> bytes:
        """Send nothing: what is encrypted must go out whole."""
        return data

    async def send_all(self, data: bytes | memoryview) -> None:
        """Encrypt and send."""
        whole = memoryview(data)
        for start in range(0, len(whole), _SLICE):
            self._tls.write(whole[start : start + _SLICE])
            await self._flush()

    @property
    def stale(self) -> bool:
        """Peek below TLS: when idle nothing is due there either."""
        return self._ended or self._plain.stale

    def close(self) -> None:
        """Close the socket: no close_notify, for which one would have to wait."""
        self._plain.close()

    async def _fill(self) -> bool:
        data = await self._plain.receive()
        self._incoming.write(data)
        return bool(data)

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._plain.send_all(self._outgoing.read())

    def _decrypt(self) -> bytes:
        """Empty the incoming memory. What is left of a record that is not whole yet waits inside OpenSSL."""
        records: list[bytes] = []
        try:
            while self._incoming.pending:
                record = self._tls.read(_RECORD)
                if not record:  # close_notify
                    self._ended = True
                    break
                records.append(record)
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            if not records:
                raise
            self._ended = True  # what came before an alert still counts
        return records[0] if len(records) == 1 else b"".join(records)


async def open_wire(host: str, port: int, context: ssl.SSLContext | None, connect: Connect = dial) -> Wire:
    """Connect, with TLS where a context is given. Leaves nothing open when it fails or is cancelled."""
    stream = await connect(host, port)
    # trio has set TCP_NODELAY and a low water mark; the options stay with the socket.
    kind = stream.socket.family, stream.socket.type, stream.socket.proto
    connected = socket.socket(*kind, fileno=stream.socket.detach())
    connected.settimeout(0)  # non-blocking
    plain = PlainWire(connected)
    if context is None:
        return plain
    try:
        secured = TlsWire(plain, context, host)
        await secured.handshake()
    except BaseException:
        plain.close()
        raise
    return secured
