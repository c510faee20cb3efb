"""A shorter way for the pieces of a stream, past hypercorn's layers, where the server is one that we know.

A paced stream is one small write per event, and stock hypercorn spends more on each than the translation does: an h11
event, a lock, a cancel scope and two checkpoints around one `send`.  Here the same bytes are framed as one HTTP chunk
and offered to the socket at once; what it does not take goes hypercorn's own way.  Nothing of hypercorn is replaced:
head, end and errors stay its business, and on any doubt (another version, TLS, HTTP/2, another server) all of it does.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

Write = Callable[[bytes], Awaitable[None]]
"""Sends one piece of a body."""

KNOWN = version("hypercorn").startswith("0.18.")
"""Whether this hypercorn is one whose inside was looked at."""


def direct_write(send: Any, http_version: str) -> Write | None:
    """Return the shorter way for a response whose head has just been sent through `send`, or None if there is none.

    Only HTTP/1.1 responses without a length are chunked, and only plain sockets can be asked without waiting.
    """
    if not KNOWN or http_version != "1.1":
        return None
    try:
        from hypercorn.events import RawData
        from hypercorn.trio.tcp_server import TCPServer

        protocol = send.__self__.send.__self__
        protocol_send = protocol.send
        server = protocol_send.__self__
        if not isinstance(server, TCPServer) or protocol.ssl:
            return None
        descriptor, lock = server.stream.socket.fileno, server.send_lock
    except (AttributeError, ImportError):
        return None

    async def write(data: bytes) -> None:
        if not data:
            return  # a chunk of no bytes is how a body ends
        chunk = b"%x\r\n%b\r\n" % (len(data), data)
        sent = 0
        if not lock.locked():
            try:
                sent = os.write(descriptor(), chunk)
            except OSError:
                sent = 0  # full or closed: hypercorn waits for the one, and notices the other
        if sent < len(chunk):
            await protocol_send(RawData(chunk[sent:]))

    return write
