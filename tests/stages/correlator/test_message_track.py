"""One message: its texts become blocks however often they are said, its refusal the answer's ending."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.events import BlockStop, TextDelta, TextStart
from stages.correlator.message_track import MessageTrack
from tests.stages.correlator.items import PLAN, message, say
from tests.stages.strategies import JSON, TEXTS
from tests.support.cases import cases

Step = Callable[[MessageTrack], object]


def delta(text: str, part: int | None = 0) -> Step:
    """More text of a part."""
    return lambda track: track.text_delta(say("text", text, content_index=part))


def whole(text: str | None, part: int | None = 0) -> Step:
    """The whole text of a part."""
    return lambda track: track.text_done(say("text_done", text, content_index=part))  # type: ignore[arg-type] # or none


def complete(*texts: str) -> Step:
    """The whole message."""
    return lambda track: track.complete(message(*texts))


def track_of(*steps: Step, **item: Any) -> MessageTrack:
    """A track after these steps."""
    track = MessageTrack(PLAN, item)
    for step in steps:
        step(track)
    return track


def blocks(*steps: Step) -> list[str]:
    """The texts of the blocks that were said; an unfinished one ends with `…`."""
    found: list[str] = []
    for event in track_of(*steps).take():
        match event:
            case TextStart():
                found.append("…")
            case TextDelta(text):
                assert text
                found[-1] = found[-1][:-1] + text + "…"
            case _:
                assert event == BlockStop()
                found[-1] = found[-1][:-1]
    return found


@cases(
    ("steps", "expected"),
    [
        ([delta("a"), delta("b")], ["ab…"]),
        ([delta("a", None), delta("b", 0)], ["ab…"]),
        ([delta("")], []),
        ([delta("a"), complete("a")], ["a"]),
        ([whole("ab"), complete("ab")], ["ab"]),
        ([complete("ab", "cd")], ["ab", "cd"]),
        ([complete()], []),
        ([delta("a"), whole("abc")], ["abc…"]),
        ([delta("abc"), whole("ab")], ["abc…"]),
        ([delta("abc"), whole("xyz!")], ["abc…"]),
        ([delta("abc"), whole(None)], ["abc…"]),
        ([delta("a"), whole("a"), delta("b", 1), whole("bc", 1), complete("a", "bcd")], ["a", "bcd"]),
        ([delta("a"), delta("a"), delta("b", 1), delta("c", 1), complete("aa", "bcd")], ["aa", "bcd"]),
        ([delta("a"), delta("b", 1), delta("c", 2), whole("abc", 3), complete("abcd")], ["abcd"]),
        ([delta("a", 7), delta("b", 7), complete("abc")], ["abc"]),
        ([delta("a", None), delta("b", None), whole("ab", None), complete("ab", "c")], ["ab", "c"]),
        ([delta("\n\na\n"), complete("a")], ["\n\na\n"]),
        ([delta(" a "), complete("a b")], [" a b"]),
        ([whole("a", None), whole("a", None), whole("b", None), complete("a", "b")], ["a", "b"]),
        ([delta("  "), delta("\n")], []),
        ([delta("  "), complete("  ")], []),
        ([delta(" "), delta("\n"), delta("a"), delta(" ")], [" \na …"]),
        ([delta(" "), whole(" "), delta("a", 1)], ["a…"]),
        ([delta(" "), whole(" x")], [" x…"]),
    ],
)
def test_texts_become_blocks(steps: list[Step], expected: list[str]) -> None:
    """Each part is a block, said once; white space waits for something to see."""
    assert blocks(*steps) == expected


@given(TEXTS.filter(str.strip), st.integers(min_value=0, max_value=30), st.booleans())
def test_however_a_text_is_told(text: str, border: int, again: bool) -> None:
    """In pieces, by `done`, by the whole item: the sum is the text."""
    steps = [delta(text[:border]), *([whole(text)] if again else []), complete(text)]

    assert blocks(*steps) == [text]


def test_the_end_closes_what_is_open_once() -> None:
    """A block stops where its message ends, and a second end says nothing."""
    track = track_of(delta("a"))
    track.end()
    track.end()

    assert track.take() == [TextStart(), TextDelta("a"), BlockStop()]
    assert track.done


def test_a_successor_ends_it_on_a_server_without_indexes() -> None:
    """Such servers say `done` at the very end, and the next item must not wait for that."""
    track = track_of(delta("a"))
    track.succeeded_without_index()

    assert track.done
    assert track.take()[-1] == BlockStop()


def test_what_has_told_nothing_may_still_tell_all() -> None:
    """A server that streams nothing announces its items, and tells them at the end."""
    track = track_of()
    track.succeeded_without_index()

    assert not track.done


def refusing(*parts: str) -> dict[str, Any]:
    """A whole message of refusals."""
    return {"content": [{"type": "refusal", "refusal": part} for part in parts]}


@pytest.mark.parametrize(
    ("steps", "refusal"),
    [
        ([], ""),
        (
            [
                lambda track: track.refusal_delta(say("refusal", "N")),
                lambda track: track.refusal_delta(say("refusal", "o")),
            ],
            "No",
        ),
        (
            [
                lambda track: track.refusal_delta(say("refusal", "N")),
                lambda track: track.refusal_done(say("refusal_done", "No")),
            ],
            "No",
        ),
        (
            [
                lambda track: track.refusal_delta(say("refusal", "No")),
                lambda track: track.refusal_done(say("refusal_done")),
            ],
            "No",
        ),
        ([lambda track: track.complete(refusing("No", "", "never"))], "No\n\nnever"),
        ([delta("a"), lambda track: track.refusal_delta(say("refusal", "No", content_index=1))], "No"),
    ],
)
def test_refusals(steps: list[Step], refusal: str) -> None:
    """A refusal is no text: it is kept for the ending, and text that was said stays."""
    track = track_of(*steps)

    assert track.refusal == refusal
    assert TextDelta("No") not in track.take()


@pytest.mark.parametrize(("phase", "told"), [("commentary", "commentary"), (None, ""), (5, ""), ("", "")])
def test_its_phase(phase: Any, told: str) -> None:
    """What the upstream says of it, if it is a word."""
    assert MessageTrack(PLAN, {"phase": phase}).phase == told


@pytest.mark.parametrize(
    ("item", "fits", "says"),
    [
        (message("a", "b"), True, True),
        (message("ab"), True, True),
        (message("a"), True, False),
        (message("abc"), True, False),
        (message("a", "c"), False, False),
        ({"type": "message", "content": None}, True, False),
        ({"type": "message", "content": " a b "}, True, True),
        ({"type": "message", "content": [1, {"type": "refusal", "refusal": "x"}]}, True, False),
    ],
)
def test_it_is_known_by_what_it_said(item: dict[str, Any], fits: bool, says: bool) -> None:
    """A message that says something else is another one, wherever its parts end."""
    track = track_of(delta("a"), delta("b", 1))

    assert track.fits(item) is fits
    assert track.says(item) is says


@given(JSON, JSON)
def test_any_item_completes_it(content: Any, part: Any) -> None:
    """Nothing raises, whatever the upstream sends as a message."""
    for value in (
        content,
        [content, part],
        [{"type": "output_text", "text": content}, {"type": "refusal", "refusal": part}],
    ):
        track = track_of(lambda track, value=value: track.complete({"content": value}))  # type: ignore[misc]
        assert track.done
        assert isinstance(track.refusal, str)
