"""The marks of sources and of the words that rest on them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.citable import Citable, Unit
from stages.citing.marks import CITATION_MARK, citations_in, marked, numbered, reference, undecided

DOCUMENT = Citable(Unit.CHARACTERS, 0, ("One. ", "Two. ", "Three."))
FOUND = Citable(Unit.FOUND_BLOCKS, 1, ("Found.",), "t", "https://a")
SOURCES = {each.label: each for each in (DOCUMENT, FOUND)}


@pytest.mark.parametrize(
    ("references", "cited"),
    [
        ("0.1", ["Two. "]),
        ("0.0-1 s1.0", ["One. Two. ", "Found."]),
        ("0.0,0.2 0.0", ["One. ", "Three."]),
        ("0.7 1.0 x 0.2-1 s1", [None] * 5),
        ("0.1-999999", [None]),
        ("", []),
    ],
)
def test_what_a_mark_names(references: str, cited: list[str | None]) -> None:
    """Each place once, and none for what is not there."""
    assert [each and each["cited_text"] for each in citations_in(references, SOURCES)] == cited


@given(st.text(st.sampled_from('<>/cite refs="0.12-s" ab'), max_size=60), st.integers(0, 60))
def test_what_may_pass(text: str, at: int) -> None:
    """No beginning of a mark is let go: wherever a text is cut, the marks in it are found."""
    before, after = text[:at], text[at:]
    whole = [mark.span() for mark in CITATION_MARK.finditer(text)]
    begun = [start for start, end in whole if start < at < end]

    assert undecided(before) <= min(begun, default=len(before))
    assert undecided(after) <= len(after)


def test_what_is_written() -> None:
    """A piece with its number; words in marks, with the space behind them outside."""
    assert numbered(DOCUMENT, 1) == "[0.1] Two. "
    assert (reference(DOCUMENT, 1, 1), reference(FOUND, 0, 2)) == ("0.1", "s1.0-2")
    text = marked("So it is.\n\n", ["0.1", "s1.0"])
    assert text == '<cite refs="0.1 s1.0">So it is.</cite>\n\n'
    assert [mark["refs"] for mark in CITATION_MARK.finditer(text)] == ["0.1 s1.0", None]
