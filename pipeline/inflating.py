"""Compressed bodies, inflated piece by piece: whatever they inflate to, no more than a piece of it is made at once."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

INFLATED_PIECE = 2**18
"""Bytes of one piece: what inflates in a millisecond."""

GZIP, DEFLATE, ANY = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, 32 + zlib.MAX_WBITS
"""The forms, in zlib's numbers; `ANY` tells the two apart by their first bytes."""

_MEMBER = b"\x1f\x8b"
# How a member of gzip begins.


class Inflater:
    """Inflates one body, of one member or several (RFC 1952, section 2.2); what follows the last one is padding.

    Args:
        form: `GZIP`, `DEFLATE` or `ANY`.
    """

    def __init__(self, form: int) -> None:
        self._form = form
        self._inflater = zlib.decompressobj(form)
        self._between = b""  # half of the two bytes by which a member would begin

    @property
    def complete(self) -> bool:
        """Whether the body may end here."""
        return self._inflater.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take the next bytes; yield what they inflate to, in pieces. All must be taken before the next call.

        Raises:
            zlib.error: They are not of this form.
        """
        full = False
        while data or full:
            if self._inflater.eof:
                data = self._between + data
                self._between = data if len(data) < len(_MEMBER) and _MEMBER.startswith(data) else b""
                if not data.startswith(_MEMBER):
                    return
                self._inflater = zlib.decompressobj(self._form)
            piece = self._inflater.decompress(data, INFLATED_PIECE)
            data = self._inflater.unconsumed_tail or self._inflater.unused_data
            full = len(piece) == INFLATED_PIECE and not self._inflater.eof
            if piece:
                yield piece
