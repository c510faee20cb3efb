"""The pieces of a source: what a citation of them says, and which of them one means."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.citable import Citable, Unit

PIECES = ("One is so. ", "Two is so.", "", "Four.")


def source(unit: Unit) -> Citable:
    """A source of four pieces."""
    return Citable(unit, 2, PIECES, "A title", "https://a.example")


@pytest.mark.parametrize(
    ("unit", "where"),
    [
        (
            Unit.CHARACTERS,
            {"document_index": 2, "document_title": "A title", "start_char_index": 11, "end_char_index": 26},
        ),
        (Unit.BLOCKS, {"document_index": 2, "document_title": "A title", "start_block_index": 1, "end_block_index": 4}),
        (
            Unit.FOUND_BLOCKS,
            {
                "search_result_index": 2,
                "source": "https://a.example",
                "title": "A title",
                "start_block_index": 1,
                "end_block_index": 4,
            },
        ),
    ],
)
def test_what_a_citation_says(unit: Unit, where: dict[str, Any]) -> None:
    """Anthropic's fields of each kind, and the source's own words."""
    found = source(unit).citation(1, 3)

    assert found is not None
    file = {} if unit is Unit.FOUND_BLOCKS else {"file_id": None}
    assert found == {"type": unit.value, "cited_text": "Two is so.Four.", **file, **where}


@pytest.mark.parametrize("place", [(0, 4), (3, 2), (2, 2), (9, 9)])
def test_what_is_not_there_is_not_cited(place: tuple[int, int]) -> None:
    """Nor is what says nothing."""
    assert source(Unit.BLOCKS).citation(*place) is None


@given(st.sampled_from(Unit), st.lists(st.text(min_size=1), min_size=1, max_size=6), st.data())
def test_a_citation_means_its_pieces(unit: Unit, pieces: list[str], data: st.DataObject) -> None:
    """There and back; and its text is what stands there."""
    citable = Citable(unit, 0, tuple(pieces))
    first = data.draw(st.integers(0, len(pieces) - 1))
    last = data.draw(st.integers(first, len(pieces) - 1))
    citation = citable.citation(first, last)

    if citation is not None:
        assert citable.cited(citation) == (first, last)
        if unit is Unit.CHARACTERS:
            start, end = citation["start_char_index"], citation["end_char_index"]
            assert "".join(pieces)[start:end] == citation["cited_text"]


@pytest.mark.parametrize(
    "citation",
    [
        {},
        {"start_char_index": "0", "end_char_index": 3},
        {"start_char_index": 3, "end_char_index": 3},
        {"start_char_index": 0, "end_char_index": 900},
        {"start_char_index": -1, "end_char_index": 2},
    ],
)
def test_a_place_that_is_none(citation: dict[str, Any]) -> None:
    """Of a client's own making, or in a source that has changed."""
    assert source(Unit.CHARACTERS).cited(citation) is None
    assert source(Unit.BLOCKS).cited({name.replace("char", "block"): value for name, value in citation.items()}) is None
