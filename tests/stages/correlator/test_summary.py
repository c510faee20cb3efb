"""What a message said, summed up."""

from __future__ import annotations

from collections import Counter
from typing import Any

from stages.correlator.ids import Ids
from stages.correlator.summary import Summary, summary
from stages.correlator.track import Track
from stages.correlator.tracks import track_for
from tests.stages.correlator.items import PLAN, call, message

SEARCH: dict[str, Any] = {"type": "web_search_call", "id": "ws_1", "action": {"type": "search", "query": "q"}}


def tracks(*items: dict[str, Any]) -> list[Track]:
    """Tracks that have these items whole."""
    made = []
    for item in items:
        track = track_for(item["type"], PLAN, item)
        track.enter(Ids())
        track.complete(item)
        track.take()
        made.append(track)
    return made


def test_nothing_was_said() -> None:
    """An answer may be empty."""
    assert summary([], Counter()) == Summary()


def test_all_of_it_was_said() -> None:
    """Calls, refusals, and what the upstream ran; what was left out is sorted by its name."""
    refusals = [{"type": "refusal", "refusal": word} for word in ("No.", "Never.")]
    items = [{"type": "message", "id": f"m{n}", "content": [part]} for n, part in enumerate(refusals)]
    said = summary(tracks(SEARCH, call(), *items), Counter(z=1, a=2))

    assert said == Summary(
        spoken=True,
        calls=True,
        refusal="No.\n\nNever.",
        server_tools=(("web_search", 1),),
        left_out=(("a", 2), ("z", 1)),
    )


def test_a_hosted_call_at_the_end_pauses() -> None:
    """Only if nothing was said behind it, and nobody was asked for an approval."""
    assert summary(tracks(message("a"), SEARCH), Counter()).paused
    assert not summary(tracks(SEARCH, message("a")), Counter()).paused
    assert not summary(tracks(SEARCH), Counter(mcp_approval_request=1)).paused
