"""Sources get their numbers by the order of the conversation."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.request import Document, Image, SearchResult, Source, Text
from stages.citing.sources import Sources, wants_citations

WANTED = {"citations": {"enabled": True}}
PLAIN = Document(Source("text", "text/plain", "x"), "T", extra=WANTED)
UNCITED = Document(Source("text", "text/plain", "x"))
BLOCKS = Document(
    Source("content", content=(Text("a"), Image(Source("url", url="https://i")), Text("b"))), extra=WANTED
)
FOUND = SearchResult("https://s", "S", (Text("found"),), extra=WANTED)


def test_numbers() -> None:
    """Documents and search results are counted apart, and those that are not cited count as well."""
    sources = Sources()
    for block, text in ((UNCITED, "x"), (PLAIN, "One."), (FOUND, None), (PLAIN, None), (BLOCKS, None)):
        sources.number(block, text)

    assert {label: source.pieces for label, source in sources.known.items()} == {
        "1": ("One.",),
        "s0": ("found",),
        "3": ("a", "", "b"),
    }


def test_an_answer_that_cites_nothing() -> None:
    """Whatever is asked."""
    sources = Sources("a reason")

    assert sources.number(PLAIN, "One.") is None
    assert sources.known == {}


@pytest.mark.parametrize("asked", [None, {}, {"enabled": False}, {"enabled": "yes"}, True])
def test_who_wants_none(asked: Any) -> None:
    """Only a plain yes is one."""
    assert not wants_citations(SearchResult("s", "t", (), extra={"citations": asked}))


def test_marks_come_back() -> None:
    """Around what cites a source of the request, by its place; other citations make none."""
    sources = Sources()
    for block, text in ((PLAIN, "The first sentence is long enough. The second is, too."), (FOUND, None)):
        sources.number(block, text)
    first: dict[str, Any] = {"type": "char_location", "document_index": 0, "start_char_index": 3, "end_char_index": 9}
    found = {"type": "search_result_location", "search_result_index": 0, "start_block_index": 0, "end_block_index": 1}

    assert sources.marked("So. ", [first, found, first]) == '<cite refs="0.0 s0.0">So.</cite> '
    assert sources.marked("So.", [{**first, "document_index": 1}]) is None
    assert sources.marked("So.", [{**first, "type": "content_block_location"}]) is None
    assert sources.marked("So.", [{"type": "web_search_result_location"}, {}]) is None
    assert sources.marked("  ", [first]) is None
