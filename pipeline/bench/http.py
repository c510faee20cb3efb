"""Just enough HTTP/1.1 for both ends of the bench: when a message is whole, and what its body is."""

from __future__ import annotations

import re

import attrs

_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r]*chunked", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection:[ \t]*close", re.IGNORECASE)
_LAST_CHUNK = b"0\r\n\r\n"  # neither JSON nor an event of a stream holds a carriage return, so nothing else ends so


@attrs.define
class HttpMessage:
    """One message while it arrives; `add` every read until `complete`.

    Attributes:
        head: first line and headers; empty until they are there.
        complete: whether the whole message is there.
    """

    head: bytes = b""
    complete: bool = False
    _reads: list[bytes] = attrs.field(factory=list)
    _tail: bytes = b""
    _missing: int | None = None

    def add(self, data: bytes) -> None:
        """Take the next bytes. Costs the same however much came before: this runs once per event."""
        if not self.head:
            data = self._begin(data)
            if not self.head:
                return
        self._reads.append(data)
        if self._missing is None:
            self._tail = data[-5:] if len(data) >= len(_LAST_CHUNK) else (self._tail + data)[-5:]
            self.complete = self._tail == _LAST_CHUNK
        else:
            self._missing -= len(data)
            self.complete = self._missing <= 0

    def _begin(self, data: bytes) -> bytes:
        """Look for the end of the head; return what follows it."""
        self._reads.append(data)
        head, end, rest = b"".join(self._reads).partition(b"\r\n\r\n")
        if not end:
            return b""
        self._reads.clear()
        self.head = head
        if not _CHUNKED.search(head):
            length = _LENGTH.search(head)
            self._missing = int(length[1]) if length else 0
        return rest

    @property
    def body(self) -> bytes:
        """The body, without the framing of its chunks."""
        data = b"".join(self._reads)
        return data if self._missing is not None else b"".join(_chunks(data))


def _chunks(data: bytes) -> list[bytes]:
    chunks: list[bytes] = []
    begin = 0
    while (line := data.find(b"\r\n", begin)) >= 0:
        size = int(data[begin:line].partition(b";")[0] or b"0", 16)
        chunks.append(data[line + 2 : line + 2 + size])
        begin = line + size + 4
    return chunks


def chunk(data: bytes) -> bytes:
    """Frame one piece of a chunked body; the empty one ends it."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def says_close(head: bytes) -> bool:
    """Whether this head says that its message is the connection's last."""
    return _CLOSES.search(head) is not None
