"""A text with marks in it becomes blocks: what cites stands alone, with its sources in front."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.citable import Citable, Unit
from stages.canonical.events import BLOCK_STOP, CitationsDelta, TextDelta, TextStart
from stages.citing.marks import CITATION_MARK
from stages.correlator.mark_cutter import MarkCutter
from stages.correlator.text_blocks import TextEvent

SOURCES = {"0": Citable(Unit.BLOCKS, 0, ("One.", "Two."))}
A, B, OFF = '<cite refs="0.0">', '<cite refs="0.1">', "</cite>"

Block = tuple[str, list[str]]


def blocks(said: Iterable[TextEvent]) -> list[Block]:
    """The blocks, each with what it cites; checks that each is well-formed."""
    found: list[Block] = []
    is_open = cited = False
    for event in said:
        if isinstance(event, TextStart):
            assert not is_open
            is_open, cited = True, event.cited
            found.append(("", []))
        elif isinstance(event, CitationsDelta):
            assert cited
            assert not found[-1][0]
            found[-1][1].append(event.citation["cited_text"])
        elif isinstance(event, TextDelta):
            assert event.text
            found[-1] = (found[-1][0] + event.text, found[-1][1])
        else:
            assert event == BLOCK_STOP
            is_open = False
    assert not is_open
    return found


def cut(pieces: Iterable[str]) -> tuple[list[Block], int]:
    """The blocks of a text, and how many citations were left out."""
    cutter = MarkCutter(SOURCES)
    said = [event for piece in pieces for event in cutter.feed(piece)]
    return blocks([*said, *cutter.finish()]), cutter.left_out.total()


@pytest.mark.parametrize(
    ("text", "expected", "left_out"),
    [
        ("plain", [("plain", [])], 0),
        (f"So: {A}it is.{OFF} And.", [("So: ", []), ("it is. ", ["One."]), ("And.", [])], 0),
        (f"{A}a{OFF}{B}b{OFF}", [("a", ["One."]), ("b", ["Two."])], 0),
        (f'<cite refs="0.0 0.1 0.0-1">a{OFF}', [("a", ["One.", "Two.", "One.Two."])], 0),
        (f"{A}never closed", [("never closed", ["One."])], 0),
        (f"{A}a{B}b{OFF}c", [("a", ["One."]), ("b", ["Two."]), ("c", [])], 0),
        (f'x <cite refs="9.9">is{OFF} y', [("x is y", [])], 1),
        (f"a{OFF} b", [("a b", [])], 0),
        (f"{A}  {OFF}a", [("  a", [])], 0),
        ("  \n", [], 0),
        ("1 < 2, <b>x</b> <cite>y", [("1 < 2, <b>x</b> <cite>y", [])], 0),
        (f"a{A}", [("a", [])], 0),
    ],
)
def test_how_it_is_cut(text: str, expected: list[Block], left_out: int) -> None:
    """Marks go out of the text; the space behind cited words stays with them; no block is white space alone."""
    assert cut([text]) == (expected, left_out)
    assert cut(text) == (expected, left_out)


@given(st.lists(st.sampled_from([A, B, OFF, "a ", "b", "<", "\n", '<cite refs="7.7">']), max_size=12), st.data())
def test_nothing_is_lost_however_it_comes(parts: list[str], data: st.DataObject) -> None:
    """The sum of the blocks is the text without its marks, and where deltas end never matters (law 4)."""
    text = "".join(parts)
    at = data.draw(st.lists(st.integers(0, len(text)), max_size=5).map(sorted))
    made, _ = cut(text[begin:end] for begin, end in zip([0, *at], [*at, len(text)], strict=True))

    plain = CITATION_MARK.sub("", text)
    assert "".join(words for words, _ in made).rstrip() == plain.rstrip()
    assert all(words.strip() for words, _ in made)
    assert made == cut([text])[0]


def test_what_can_be_said_is_said_at_once() -> None:
    """Cited words stream: their sources came in front of them."""
    cutter = MarkCutter(SOURCES)

    assert cutter.feed("So <") == [TextStart(), TextDelta("So ")]
    assert cutter.feed(f"{A[1:]}it") == [BLOCK_STOP, *_cited("One.", "it")]
    assert cutter.feed(" is") == [TextDelta(" is")]


def _cited(source: str, words: str) -> list[TextEvent]:
    citation = SOURCES["0"].citation(0, 0)
    assert citation is not None
    assert citation["cited_text"] == source
    return [TextStart(cited=True), CitationsDelta(citation), TextDelta(words)]


def test_an_annotation_has_no_place() -> None:
    """It counts once, however often it comes."""
    cutter = MarkCutter(SOURCES)
    note = {"type": "url_citation", "start_index": 0, "end_index": 1, "url": "https://a", "title": "a"}

    assert cutter.cite(note) == cutter.cite(note) == []
    assert dict(cutter.left_out) == {"annotation url_citation": 1}
