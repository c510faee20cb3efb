"""Media types, and base64 as clients write it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.tables.media_types import ENDINGS, PICTURE_TYPES, PROSE, ending_of, is_text, read_base64
from tests.stages.strategies import TEXTS


@pytest.mark.parametrize(
    ("media_type", "ending"),
    [("application/pdf", "pdf"), ("text/x-unheard-of", "txt"), ("application/vnd.api+json", "txt"), ("a/b", "bin")],
)
def test_endings(media_type: str, ending: str) -> None:
    """From the table, else by whether it is a text."""
    assert ending_of(media_type) == ending


@pytest.mark.parametrize("media_type", sorted(PROSE))
def test_prose_is_text(media_type: str) -> None:
    """What becomes text can be read as one, and is no picture."""
    assert is_text(media_type)
    assert media_type in ENDINGS
    assert media_type not in PICTURE_TYPES


@given(st.binary(max_size=60), st.integers(1, 30), st.booleans(), st.sampled_from(["", "data:a/b;base64,"]))
def test_line_breaks_and_heads_are_taken_off(raw: bytes, width: int, padded: bool, head: str) -> None:
    """Whatever a client's encoder adds, the bytes stay."""
    plain = base64.b64encode(raw).decode()
    lines = "\r\n".join(plain[at : at + width] for at in range(0, len(plain), width))
    found = read_base64(head + (lines if padded else plain), None, "c/d")

    assert (found.media_type, found.data) == ("a/b" if head else "c/d", plain)
    assert found.text == _decoded(raw)


def _decoded(raw: bytes) -> str | None:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


@given(TEXTS, st.none() | TEXTS)
def test_any_string(data: str, media_type: str | None) -> None:
    """Nothing raises, and the type is one word in lower case."""
    found = read_base64(data, media_type, "c/d")

    assert found.media_type == found.media_type.lower().strip()
    assert found.text is None or isinstance(found.text, str)
    assert data not in repr(found) or len(data) < 20


def test_what_the_client_says_counts() -> None:
    """More than the head of a `data:` URL; parameters do not."""
    assert read_base64("data:a/b;x=y;base64,AAA=", "Text/CSV; charset=utf-8", "c/d").media_type == "text/csv"
    assert read_base64("data:broken", None, "c/d").data == "data:broken"


def test_missing_padding() -> None:
    """Some encoders leave it out."""
    assert read_base64("YQ", "text/plain", "").text == "a"
