"""One text of the upstream becomes blocks: what is cited stands alone, with its sources in front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.events import BLOCK_STOP, CitationsDelta, TextDelta, TextStart
from stages.correlator.citation_cutter import MAX_HELD_DELTAS, CitationCutter
from stages.correlator.text_blocks import TextEvent
from stages.tables.citations import place_of
from tests.support.cases import cases

A, B = "([a](http://a.example))", "([b](http://b.example))"

Step = str | dict[str, Any]
Block = tuple[str, list[str]]


def cite(start: int, end: int, url: str = "http://a.example") -> dict[str, Any]:
    """An annotation of a range."""
    return {"type": "url_citation", "start_index": start, "end_index": end, "url": url, "title": url[7:]}


def of(text: str, link: str) -> dict[str, Any]:
    """An annotation of the first place where a link stands in a text."""
    at = text.index(link)
    return cite(at, at + len(link), link[link.index("http") :].rstrip(")"))


def events(cutter: CitationCutter, steps: Sequence[Step]) -> list[TextEvent]:
    """All that comes of deltas (texts) and annotations, before the end."""
    said: list[TextEvent] = []
    for step in steps:
        said += cutter.feed(step) if isinstance(step, str) else cutter.cite(step)
    return said


def blocks(said: Sequence[TextEvent]) -> list[Block]:
    """The blocks, each with the addresses it cites; checks that each is well-formed."""
    found: list[Block] = []
    is_open = cited = False
    for event in said:
        if isinstance(event, TextStart):
            assert not is_open
            found.append(("", []))
            is_open, cited = True, event.cited
        elif isinstance(event, CitationsDelta):
            assert cited
            assert not found[-1][0]
            found[-1][1].append(event.citation["url"])
        elif isinstance(event, TextDelta):
            assert is_open
            assert event.text
            assert cited == bool(found[-1][1])
            found[-1] = (found[-1][0] + event.text, found[-1][1])
        else:
            assert event == BLOCK_STOP
            assert is_open
            is_open = False
    return found


def cut(*steps: Step) -> list[Block]:
    """The blocks of a whole text."""
    cutter = CitationCutter()
    said = events(cutter, steps)
    return blocks([*said, *cutter.finish()])


def pieces(text: str, size: int) -> list[str]:
    """A text in deltas."""
    return [text[at : at + size] for at in range(0, len(text), size)]


TEXT = f"So it is. {A} And so. {B}"


@cases(
    ("steps", "expected"),
    [
        ([TEXT], [(TEXT, [])]),
        ([of(TEXT, A), TEXT], [("So it is. ", []), (A + " ", ["http://a.example"]), (f"And so. {B}", [])]),
        (
            [TEXT, of(TEXT, B), of(TEXT, A)],
            [
                ("So it is. ", []),
                (A + " ", ["http://a.example"]),
                ("And so. ", []),
                (B, ["http://b.example"]),
            ],
        ),
        (
            ["So it is. ", A, of(TEXT, A), " And so."],
            [("So it is. ", []), (A + " ", ["http://a.example"]), ("And so.", [])],
        ),
        (
            [f"{A}{B}", cite(0, len(A)), cite(len(A), len(A + B), "http://b")],
            [(A, ["http://a.example"]), (B, ["http://b"])],
        ),
        (
            [cite(0, 30), cite(25, 40, "http://b"), f"{A}; {B}"],
            [(f"{A}; {B}"[:40], ["http://a.example", "http://b"]), (f"{A}; {B}"[40:], [])],
        ),
        ([f" \n{A}", cite(2, 2 + len(A))], [(f" \n{A}", ["http://a.example"])]),
        (["plain (", A[1:], " text"], [(f"plain {A} text", [])]),
        ([cite(2, 4), "abcdef"], [("ab", []), ("cd", ["http://a.example"]), ("ef", [])]),
        ([cite(2, 5), "ab   cd"], [("ab   ", []), ("cd", ["http://a.example"])]),
        ([cite(0, 3), "    "], []),
        (["abc", " ", "def", cite(0, 3)], [("abc def", [])]),
        ([cite(-5, 3), "abcdef"], [("abc", ["http://a.example"]), ("def", [])]),
        ([cite(3, 10**9), "abcdef"], [("abc", []), ("def", ["http://a.example"])]),
        ([cite(50, 60), "abc", "def"], [("abc", []), ("def", ["http://a.example"])]),
    ],
)
def test_how_texts_are_cut(steps: list[Step], expected: list[Block]) -> None:
    """Exactly where a range is known in time, whatever nonsense it may be; white space stays with what is before it."""
    assert cut(*steps) == expected


@pytest.mark.parametrize("size", [1, 3, 7, 200])
def test_an_annotation_right_behind_its_link(size: int) -> None:
    """As recorded streams have it: cut exactly, however the deltas fall."""
    head, tail = TEXT[: TEXT.index(" And")], TEXT[TEXT.index(" And") :]
    steps: list[Step] = [*pieces(head, size), of(TEXT, A), *pieces(tail, size), of(TEXT, B)]

    assert cut(*steps) == [
        ("So it is. ", []),
        (A + " ", ["http://a.example"]),
        ("And so. ", []),
        (B, ["http://b.example"]),
    ]


def test_ordinary_text_never_waits() -> None:
    """Brackets that are no links do not hold it up, nor do parentheses."""
    for text in ("Hello", " world (", "or so) ", "x[0] = 1", "\n- [ ] do", " [1] and"):
        cutter = CitationCutter()
        cutter.feed("a")
        said = "".join(event.text for event in cutter.feed(text) if isinstance(event, TextDelta))
        assert said == text.rstrip("(")


def test_a_link_waits_and_then_goes_on() -> None:
    """Two deltas after it have brought no annotation, so it is no citation."""
    cutter = CitationCutter()
    assert blocks(cutter.feed("See [a](http://a) ")) == [("See ", [])]
    for _ in range(MAX_HELD_DELTAS - 1):
        assert cutter.feed("and") == []

    said = cutter.feed(" more")

    assert [event.text for event in said if isinstance(event, TextDelta)] == ["[a](http://a) and"]


def test_citations_that_come_too_late() -> None:
    """They get a block of their own: the last piece of the text, which stays back once a link has passed uncited."""
    text = f"One {A} two {B} three"
    steps: list[Step] = [f"One {A}", f" two {B}", " three", " four", " five", " six!", of(text, A), of(text, B)]

    assert cut(*steps) == [
        (f"One {A} two {B} three four five ", []),
        ("six!", ["http://a.example", "http://b.example"]),
    ]


def test_too_late_for_any_block() -> None:
    """Nothing is left to cite with: counted, and never a block without text."""
    cutter = CitationCutter()
    said = events(cutter, ["all is said", cite(0, 3)])

    assert blocks([*said, *cutter.finish()]) == [("all is said", [])]
    assert cutter.left_out == {"annotation url_citation": 1}


def test_after_the_end() -> None:
    """An annotation that comes when all is settled is counted; one that was known is not."""
    cutter = CitationCutter()
    events(cutter, [cite(0, 3), "abc"])
    cutter.finish()

    assert cutter.cite(cite(0, 3)) == cutter.cite(cite(0, 2)) == []
    assert cutter.left_out == {"annotation url_citation": 1}
    assert blocks([*cutter.feed("more"), *cutter.finish()]) == [("more", [])]


@pytest.mark.parametrize(
    ("annotation", "name"),
    [
        ({"type": "file_citation", "file_id": "file-1", "index": 3}, "annotation file_citation"),
        ({"type": "container_file_citation", "start_index": 0, "end_index": 2}, "annotation container_file_citation"),
        ({"type": "file_path", "file_id": "file-1"}, "annotation file_path"),
        ({"type": "invented by a server"}, "annotation"),
        ({"type": "url_citation", "url": None}, "annotation url_citation"),
        ({}, "annotation"),
    ],
)
def test_what_has_no_place(annotation: dict[str, Any], name: str) -> None:
    """Sources that Anthropic's citations cannot name: the text stays, and each is counted once, in words of ours."""
    cutter = CitationCutter()
    said = events(cutter, [annotation, "some text", annotation])

    assert blocks([*said, *cutter.finish()]) == [("some text", [])]
    assert cutter.left_out == {name: 1}


