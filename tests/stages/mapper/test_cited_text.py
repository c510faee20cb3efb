"""Texts that citations had cut become one text again, with its annotations."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.events import CitationsDelta, TextDelta, TextStart
from stages.canonical.report import Disposition, Report
from stages.canonical.request import ContentBlock, Text, ToolUse
from stages.correlator.citation_cutter import CitationCutter
from stages.mapper.cited_text import cited_texts
from stages.tables.citations import citation_of
from tests.support.cases import cases
from tests.support.places import place

FOREIGN = {"type": "web_search_result_location", "url": "http://f", "title": "F", "encrypted_index": "EpMB"}

Annotation = dict[str, Any]


def note(start: int, end: int, url: str = "http://a") -> Annotation:
    """An annotation, as the upstream makes it."""
    return {"type": "url_citation", "start_index": start, "end_index": end, "title": "A", "url": url}


def cited(text: str, offset: int, *annotations: Annotation) -> Text:
    """A block of ours that came back."""
    return Text(text, extra={"citations": [citation_of(annotation, offset) for annotation in annotations]})


def shown(text: str, *annotations: Annotation) -> list[Text]:
    """The blocks in which a client got one text, as it sends them back."""
    cutter = CitationCutter()
    said = [event for annotation in annotations for event in cutter.cite(annotation)]
    blocks: list[tuple[str, list[Any]]] = []
    for event in [*said, *cutter.feed(text), *cutter.finish()]:
        if isinstance(event, TextStart):
            blocks.append(("", []))
        elif isinstance(event, CitationsDelta):
            blocks[-1][1].append(event.citation)
        elif isinstance(event, TextDelta):
            blocks[-1] = (blocks[-1][0] + event.text, blocks[-1][1])
    return [Text(text, extra={"citations": told} if told else {}) for text, told in blocks]


def joined(*content: ContentBlock) -> tuple[dict[int, tuple[str, list[Annotation]]], list[tuple[str, Disposition]]]:
    """What goes back, by the index of its first block, and what was noted."""
    report = Report()
    by_index = cited_texts(content, place("messages.1.content"), report)
    told = {index: (cited_text.text, list(cited_text.annotations)) for index, cited_text in by_index.items()}
    return told, [(note.path, note.disposition) for note in report.notes]


ONE, TWO = note(3, 5), note(8, 9, "http://b")


@cases(
    ("content", "expected"),
    [
        ([Text("a"), Text("b")], {0: ("a", []), 1: ("b", [])}),
        (shown("ab cd ef gh", ONE, TWO), {0: ("ab cd ef gh", [ONE, TWO])}),
        (shown("cd ef", note(0, 2)), {0: ("cd ef", [note(0, 2)])}),
        ([*shown("ab cd ef", ONE), Text("next")], {0: ("ab cd ef", [ONE]), 3: ("next", [])}),
        ([Text("first"), *shown("cd ef", note(0, 2))], {0: ("first", []), 1: ("cd ef", [note(0, 2)])}),
        ([Text("first"), *shown("ab cd", ONE)], {0: ("first", []), 1: ("ab cd", [ONE])}),
        ([*shown("cd", note(0, 2)), *shown("ab cd", ONE)], {0: ("cd", [note(0, 2)]), 1: ("ab cd", [ONE])}),
        (
            [*shown("ab cd", ONE), ToolUse("toolu_1", "f", {}), *shown("ab cd", ONE)],
            {0: ("ab cd", [ONE]), 3: ("ab cd", [ONE])},
        ),
        ([cited("cd", 0, note(0, 9))], {0: ("cd", [note(0, 2)])}),
        ([cited("cd", 0, note(1, 2), note(0, 1))], {0: ("cd", [note(0, 1), note(1, 2)])}),
    ],
)
def test_what_goes_back(content: list[ContentBlock], expected: dict[int, Any]) -> None:
    """One text for each that the upstream said, inside one run of texts; ranges stay inside it."""
    told, notes = joined(*content)

    assert told == expected
    assert {disposition for _, disposition in notes} <= {Disposition.TRANSLATED}


def test_citations_of_ours_are_noted() -> None:
    """Those that are told again are translated; another service's have no word here, so the tables say it."""
    blocks = shown("ab cd ef", ONE)

    assert joined(*blocks)[1] == [("messages.1.content.1.citations", Disposition.TRANSLATED)]
    assert joined(Text("a", extra={"citations": [FOREIGN]})) == ({0: ("a", [])}, [])
    mixed = Text("cd", extra={"citations": [citation_of(note(0, 2)), FOREIGN]})
    assert joined(mixed) == ({0: ("cd", [note(0, 2)])}, [])


def test_a_text_of_another_service_stands_alone() -> None:
    """It was not cut from the text before it."""
    foreign = Text("x", extra={"citations": [FOREIGN]})

    assert joined(*shown("cd", note(0, 2)), foreign, Text("y"))[0] == {
        0: ("cd", [note(0, 2)]),
        1: ("x", []),
        2: ("y", []),
    }


@pytest.mark.parametrize("before", [[], [Text("changed")]])
def test_a_history_that_was_edited(before: list[ContentBlock]) -> None:
    """Where the text before a citation is another one, its place is lost: the text stays, the citation is reported."""
    told, notes = joined(*before, cited("cd", 3, ONE), Text("ef"))

    at = len(before)
    assert told[at] == ("cd", [])
    assert told[at + 1] == ("ef", [])
    assert notes == [(f"messages.1.content.{at}.citations", Disposition.DROPPED)]


@given(
    st.lists(
        st.tuples(
            st.text("ab .é🙂", min_size=1, max_size=20).filter(str.strip),
            st.lists(st.builds(note, st.integers(0, 15), st.integers(1, 25)), max_size=3),
        ),
        max_size=4,
    )
)
def test_there_and_back(texts: list[tuple[str, list[Annotation]]]) -> None:
    """Whatever texts a message had: they come back as they were, and ranges that made sense with them.

    A text without citations is told from its neighbours unless the one before it ends with a cited block.
    """
    content: list[Text] = []
    expected: list[str] = []
    for text, notes in texts:
        known = [a for a in notes if text[a["start_index"] : a["end_index"]].strip()]
        blocks = shown(text, *known)
        glued = content and content[-1].extra and len(blocks) == 1 and not blocks[0].extra
        if glued:
            expected[-1] += text
        else:
            expected.append(text)
        content += blocks
    told, noted = joined(*content)

    assert [text for text, _ in told.values()] == expected
    assert all(disposition is Disposition.TRANSLATED for _, disposition in noted)
    kept = sum(len(restored) for _, restored in told.values())
    assert kept == sum(len(block.extra.get("citations", ())) for block in content)
