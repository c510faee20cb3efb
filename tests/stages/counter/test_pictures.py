"""A picture's size is read from its first bytes, and its cost follows from it."""

from __future__ import annotations

import base64
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.counter.pictures import MAX_SQUARES, PER_SQUARE, UNSEEN, picture_tokens, size


def png(width: int, height: int) -> bytes:
    """Make the beginning of a PNG."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBBI", 13, b"IHDR", width, height, 8, 2, 0, 0, 0, 0)


def gif(width: int, height: int) -> bytes:
    """Make the beginning of a GIF."""
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0)


def jpeg(width: int, height: int, preview: int = 100) -> bytes:
    """Make the beginning of a JPEG with a preview of so many bytes, a table, filling and a progressive frame."""
    segments = b""
    while preview > 0:
        part = min(preview, 60_000)
        segments += b"\xff\xe1" + struct.pack(">H", part + 2) + b"p" * part
        preview -= part
    table = b"\xff\xc4" + struct.pack(">H", 5) + b"tab"
    return b"\xff\xd8" + segments + table + b"\xff\xff\xc2" + struct.pack(">HBHHB", 17, 8, height, width, 3)


def webp(kind: bytes, body: bytes) -> bytes:
    """Make the beginning of a WebP of a kind."""
    return b"RIFF" + struct.pack("<I", 100) + b"WEBP" + kind + struct.pack("<I", 50) + body


FILES = {
    "png": png(800, 600),
    "gif": gif(800, 600),
    "jpeg": jpeg(800, 600),
    "jpeg behind a long preview": jpeg(800, 600, preview=150_000),
    "webp extended": webp(b"VP8X", b"\0\0\0\0" + (799).to_bytes(3, "little") + (599).to_bytes(3, "little")),
    "webp lossless": webp(b"VP8L", b"\x2f" + (799 | 599 << 14).to_bytes(4, "little")),
    "webp lossy": webp(b"VP8 ", b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 800 | 1 << 14, 600)),
}


def encoded(raw: bytes) -> str:
    """Write bytes as base64."""
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize("kind", FILES)
def test_size(kind: str) -> None:
    """Each format's size is found, with whatever follows the header, and with the padding left out."""
    assert size(encoded(FILES[kind])) == (800, 600)
    assert size(encoded(FILES[kind] + b"x" * 5_000)) == (800, 600)
    assert size(encoded(FILES[kind]).rstrip("=")) == (800, 600)


@pytest.mark.parametrize(
    "raw", [b"", b"BM" + b"x" * 60, png(0, 600), png(800, 600)[:10], jpeg(8, 8)[:40], webp(b"ALPH", b"x" * 20)]
)
def test_no_size(raw: bytes) -> None:
    """Other formats, cut headers and empty pictures have none, and cost what an unseen picture costs."""
    assert size(encoded(raw)) is None
    assert picture_tokens(encoded(raw)) == UNSEEN


@given(st.binary(max_size=60), st.sampled_from([raw[:14] for raw in FILES.values()]))
def test_damage_is_no_error(rest: bytes, head: bytes) -> None:
    """Whatever stands in a file or for one, there is a cost, and a bounded one."""
    assert 0 < picture_tokens(encoded(head + rest)) <= MAX_SQUARES * PER_SQUARE
    assert picture_tokens(rest.decode("latin-1")) > 0


@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    [
        (1, 1, 2),
        (240, 278, 87),  # as gpt-5.4 charged
        (1024, 1024, UNSEEN),
        (4096, 1024, 1_229),  # shrunk to 2,048 x 512: 64 x 16 squares
        (8000, 8000, 3_000),
        (2**32 - 1, 1, 77),
    ],
)
def test_cost(width: int, height: int, tokens: int) -> None:
    """Squares of 32 pixels at 1.2 tokens, of at most 2,048 pixels and 2,500 squares."""
    assert picture_tokens(encoded(png(width, height))) == tokens


def test_a_picture_that_is_elsewhere() -> None:
    """Of an address or a file id, nothing is known."""
    assert picture_tokens(None) == UNSEEN
