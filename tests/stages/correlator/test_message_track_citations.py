"""A message with annotations: cut into blocks for clients that search, one block and a count for all others."""

from __future__ import annotations

import itertools
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.events import CitationsDelta, MessageEnd, TextDelta, TextStart
from stages.canonical.plan import AnswerPlan
from stages.wire import responses_stream
from stages.wire.responses_stream import StreamEvent
from tests.stages.correlator.items import PLAN, added, done, ended, parts, say

PLAIN = attrs.evolve(PLAN, server_tools={})
LINK = "([a](http://a))"
TEXT = f"So it is. {LINK} Is it?"


def note(start: int = 10, end: int = 10 + len(LINK), url: str = "http://a") -> dict[str, Any]:
    """An annotation."""
    return {"type": "url_citation", "start_index": start, "end_index": end, "url": url, "title": "A"}


def annotated(annotation: Any, part: int = 0) -> StreamEvent:
    """An annotation comes."""
    value = responses_stream.dump(annotation)
    kind = "response.output_text.annotation.added"
    return StreamEvent(kind, item_id="msg_u", output_index=0, content_index=part, annotation=value)


def part_done(text: str, *notes: Any, part: int = 0, kind: str = "output_text") -> StreamEvent:
    """A part is whole."""
    value = responses_stream.dump({"type": kind, "text": text, "annotations": list(notes)})
    kind = "response.content_part.done"
    return StreamEvent(kind, item_id="msg_u", output_index=0, content_index=part, part=value)


def message(text: str, *notes: Any) -> dict[str, Any]:
    """A whole message of one text."""
    content = [{"type": "output_text", "text": text, "annotations": list(notes)}]
    return {"type": "message", "id": "msg_u", "content": content}


def delta(text: str, part: int = 0) -> StreamEvent:
    """More text."""
    return say("text", text, item_id="msg_u", output_index=0, content_index=part)


def told(*events: StreamEvent, plan: AnswerPlan = PLAN) -> tuple[list[tuple[str, int]], dict[str, int]]:
    """The blocks, each with the number of its citations, and what was left out."""
    blocks: list[tuple[str, int]] = []
    left_out: dict[str, int] = {}
    for event in parts(added("message", 0, id="msg_u"), *events, ended(), plan=plan):
        match event:
            case TextStart():
                blocks.append(("", 0))
            case TextDelta(text):
                blocks[-1] = (blocks[-1][0] + text, blocks[-1][1])
            case CitationsDelta():
                blocks[-1] = (blocks[-1][0], blocks[-1][1] + 1)
            case MessageEnd():
                left_out = dict(event.left_out)
            case _:
                pass
    return blocks, left_out


CUT = [("So it is. ", 0), (LINK + " ", 1), ("Is it?", 0)]


@pytest.mark.parametrize(
    "events",
    [
        [delta(TEXT[:25]), annotated(note()), delta(TEXT[25:]), done(message(TEXT, note()), 0)],
        [annotated(note()), delta(TEXT), part_done(TEXT, note()), done(message(TEXT, note()), 0)],
        [delta(TEXT), part_done(TEXT, note())],
        [part_done(TEXT, note())],
        [done(message(TEXT, note()), 0)],
        [delta(TEXT[:5]), done(message(TEXT, note(), note()), 0)],
    ],
)
def test_however_an_annotation_comes(events: list[StreamEvent]) -> None:
    """In time, with the part, with the item, or several times: the cited range is one block."""
    assert told(*events) == (CUT, {})


@pytest.mark.parametrize("plan", [PLAIN, attrs.evolve(PLAN, cites=False)])
def test_a_text_that_must_stay_one(plan: AnswerPlan) -> None:
    """For a client that does not search, and for one that wants JSON: one block, and each annotation counts once."""
    events = [delta(TEXT), annotated(note()), part_done(TEXT, note()), done(message(TEXT, note(), note(0, 3)), 0)]

    assert told(*events, plan=plan) == ([(TEXT, 0)], {"annotation url_citation": 2})


def test_a_text_that_does_not_wait_for_a_client_that_does_not_search() -> None:
    """Links pass as they come, cut where the upstream cut them."""
    made = parts(added("message", 0, id="msg_u"), delta("a ["), delta("b](http://"), plan=PLAIN)

    assert made == [TextStart(), TextDelta("a ["), TextDelta("b](http://")]


def test_parts_are_cut_each_for_itself() -> None:
    """Ranges count from the begin of their part, and early ones wait for it."""
    events = [
        delta("first"),
        say("text_done", "first", item_id="msg_u", output_index=0, content_index=0),
        annotated(note(0, 2, "http://b"), part=1),
        delta("2. part", part=1),
        annotated(note(0, 3, "http://c"), part=0),
    ]

    assert told(*events) == ([("first", 0), ("2. ", 1), ("part", 0)], {"annotation url_citation": 1})


def test_parts_of_other_kinds() -> None:
    """A part that is no text, and one of an item that is no message, say nothing here."""
    events = [part_done("x", note(), kind="refusal"), delta("y"), part_done("y", 5, "z", None)]

    assert told(*events) == ([("y", 0)], {})
    stray = attrs_of(part_done("thought"), item_id="rs_1", output_index=0)
    assert parts(added("reasoning", 0, id="rs_1"), stray) == []


def attrs_of(event: StreamEvent, **fields: Any) -> StreamEvent:
    """The same event with other fields."""
    for name, value in fields.items():
        setattr(event, name, value)
    return event


def test_after_its_end_nothing_changes() -> None:
    """A whole item has told all that it cites."""
    events = [done(message(TEXT, note()), 0), annotated(note(0, 3)), part_done(TEXT + "!", note(0, 3))]

    assert told(*events) == (CUT, {})


@given(st.lists(st.integers(0, len(TEXT)), max_size=3), st.lists(st.integers(0, 4), max_size=3), st.booleans())
def test_every_way_has_the_same_text(cuts: list[int], places: list[int], last: bool) -> None:
    """The sum is the upstream's text, and what is cited is told or counted, whenever annotations come."""
    borders = sorted({0, *cuts, len(TEXT)})
    events = [delta(TEXT[begin:end]) for begin, end in itertools.pairwise(borders)]
    notes = [note(), note(0, 2), note(30, 99)][: len(places)]
    for place, annotation in zip(places, notes, strict=True):
        events.insert(min(place, len(events)), annotated(annotation))
    if last:
        events.append(done(message(TEXT, *notes), 0))
    blocks, left_out = told(*events)

    assert "".join(text for text, _ in blocks) == TEXT
    assert sum(count for _, count in blocks) + sum(left_out.values()) == len(notes)
