"""Annotations become citations and come back; whatever else stands there does no harm."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.request import Text
from stages.tables import citations
from tests.stages.strategies import JSON, OBJECTS, TEXTS

NUMBERS = st.integers(0, 10_000)


@given(NUMBERS, NUMBERS, TEXTS.filter(bool), TEXTS, NUMBERS)
def test_there_and_back(start: int, length: int, url: str, title: str, offset: int) -> None:
    """The annotation that goes back is the one that came."""
    annotation = {
        "type": "url_citation",
        "start_index": start,
        "end_index": start + length,
        "title": title,
        "url": url,
    }
    citation = citations.citation_of(annotation, offset)

    assert citation is not None
    assert (citation["type"], citation["url"], citation["title"]) == ("web_search_result_location", url, title or None)
    assert citation["cited_text"] == ""
    place = citations.place_of(citation)
    assert place is not None
    assert place.offset == offset
    assert citations.annotation_of(citation, place) == annotation


@given(OBJECTS, JSON, JSON, JSON, JSON)
def test_any_annotation(body: dict[str, Any], kind: Any, url: Any, start: Any, end: Any) -> None:
    """Nothing raises, a range is one, and what it is called is a word of ours."""
    for annotation in (body, {"type": kind, "url": url, "start_index": start, "end_index": end, "index": start}):
        begin, close = citations.range_of(annotation)
        assert 0 <= begin <= close
        assert citations.name_of(annotation).startswith("annotation")
        assert len({citations.annotation_key(annotation), citations.annotation_key(dict(annotation))}) == 1
        citation = citations.citation_of(annotation)
        assert citation is None or citation["url"] == annotation["url"]


@pytest.mark.parametrize(
    "citation",
    [
        {"type": "web_search_result_location", "url": "http://x", "encrypted_index": "EpMB"},
        {"type": "web_search_result_location", "url": "http://x"},
        {"type": "char_location", "document_index": 0},
        {"type": "web_search_result_location", "url": None, "encrypted_index": "dragoman-cite1.WzAsMCwxXQ=="},
        {},
    ],
)
def test_citations_of_others(citation: dict[str, Any]) -> None:
    """They have no place in a text of ours."""
    assert citations.place_of(citation) is None


@pytest.mark.parametrize(("said", "found"), [(None, 0), ("x", 0), ([], 0), ([1, {}], 1), ([{}, {}], 2)])
def test_what_a_client_may_say(said: Any, found: int) -> None:
    """A list of objects, or nothing."""
    assert len(citations.citations_on(Text("a", extra={"citations": said}))) == found
    assert citations.citations_on(Text("a")) == []


def test_files_are_told_apart_by_where_they_are_cited() -> None:
    """A file that is cited twice counts twice; the same annotation said again does not."""
    once, twice = ({"type": "file_citation", "file_id": "file-1", "index": index} for index in (3, 5))

    assert citations.annotation_key(once) != citations.annotation_key(twice)
    assert citations.annotation_key(once) == citations.annotation_key(dict(once))
