"""What a message said, summed up once all of it is known: that decides how it ends."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import attrs

from stages.correlator.track import Track


@attrs.frozen
class Summary:
    """What a message said.

    Attributes:
        spoken: whether an answer was told, or a part of one.
        calls: whether the client is to run something.
        refusal: the words of a refusal.
        server_tools: how many calls the upstream ran itself, by its `type` of the tool.
        container: the machine that the last of them ran on.
        paused: whether it ends with such a call: the upstream stopped calling, but has not answered yet; an empty text
            is an answer.
        left_out: how many items and parts had no counterpart, by type.
    """

    spoken: bool = False
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
        left_out: what had no counterpart, apart from what the items themselves left out.
    """
    tracks = list(tracks)
    last = next((track for track in reversed(tracks) if track.answers), None)
    ran = [track for track in tracks if track.spoken and track.row is not None]
    left_out = Counter(left_out)
    for track in tracks:
        left_out.update(track.left_out)
    return Summary(
        spoken=any(track.spoken and track.answers for track in tracks),
        calls=any(track.runs for track in tracks),
        refusal="\n\n".join(track.refusal for track in tracks if track.refusal),
        server_tools=tuple(sorted(Counter(track.row.upstream for track in ran if track.call_id).items())),
        container=next((track.container for track in reversed(ran) if track.container), None),
        paused=bool(ran) and last is not None and last.row is not None and "mcp_approval_request" not in left_out,
        left_out=tuple(sorted(left_out.items())),
    )
