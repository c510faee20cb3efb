"""Compressed bodies: the same bytes come out however they are cut, and never many of them at once."""

from __future__ import annotations

import gzip
import zlib
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inflating import ANY, DEFLATE, GZIP, INFLATED_PIECE, Inflater
from tests.stages.strategies import PLACES, cut


def inflated(data: bytes, form: int = GZIP, places: list[int] | None = None) -> tuple[bytes, bool]:
    """Inflate a body that is cut at these places; say whether it may end there."""
    inflater = Inflater(form)
    return b"".join(piece for part in cut(data, places or []) for piece in inflater.feed(part)), inflater.complete


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=4), st.sampled_from([b"", b"\0\0", b"\x1f"]), PLACES)
def test_members_add_up(members: list[bytes], padding: bytes, places: list[int]) -> None:
    """However many there are, however they are cut, and whatever fills up the end."""
    packed = b"".join(gzip.compress(member, mtime=0) for member in members) + padding

    assert inflated(packed, GZIP, places) == inflated(packed, ANY, places) == (b"".join(members), True)


@pytest.mark.parametrize("form", [DEFLATE, ANY])
def test_deflate_is_one_stream(form: int) -> None:
    """With zlib's head, as the standard has it."""
    assert inflated(zlib.compress(b"hello"), form) == (b"hello", True)


@given(st.integers(min_value=0, max_value=60))
def test_a_body_without_its_end_is_not_complete(left: int) -> None:
    """Wherever it was cut, in whichever member."""
    packed = gzip.compress(b"hello" * 9, mtime=0) * 2
    half = len(packed) // 2

    assert inflated(packed[: half + left])[1] is (left in (0, 1) or half + left >= len(packed))


@pytest.mark.parametrize("size", [INFLATED_PIECE, 3 * INFLATED_PIECE + 1, 2**26])
def test_a_bomb_comes_in_pieces(size: int) -> None:
    """None is made before it is asked for, and none is lost."""
    packed = gzip.compress(bytes(size), mtime=0)
    pieces = [len(piece) for piece in Inflater(GZIP).feed(packed)]

    assert (max(pieces), sum(pieces)) == (INFLATED_PIECE, size)
    assert len(list(islice(Inflater(GZIP).feed(packed), 1))) == 1


@pytest.mark.parametrize(
    "data",
    [b"plain", b"\x1f\x8b\x09\x00", gzip.compress(b"hello", mtime=0)[:-8] + bytes(8)],
    ids=["plain", "no head", "wrong sum"],
)
def test_what_is_none_is_an_error(data: bytes) -> None:
    """Also where only the checksum is wrong."""
    with pytest.raises(zlib.error):
        inflated(data)
