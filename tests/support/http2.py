"""Bytes that clients of HTTP/2 may send, good and bad."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, ResponseReceived, StreamEnded

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""How a connection begins."""

_UNCHECKED = H2Configuration(
    client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding=None
)

Headers = list[tuple[bytes, bytes]]


def opened() -> H2Connection:
    """Make a client's side that sends whatever it is told."""
    connection = H2Connection(_UNCHECKED)
    connection.initiate_connection()
    return connection


def asking(*headers: tuple[bytes, bytes], end: bool = True) -> bytes:
    """Open a connection with one request of these headers."""
    connection = opened()
    connection.send_headers(1, list(headers), end_stream=end)
    return connection.data_to_send()


def uploading(path: bytes, pieces: int, connection: H2Connection | None = None) -> bytes:
    """Send a request whose body never ends, on stream 1 of a connection, or of one that is opened with it."""
    connection = connection or opened()
    connection.send_headers(
        1, [(b":method", b"POST"), (b":path", path), (b":scheme", b"https"), (b":authority", b"localhost")]
    )
    for _ in range(pieces):
        connection.send_data(1, bytes(8_000))
    return connection.data_to_send()


def answer(wire: socket.socket, connection: H2Connection, stream: int) -> tuple[bytes, bytes]:
    """Read until a stream has ended; return its status and body.

    Raises:
        EOFError: The server has closed the connection before.
    """
    status, body = b"", b""
    while True:
        data = wire.recv(65_536)
        if not data:
            raise EOFError
        for event in connection.receive_data(data):
            if getattr(event, "stream_id", None) != stream:
                continue
            if isinstance(event, ResponseReceived):
                status = dict(event.headers)[b":status"]
            elif isinstance(event, DataReceived):
                body += event.data
            elif isinstance(event, StreamEnded):
                return status, body
        wire.sendall(connection.data_to_send())


def prioritising(frames: int) -> bytes:
    """Open a connection with many PRIORITY frames, each of a stream of its own."""
    frame: Callable[[int], bytes] = lambda number: struct.pack(">HBBBIIB", 0, 5, 2, 0, number, 0, 15)  # noqa: E731
    return opened().data_to_send() + b"".join(frame(2 * number + 1) for number in range(frames))
