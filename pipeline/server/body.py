"""Bodies of requests, out of the bytes behind a head: counted, or in chunks. Does no IO.

Written by hand because httptools does not tell where a message ends: what follows it is the next request, and stays
unread until this one is answered. Source: RFC 9112, sections 6 and 7.
"""

from __future__ import annotations

import re
from typing import Protocol

_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[\t -~\x80-\xff]*)?\r\n")
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t -~\x80-\xff]*\r\n")

LONGEST_LINE = 4096
"""Bytes of a line between chunks, its extensions included."""

TRAILER_BYTES = 16 * 2**10
"""Bytes of all that follows the last chunk; it is read and dropped."""


class MalformedBodyError(Exception):
    """A body is not framed as its head says."""


class Body(Protocol):
    """A body that is being read.

    Attributes:
        complete: whether its end has come.
        left: bytes that are known to come.
    """

    complete: bool
    left: int

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Take bytes of the wire; return those of the body among them, and those behind its end."""
        ...


class CountedBody:
    """A body of a known length."""

    def __init__(self, length: int) -> None:
        self.left = length
        self.complete = length == 0

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Count."""
        own = data[: self.left]
        self.left -= len(own)
        self.complete = self.left == 0
        return own, data[len(own) :]


class ChunkedBody:
    """A body in chunks. What is kept between two reads is less than a line."""

    def __init__(self) -> None:
        self.complete = False
        self._kept = b""
        self.left = 0  # bytes of the chunk that is being read, its own line end included
        self._trailer = -1  # bytes of the trailer so far; -1 before the last chunk

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """Decode.

        Raises:
            MalformedBodyError: These are no chunks.
        """
        data, self._kept = self._kept + data, b""
        parts: list[bytes] = []
        at = 0
        while not self.complete and (at := self._whole_chunks(data, at, parts)) < len(data):
            after = self._chunk(data, at, parts) if self.left else self._line(data, at)
            if after == at:
                self._kept = data[at:]
                if len(self._kept) > LONGEST_LINE:
                    raise MalformedBodyError
                return b"".join(parts), b""
            at = after
        return b"".join(parts), data[at:]

    def _whole_chunks(self, data: bytes, at: int, parts: list[bytes]) -> int:
        """Take chunks that are there from their size to their line end, as most are; whatever else comes is left."""
        if self.left or self._trailer >= 0:
            return at
        while (found := _SIZE.match(data, at)) and (size := int(found[1], 16)):
            begin = found.end()
            end = begin + size
            if data[end : end + 2] != b"\r\n" or begin - at > LONGEST_LINE:
                break
            parts.append(data[begin:end])
            at = end + 2
        return at

    def _chunk(self, data: bytes, at: int, parts: list[bytes]) -> int:
        """Take what is there of a chunk, then the line end behind it."""
        own = data[at : at + max(0, self.left - 2)]
        if own:
            parts.append(own)
            self.left -= len(own)
            return at + len(own)
        end = data[at : at + self.left]
        if end != b"\r\n"[2 - self.left :][: len(end)]:
            raise MalformedBodyError
        self.left -= len(end)
        return at + len(end)

    def _line(self, data: bytes, at: int) -> int:
        """Read a line between chunks, or of the trailer; returns `at` when it is not whole yet."""
        end = data.find(b"\n", at) + 1
        if not end:
            return at
        line = data[at:end]
        if self._trailer >= 0:
            self._read_trailer(line)
        elif (found := _SIZE.fullmatch(line)) and len(line) <= LONGEST_LINE:
            size = int(found[1], 16)
            self.left, self._trailer = (size + 2, -1) if size else (0, 0)
        else:
            raise MalformedBodyError
        return end

    def _read_trailer(self, line: bytes) -> None:
        self._trailer += len(line)
        self.complete = line == b"\r\n"
        if not self.complete and (self._trailer > TRAILER_BYTES or not _TRAILER.fullmatch(line)):
            raise MalformedBodyError


def body_of(length: int | None) -> Body:
    """Make the reader of a body: `length` bytes, or chunks when that is None."""
    return ChunkedBody() if length is None else CountedBody(length)
