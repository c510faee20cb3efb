"""What a picture costs, by its size; the size is read from the first bytes of the file.

The rule is that of OpenAI's newer models: squares of 32 pixels, 1.2 tokens each, after the picture was shrunk to fit
2,048 pixels and 2,500 squares.  Two recordings of one picture of 240 x 278 pixels confirm it: gpt-5.4 charged 87 tokens
(72 x 1.2), gpt-4.1-mini 117 (72 x its own 1.62).  Older models (gpt-4o, o1) count tiles of 512 pixels, 85 + 170 each.

The four readers are written by hand: imagesize 2.0 takes 1.6 to 5 times as long, reads the scale in a lossy WebP's
size as part of its width, and looks at whatever a client sends, as TIFF, HEIF or the XML of an SVG.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Callable

from stages.counter.cache import TokenCache

SQUARE = 32
"""Pixels along the side of what is counted."""

MAX_SQUARES = 2_500
"""Squares that are looked at; a larger picture is shrunk."""

MAX_SIDE = 2_048
"""Pixels along the longer side at most."""

PER_SQUARE = 1.2
"""Tokens of a square."""

UNSEEN = 1_229
"""Tokens of a picture whose size we cannot know (an address, a file id, a format without sizes): 1,024 x 1,024."""

HEADS = (1_024, 262_144)
"""Characters of base64 that are looked at, first and then: before a JPEG's size stand preview and colour profile."""

PixelSize = tuple[int, int]
"""Width and height, in pixels."""


def picture_tokens(base64_data: str | None) -> int:
    """Count the tokens of a picture given as base64; None stands for one that is somewhere else.

    A picture that tells its size late is remembered by the hash of its head, so that it is read once though it comes
    with every turn; for the others, reading is cheaper than remembering.
    """
    if not base64_data:
        return UNSEEN
    dimensions = _read(base64_data[: HEADS[0]])
    return _remembered(base64_data[: HEADS[-1]]) if dimensions is None else _cost(dimensions)


def _cost(dimensions: PixelSize | None) -> int:
    return UNSEEN if dimensions is None else math.ceil(PER_SQUARE * _squares(*dimensions))


_remembered = TokenCache(lambda head: _cost(size(head)), entries=1_024)


def _squares(width: int, height: int) -> int:
    scale = min(1.0, MAX_SIDE / max(width, height))
    wide, high = width * scale / SQUARE, height * scale / SQUARE
    return min(MAX_SQUARES, math.ceil(wide) * math.ceil(high))


def size(base64_data: str) -> PixelSize | None:
    """Read width and height of a PNG, GIF, JPEG or WebP; None for anything else, and for what is damaged."""
    return next((dimensions for length in HEADS if (dimensions := _read(base64_data[:length]))), None)


def _read(base64_head: str) -> PixelSize | None:
    try:
        head = base64.b64decode(base64_head + "=" * (-len(base64_head) % 4))
    except (binascii.Error, ValueError):
        return None
    dimensions = next((read(head) for magic, read in _READERS if head.startswith(magic)), None)
    return dimensions if dimensions and min(dimensions) > 0 else None


def _number(raw: bytes, at: int, length: int, order: str = "little") -> int:
    return int.from_bytes(raw[at : at + length], "big" if order == "big" else "little")


def _png(raw: bytes) -> PixelSize:
    return _number(raw, 16, 4, "big"), _number(raw, 20, 4, "big")


def _gif(raw: bytes) -> PixelSize:
    return _number(raw, 6, 2), _number(raw, 8, 2)


_MARK = 0xFF
"""What every segment of a JPEG begins with."""

_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers of segments that describe a frame; the three left out begin tables."""


def _jpeg(raw: bytes) -> PixelSize | None:
    """Walk the segments up to the frame's header, which has the size."""
    at = 2
    while at + 9 <= len(raw) and raw[at] == _MARK:
        marker = raw[at + 1]
        if marker == _MARK:  # filling
            at += 1
        elif marker in _FRAMES:
            return _number(raw, at + 7, 2, "big"), _number(raw, at + 5, 2, "big")
        else:
            at += 2 + _number(raw, at + 2, 2, "big")
    return None


def _webp(raw: bytes) -> PixelSize | None:
    """Read one of the three kinds of WebP, by the name of its first chunk."""
    if raw[12:16] == b"VP8X":
        return _number(raw, 24, 3) + 1, _number(raw, 27, 3) + 1
    if raw[12:16] == b"VP8L":
        packed = _number(raw, 21, 4)
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if raw[12:16] == b"VP8 ":
        return _number(raw, 26, 2) & 0x3FFF, _number(raw, 28, 2) & 0x3FFF
    return None


_READERS: tuple[tuple[bytes, Callable[[bytes], PixelSize | None]], ...] = (
    (b"\x89PNG\r\n\x1a\n", _png),
    (b"GIF8", _gif),
    (b"\xff\xd8", _jpeg),
    (b"RIFF", _webp),
)
"""How a format's files begin, and who reads their size."""
