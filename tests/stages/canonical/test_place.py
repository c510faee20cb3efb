"""A place is a path that nobody has written out yet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.place import MESSAGES, ROOT, SYSTEM, TOOLS, Place
from stages.canonical.request import Caller, Request
from stages.mapper import Target, map_request
from stages.wire.messages_request import structure
from tests.stages.strategies import TEXTS

STEPS = st.lists(st.one_of(TEXTS, st.integers(0, 10_000)), max_size=8)


def walked(steps: list[str | int]) -> Place:
    """Go down from the request, step by step."""
    place = ROOT
    for step in steps:
        place = place.at(step) if isinstance(step, int) else place.field(step)
    return place


@pytest.mark.parametrize(
    ("place", "path"),
    [
        (ROOT, ""),
        (SYSTEM, "system"),
        (TOOLS.at(0).field("input_schema"), "tools.0.input_schema"),
        (MESSAGES.at(3).field("content").at(0), "messages.3.content.0"),
        (ROOT.field("a.b"), "a.b"),
    ],
)
def test_a_place_reads_as_a_path(place: Place, path: str) -> None:
    """As Anthropic's own errors write it."""
    assert str(place) == path
    assert repr(place) == f"<Place {path}>"


@given(STEPS)
def test_the_path_is_its_steps(steps: list[str | int]) -> None:
    """Whatever a client calls its fields."""
    assert str(walked(steps)) == ".".join(map(str, steps))


@given(STEPS, STEPS)
def test_places_are_told_apart_by_their_steps(some: list[str | int], others: list[str | int]) -> None:
    """The same way twice is the same place, and no other is."""
    assert walked(some) == walked(list(some))
    assert hash(walked(some)) == hash(walked(list(some)))
    assert (walked(some) == walked(others)) == (some == others)


def test_an_entry_is_no_field() -> None:
    """A client may call a field `0`, or `a.b`; neither is the place that reads alike."""
    assert MESSAGES.at(0) != MESSAGES.field("0")
    assert ROOT.field("a").field("b") != ROOT.field("a.b")


def conversation(turns: int) -> Request:
    """So many questions and answers, and nothing to say about any."""
    turn = [{"role": "user", "content": "a question"}, {"role": "assistant", "content": "an answer"}]
    return structure({"model": "m", "max_tokens": 9, "messages": [*turn * turns, turn[0]]})


@pytest.mark.parametrize("turns", [1, 250])
def test_a_conversation_writes_no_path(turns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it is, no place is written out before somebody reads the report."""
    written: list[Place] = []
    write = Place.__str__

    def counted(place: Place) -> str:
        written.append(place)
        return write(place)

    monkeypatch.setattr(Place, "__str__", counted)
    mapped = map_request(conversation(turns), Caller(), Target(), message_id="msg_1")

    assert written == []
    assert [note.path for note in mapped.report.notes] == list(map(write, written))
    assert len(written) == 3
