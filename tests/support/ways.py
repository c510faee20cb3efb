"""Servers of every kind in processes of their own, and how one connects to them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from stages.wire import json
from tests.support.certificates import Certified, certified
from tests.support.process import Running, serving_process
from tests.support.running import REQUEST

WAYS: dict[str, dict[str, Any]] = {"dragoman": {}, "hypercorn": {"http1": "hypercorn"}, "h2": {}, "http/1.1": {}}
"""Who speaks to clients, and what is set for that; the last two over TLS, named as the protocol that is agreed on."""


@attrs.frozen
class Served:
    """A server in its own process.

    Attributes:
        running: the process.
        way: one of `WAYS`.
    """

    running: Running
    way: str
    _certified: Certified | None

    def connect(self, *protocols: str) -> socket.socket:
        """Connect, with TLS where the server has it; the way's own protocol unless others are named."""
        plain = self.running.connect()
        if self._certified is None:
            return plain
        return self._certified.client_context(*(protocols or [self.way])).wrap_socket(
            plain, server_hostname="localhost"
        )

    def ask(self, request: bytes) -> bytes:
        """Send a request over HTTP/1.1, and return all that comes until the server closes."""
        with self.connect("http/1.1") as connection:
            connection.sendall(request)
            return rest(connection)


@contextmanager
def served_by(way: str, folder: Path, **settings: Any) -> Iterator[Served]:
    """Serve in a process of its own, in one of the ways."""
    issued = certified(folder) if way in ("h2", "http/1.1") else None
    with serving_process(folder, **WAYS[way], **(issued.files if issued else {}), **settings) as running:
        served = Served(running, way, issued)
        served.ask(b"GET /healthz HTTP/1.0\r\nhost: localhost\r\n\r\n")  # it has started when this is answered
        yield served


def rest(connection: socket.socket) -> bytes:
    """Return all that comes until the server closes, in whatever way."""
    data = b""
    try:
        while piece := connection.recv(65_536):
            data += piece
    except (ConnectionError, ssl.SSLError):
        pass
    return data


def streaming(words: str, *, close: bool = True) -> bytes:
    """Write a request for a stream with this prompt."""
    body = json.encode({**REQUEST, "messages": [{"role": "user", "content": words}]})
    head = b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\nconnection: %b\r\ncontent-length: %d\r\n\r\n"
    return head % (b"close" if close else b"keep-alive", len(body)) + body
