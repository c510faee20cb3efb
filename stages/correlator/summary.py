"""What a message said, summed up once all of it is known: that decides how it ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import attrs

from stages.correlator.call_track import CallTrack
from stages.correlator.message_track import MessageTrack
from stages.correlator.reasoning_track import ReasoningTrack
from stages.correlator.server_tool_track import ServerToolTrack
from stages.correlator.track import Track


@attrs.frozen
class Summary:
    """What a message said.

    Attributes:
        calls: whether the client is to run something.
        refusal: the words of a refusal.
        server_tools: how many calls the upstream ran itself, by its `type` of the tool.
        container: the machine that the last of them ran on.
        paused: whether it ends with such a call: the upstream stopped calling, but has not answered yet; an empty text
            is an answer.
        left_out: how many items and parts had no counterpart, by type.
    """

    calls: bool = False
    refusal: str = ""
    server_tools: tuple[tuple[str, int], ...] = ()
    container: str | None = None
    paused: bool = False
    left_out: tuple[tuple[str, int], ...] = ()


def summary(tracks: Iterable[Track], left_out: Counter[str]) -> Summary:
    """Sum up the items of a message, in their order.

    Args:
        tracks: all of its items.
        left_out: what had no counterpart, apart from what the texts themselves left out.
    """
    tracks = list(tracks)
    spoken = [track for track in tracks if track.spoken]
    last = next((track for track in reversed(tracks) if not isinstance(track, ReasoningTrack)), None)
    texts = [track for track in tracks if isinstance(track, MessageTrack)]
    ran = [track for track in spoken if isinstance(track, ServerToolTrack)]
    for text in texts:
        left_out = left_out + text.left_out
    return Summary(
        calls=any(isinstance(track, CallTrack) for track in spoken),
        refusal="\n\n".join(text.refusal for text in texts if text.refusal),
        server_tools=tuple(sorted(Counter(track.row.upstream for track in ran if track.call_id).items())),
        container=next((track.container for track in reversed(ran) if track.container), None),
        paused=bool(ran) and isinstance(last, ServerToolTrack) and "mcp_approval_request" not in left_out,
        left_out=tuple(sorted(left_out.items())),
    )
