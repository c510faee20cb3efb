"""One reasoning: a thinking block of its summary, closed by the carrier that brings the item back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import given

from stages.canonical.events import BlockStop, SignatureDelta, ThinkingDelta, ThinkingStart
from stages.canonical.plan import ThinkingDisplay
from stages.correlator.reasoning_track import ReasoningTrack
from stages.wire import carrier
from stages.wire.carrier import Carrier
from stages.wire.responses_stream import StreamEvent
from tests.stages.correlator.items import PLAN, reasoning, say
from tests.stages.strategies import JSON
from tests.support.cases import cases

Step = Callable[[ReasoningTrack], object]
SHOWN, OMITTED, NONE = ThinkingDisplay
SEALED = Carrier("rs_1", "sealed", model="gpt-x", account="acc")


def summary(text: str, part: int | None = 0) -> Step:
    """More of a summary part."""
    return lambda track: track.summary_delta(say("summary", text, summary_index=part))


def raw(text: str, part: int | None = 0) -> Step:
    """More of the reasoning itself."""
    return lambda track: track.raw_delta(say("raw", text, content_index=part))


BOUNDARY: Step = lambda track: track.summary_begun(StreamEvent("response.reasoning_summary_part.added"))  # noqa: E731
"""A part begins."""


def complete(*texts: str, **item: Any) -> Step:
    """The whole item."""
    return lambda track: track.complete({**reasoning(*texts), **item})


def seal(phase: str = "") -> Step:
    """What follows is known."""
    return lambda track: track.seal(phase)


def track_of(*steps: Step, thinking: ThinkingDisplay = SHOWN, **item: Any) -> ReasoningTrack:
    """A track that was opened with an item, after these steps."""
    track = ReasoningTrack(attrs.evolve(PLAN, thinking=thinking), item)
    for step in steps:
        step(track)
    return track


def block(track: ReasoningTrack) -> tuple[str, Carrier | None] | None:
    """The one block that was said: its text and its carrier (None while it is open); None if there is none."""
    said = track.take()
    if not said:
        return None
    assert said[0] == ThinkingStart()
    text = "".join(event.thinking for event in said if isinstance(event, ThinkingDelta))
    assert ThinkingDelta("") not in said
    if said[-1] != BlockStop():
        return text, None
    signed = said[-2]
    assert isinstance(signed, SignatureDelta)
    assert [type(event) for event in said[1:-2]] == [ThinkingDelta] * (len(said) - 3)
    return text, carrier.decode(signed.signature)


@cases(
    ("steps", "text", "sealed"),
    [
        ([complete(), seal()], "", SEALED),
        ([complete("one"), seal("commentary")], "one", attrs.evolve(SEALED, summary=(3,), phase="commentary")),
        ([summary("on"), summary("e"), complete("one"), seal()], "one", attrs.evolve(SEALED, summary=(3,))),
        ([summary("on"), complete("one", "two"), seal()], "one\n\ntwo", attrs.evolve(SEALED, summary=(3, 3))),
        (
            [summary("one", None), BOUNDARY, summary("two", 1), complete(), seal()],
            "one\n\ntwo",
            attrs.evolve(SEALED, summary=(3, 3)),
        ),
        (
            [lambda track: track.summary_done(say("summary_done", "one")), complete("one"), seal()],
            "one",
            attrs.evolve(SEALED, summary=(3,)),
        ),
        (
            [raw("one"), lambda track: track.raw_done(say("raw_done", "one!")), complete(), seal()],
            "one!",
            attrs.evolve(SEALED, summary=(4,), raw=True),
        ),
        (
            [complete(content=[{"type": "reasoning_text", "text": "one"}], encrypted_content=None), seal()],
            "one",
            attrs.evolve(SEALED, encrypted_content="", summary=(3,), raw=True),
        ),
        ([summary("other"), complete("one"), seal()], "other", attrs.evolve(SEALED, summary=(5,))),
        (
            [complete("one"), complete(id="rs_9", encrypted_content="anew"), seal()],
            "one",
            attrs.evolve(SEALED, summary=(3,)),
        ),
    ],
)
def test_a_reasoning_is_one_block(steps: list[Step], text: str, sealed: Carrier) -> None:
    """Its parts said once, joined by a blank line, and the item as it was when it was whole the first time."""
    track = track_of(*steps)

    assert block(track) == (text, sealed)
    assert track.done


def test_what_the_client_does_not_see_rides_in_the_carrier() -> None:
    """`omitted` shows the carrier alone; the texts must come back all the same."""
    assert block(track_of(summary("one"), complete("one", "two"), seal(), thinking=OMITTED)) == (
        "",
        attrs.evolve(SEALED, texts=("one", "two")),
    )


def test_thinking_switched_off_shows_nothing() -> None:
    """Neither text nor carrier."""
    track = track_of(summary("one"), complete("one"), seal(), thinking=NONE, encrypted_content="early")

    assert block(track) is None
    assert (track.done, track.spoken) == (True, False)


def test_without_summary_and_carrier_there_is_no_block() -> None:
    """Nothing to show and nothing to bring back."""
    track = track_of(complete(encrypted_content=None), seal())

    assert block(track) is None
    assert track.done


def test_the_seal_of_an_announced_item_does_not_count() -> None:
    """Each event seals anew, and only the item that was done opens again; but the block may begin."""
    track = track_of(encrypted_content="early", id="rs_1")
    assert block(track) == ("", None)

    track.complete(reasoning())
    track.seal("")

    (signed, _) = track.take()
    assert isinstance(signed, SignatureDelta)
    assert carrier.decode(signed.signature) == SEALED


def test_it_is_sealed_once_and_only_when_whole() -> None:
    """Its successor may be known before it is done; a second seal says nothing."""
    track = track_of(summary("one"), seal("commentary"))
    assert (track.done, block(track)) == (False, ("one", None))

    track.complete(reasoning("one"))
    track.seal("")
    track.seal("late")

    assert [type(event) for event in track.take()] == [SignatureDelta, BlockStop]


def test_a_cut_answer_closes_its_block() -> None:
    """Without the whole item there is no sealed content to carry, but the block must end; it ends once."""
    track = track_of(summary("one"), id="rs_1")
    track.end()
    track.end()

    assert block(track) == ("one", Carrier("rs_1", summary=(3,), model="gpt-x", account="acc"))


def test_discarded_reasoning_was_never_there() -> None:
    """What must not be shown has not spoken, and never will."""
    track = track_of(summary("one"))
    track.discard()
    track.complete(reasoning("one"))
    track.seal("")

    assert (track.done, track.spoken, track.take()) == (True, False, [])


@pytest.mark.parametrize(
    ("steps", "settled"),
    [
        ([], False),
        ([summary("one")], True),
        ([complete(encrypted_content=None)], True),
        ([ReasoningTrack.discard], True),
    ],
)
def test_when_it_is_settled(steps: list[Step], settled: bool) -> None:
    """Whether it becomes a block is known once it speaks, is whole, or never will."""
    assert track_of(*steps).settled is settled


def test_a_successor_makes_it_whole_on_a_server_without_indexes() -> None:
    """Such servers say `done` at the very end."""
    track = track_of(raw("one"), id="rs_1")
    track.succeeded_without_index()
    track.seal("")

    assert block(track) == ("one", Carrier("rs_1", summary=(3,), raw=True, model="gpt-x", account="acc"))


def test_it_waits_to_be_allowed_to_speak() -> None:
    """Reasoning behind an answer must not speak before something follows it."""
    assert track_of().may_speak is False


@given(JSON, JSON, JSON, JSON)
def test_any_item_completes_it(ident: Any, parts: Any, content: Any, encrypted: Any) -> None:
    """Nothing raises, and what is said is one block with a carrier of ours, or nothing."""
    item = {"id": ident, "summary": parts, "content": [content, {"text": parts}], "encrypted_content": encrypted}
    track = track_of(lambda track: track.complete(item), seal(), **item)

    told = block(track)
    assert told is None or isinstance(told[1], Carrier)
