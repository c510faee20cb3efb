"""A long array inside a JSON object, cut into its elements as the bytes come, so that it is never whole in memory.

Only where an element begins and ends is found here; whether it is JSON is for its reader to say.
"""

from __future__ import annotations

import re

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
        self.begun = False
        self.ended = False

    @property
    def pending(self) -> int:
        """Bytes of the element that has begun."""
        return len(self._element)

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next bytes; return the elements that they finish."""
        found: list[bytes] = []
        at, copied = 0, 0
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
                if whole := bytes(self._element.strip(_SPACE)):
                    found.append(whole)
                self._element.clear()
            collecting = self._collecting
            self._outside(token[0])
            if not (collecting and self._collecting):
                copied = at
        if self._collecting:
            self._element += data[copied:]
        elif self._quoted and len(self._name) < _MOST_NAME:
            self._name += data[copied:]
        return found

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
                self._array = self.begun = True
        elif token in b"}]":
            self._depth -= 1
            self._array = self._array and self._depth > 1
            self.ended = self.ended or self._depth == 0
