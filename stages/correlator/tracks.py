"""Which track an item gets, by its type."""

from __future__ import annotations

from typing import Any

from stages.canonical.plan import AnswerPlan
from stages.correlator.call_track import CallTrack
from stages.correlator.message_track import MessageTrack
from stages.correlator.reasoning_track import ReasoningTrack
from stages.correlator.server_tool_track import ServerToolTrack
from stages.correlator.track import Track, UnknownTrack
from stages.tools.server import BY_ITEM

_TRACKS: dict[str, type[MessageTrack | CallTrack | ReasoningTrack]] = {
    "message": MessageTrack,
    "function_call": CallTrack,
    "reasoning": ReasoningTrack,
}


def track_for(kind: str, plan: AnswerPlan, item: dict[str, Any]) -> Track:
    """Open the track for an item of this type.

    An unknown type gets one that says nothing, and so does a tool of the upstream's that the client did not declare.
    """
    cls = _TRACKS.get(kind)
    if cls is not None:
        return cls(plan, item)
    row = BY_ITEM.get(kind)
    if row is not None and row.upstream in plan.server_tools:
        return ServerToolTrack(plan, kind)
    return UnknownTrack(plan, kind)