def test_citations_say_where_they_belong() -> None:
    """The begin of their block in the whole text, and the range as the upstream gave it."""
    cutter = CitationCutter()
    said = events(cutter, ["ab ", cite(3, 5), "cdef", cite(0, 1, "http://late"), " gh"]) + cutter.finish()
    places = [place_of(event.citation) for event in said if isinstance(event, CitationsDelta)]

    assert [(place.offset, place.start, place.end) for place in places if place] == [(3, 3, 5), (8, 0, 1)]


TEXTS = st.text(st.sampled_from("ab.1 \n([])é🙂\ud83d"), max_size=30)
LINKS = st.sampled_from([A, B, "[c](http://c)", "[d](file)", "\ue200cite\ue201"])
ANNOTATIONS = st.builds(cite, st.integers(-3, 120), st.integers(-3, 120), st.sampled_from(["http://a", "http://b"]))


@given(st.lists(TEXTS | LINKS, max_size=8), st.lists(ANNOTATIONS, max_size=6), st.data())
def test_nothing_is_lost(texts: list[str], annotations: list[dict[str, Any]], data: st.DataObject) -> None:
    """Whatever the deltas and whenever annotations come: the sum is the text, and each citation is told or counted."""
    whole = "".join(texts)
    steps: list[Step] = [text for text in texts if text]
    for annotation in annotations:
        steps.insert(data.draw(st.integers(0, len(steps))), annotation)
    cutter = CitationCutter()
    made = blocks([*events(cutter, steps), *cutter.finish()])

    assert "".join(text for text, _ in made) == (whole if whole.strip() else "")
    assert all(text.strip() for text, _ in made)
    known = {
        (max(0, a["start_index"]), a["end_index"] if a["end_index"] > max(0, a["start_index"]) else None, a["url"])
        for a in annotations
    }
    assert sum(len(urls) for _, urls in made) + cutter.left_out.total() == len(known)


@given(st.lists(TEXTS | LINKS, max_size=8), st.lists(ANNOTATIONS, max_size=4), st.integers(1, 9))
def test_ranges_known_beforehand_cut_the_same_however_the_text_comes(
    texts: list[str], annotations: list[dict[str, Any]], size: int
) -> None:
    """A whole item and its deltas become the same blocks, where the annotations are there in time."""
    whole = "".join(texts)
    known = [a for a in annotations if whole[max(0, a["start_index"]) : max(0, a["end_index"])].strip()]

    assert cut(*known, *pieces(whole, size)) == cut(*known, *([whole] if whole else []))
