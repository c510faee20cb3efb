r"""Control characters inside the texts of JSON that passes by in pieces: models write them as they are.

JSON wants `\n` where a model that nobody guides writes a line end, and a client's parser refuses the whole.  So each
becomes its escape.  Between tokens they are white space, and stay; so it must be known whether a piece begins inside a
text.  That is counted only once such a character has come: what is said before costs a glance.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_CONTROL = re.compile(r"[\x00-\x1f]")
_TOKEN = re.compile(r'\\.|"|[\x00-\x1f]|\\\Z', re.DOTALL)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


class ControlCharacters:
    """The transducer of one JSON text: pieces in, pieces out, of the same text with escapes.

    Attributes:
        found: whether any had to be escaped.
    """

    def __init__(self, told: Sequence[str]) -> None:
        """Begin a text.

        Args:
            told: all pieces so far, which grows while they come; the one that is fed is its last.
        """
        self.found = False
        self._told = told
        self._counted = 0
        self._inside = False
        self._escaped = False

    def feed(self, text: str) -> str:
        """Take the next piece; return it with escapes."""
        if _CONTROL.search(text) is None:
            return text
        for earlier in self._told[self._counted : -1]:
            self._count(earlier)
        self._counted = len(self._told)
        begin = text[:1] if self._escaped else ""
        rest, self._escaped = text[len(begin) :], False
        return begin + _TOKEN.sub(self._read, rest)

    def _count(self, text: str) -> None:
        plain = text[self._escaped :].replace("\\\\", "").replace('\\"', "")
        if text:
            self._escaped = plain.endswith("\\")
        self._inside ^= plain.count('"') % 2 == 1

    def _read(self, token: re.Match[str]) -> str:
        said = token[0]
        if said == '"':
            self._inside = not self._inside
        elif said == "\\":
            self._escaped = True
        elif said[0] != "\\" and self._inside:
            self.found = True
            return _SHORT.get(said) or f"\\u{ord(said):04x}"
        return said
