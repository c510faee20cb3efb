"""What all tracks share, seen on the one that has no counterpart."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.events import TextDelta, TextStart
from stages.correlator.track import Track, UnknownTrack
from tests.stages.correlator.items import PLAN


def test_what_is_said_is_taken_once() -> None:
    """In order, and it counts against what may wait until it is taken."""
    track = Track(PLAN)
    track.say(TextStart())
    track.say(TextDelta("abc"), 3)

    assert (track.spoken, track.size) == (True, 67)
    assert track.take() == [TextStart(), TextDelta("abc")]
    assert (track.take(), track.size, track.spoken) == ([], 0, True)


@pytest.mark.parametrize("item", [{}, {"type": "hologram", "content": [1]}])
def test_an_item_without_counterpart_says_nothing(item: dict[str, Any]) -> None:
    """Whatever it holds and however it ends."""
    track = Track(PLAN)
    track.cut()
    track.succeeded_without_index()
    assert not track.done
    track.complete(item)

    assert (track.done, track.take(), track.spoken) == (True, [], False)


def test_one_without_counterpart_is_settled_from_the_start() -> None:
    """Nobody need wait to know that it will not become a block; it counts as left out."""
    track = UnknownTrack(PLAN, "hologram")

    assert (track.settled, Track(PLAN).settled) == (True, False)
    assert track.left_out == {}
    track.complete({})
    assert track.left_out == {"hologram": 1}
