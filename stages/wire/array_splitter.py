"""A long array inside a JSON object, cut into its elements as the bytes come, so that it is never whole in memory.

Only where an element begins and ends is found here; whether it is JSON is for its reader to say. What stands around
the array is kept, to be read at the end.
"""

from __future__ import annotations

import re

from stages.wire import json

_OUTSIDE = re.compile(rb'["{}\[\],]')
_INSIDE = re.compile(rb'["\\]')
_SPACE = b" \t\r\n"
_MOST_NAME = 256  # bytes of a member's name that are kept; longer ones are none that anybody looks for


class ArraySplitter:
    """Yields the elements of the array that the member `name` of an object is.

    Attributes:
        begun: whether the array was found.
        ended: whether the object has ended, and with it the array.
    """

    def __init__(self, name: str) -> None:
        self._wanted = name.encode()
        self._depth = 0
        self._quoted = False
        self._escaped = False
        self._name = bytearray()
        self._array = False
        self._element = bytearray()
        self._around = bytearray()
        self._wrong = self._comma = False
        self.begun = False
        self.ended = False

    @property
    def element(self) -> int:
        """Bytes of the element that has begun."""
        return len(self._element)

    @property
    def around(self) -> int:
        """Bytes that are no element."""
        return len(self._around)

    def whole(self) -> bool:
        """Whether all but the elements is the JSON of one object, with one such array at most."""
        try:
            return self.ended and not self._wrong and isinstance(json.decode(bytes(self._around)), dict)
        except json.MalformedJson:
            return False

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the elements that they finish."""
        found: list[bytes] = []
        at, copied, kept = 0, 0, 0
        while at < len(data):
            if self._escaped:
                self._escaped, at = False, at + 1
                continue
            token = (_INSIDE if self._quoted else _OUTSIDE).search(data, at)
            if token is None:
                break
            before, at = token.start(), token.end()
            if self._quoted:
                self._in_string(token[0], data[copied:before])
                copied = copied if self._collecting else at
                continue
            if self._divides(token[0]):
                self._element += data[copied:before]
                copied = at
                found += self._finished(token[0])
            collecting = self._collecting
            self._outside(token[0])
            if not (collecting and self._collecting):
                copied = at
            if collecting != self._collecting:
                kept = self._crossed(data, kept, token)
        self._keep_rest(data, copied, kept)
        return found

    def _keep_rest(self, data: bytes, copied: int, kept: int) -> None:
        """Keep what stands behind the last token."""
        if self._array:
            self._element += data[copied:]
            return
        if self._quoted and len(self._name) < _MOST_NAME:
            self._name += data[copied:]
        self._around += data[kept:]

    def _finished(self, token: bytes) -> list[bytes]:
        """Take the element before a token; nothing may stand there only in an empty array."""
        whole = bytes(self._element.strip(_SPACE))
        self._wrong |= not whole and (token == b"," or self._comma)
        self._comma = token == b","
        self._element.clear()
        return [whole] if whole else []

    def _crossed(self, data: bytes, kept: int, token: re.Match[bytes]) -> int:
        """Keep what stands before the array that begins with a token; say from where on to keep what follows it."""
        if self._array:
            self._around += data[kept : token.end()]
        return token.start()

    @property
    def _collecting(self) -> bool:
        return self._array

    def _divides(self, token: bytes) -> bool:
        """Whether a token ends an element of the array."""
        return self._array and self._depth == 2 and token in b",]"  # noqa: PLR2004 - the object, and the array in it

    def _in_string(self, token: bytes, before: bytes) -> None:
        if not self._array and len(self._name) < _MOST_NAME:
            self._name += before
        if token == b"\\":
            self._escaped = True
        else:
            self._quoted = False

    def _outside(self, token: bytes) -> None:
        if token == b'"':
            self._quoted = True
            if not self._array and self._depth == 1:
                self._name.clear()
        elif token in b"{[":
            self._depth += 1
            if token == b"[" and self._depth == 2 and self._name == self._wanted:  # noqa: PLR2004 - as above
                self._wrong |= self.begun
                self._array = self.begun = True
                self._comma = False
        elif token in b"}]":
            self._depth -= 1
            self._array = self._array and self._depth > 1
            self.ended = self.ended or self._depth == 0
