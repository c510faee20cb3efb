"""Which track an item gets, by its type."""

from __future__ import annotations

from typing import Any

from stages.canonical.plan import AnswerPlan
from stages.correlator.call_track import CallTrack
from stages.correlator.message_track import MessageTrack
from stages.correlator.reasoning_track import ReasoningTrack
from stages.correlator.search_track import SearchTrack
from stages.correlator.track import Track

_TRACKS: dict[str, type[MessageTrack | CallTrack | ReasoningTrack | SearchTrack]] = {
    "message": MessageTrack,
    "function_call": CallTrack,
    "reasoning": ReasoningTrack,
    "web_search_call": SearchTrack,
}


def track_for(kind: str, plan: AnswerPlan, item: dict[str, Any]) -> Track:
    """Open the track for an item of this type; an unknown type gets one that says nothing."""
    cls = _TRACKS.get(kind)
    if cls is None:
        track = Track(plan)
        track.kind = kind
        return track
    return cls(plan, item)
