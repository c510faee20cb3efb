"""Which track an item gets."""

from __future__ import annotations

import pytest

from stages.correlator.call_track import CallTrack
from stages.correlator.message_track import MessageTrack
from stages.correlator.reasoning_track import ReasoningTrack
from stages.correlator.server_tool_track import ServerToolTrack
from stages.correlator.track import Track, UnknownTrack
from stages.correlator.tracks import track_for
from tests.stages.correlator.items import PLAN


@pytest.mark.parametrize(
    ("kind", "cls"),
    [
        ("message", MessageTrack),
        ("function_call", CallTrack),
        ("reasoning", ReasoningTrack),
        ("web_search_call", ServerToolTrack),
        ("mcp_call", UnknownTrack),
        ("", UnknownTrack),
        ("None", UnknownTrack),
    ],
)
def test_every_item_gets_a_track_of_its_kind(kind: str, cls: type[Track]) -> None:
    """A kind of tomorrow gets the one that says nothing, under its own name."""
    track = track_for(kind, PLAN, {})

    assert type(track) is cls
    assert track.kind == kind
