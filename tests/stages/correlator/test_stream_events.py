"""The events of a stream by name: every one that the recordings hold is known, and none stands in two places."""

from __future__ import annotations

from pathlib import Path

from stages.correlator.ledger import _RARE
from stages.correlator.stream_events import CONTENT_EVENTS, IGNORED_EVENTS
from tests.end_to_end.recorded import events, load, recordings

LEFT_OUT = ("image_generation_call", "file_search_call", "custom_tool_call", "shell_call", "apply_patch_call", "audio")
"""Items and parts that have no counterpart: what is said of them is counted."""


def test_no_event_stands_in_two_places() -> None:
    """What says something cannot be silent."""
    assert not CONTENT_EVENTS.keys() & IGNORED_EVENTS
    assert not (CONTENT_EVENTS.keys() | IGNORED_EVENTS) & _RARE.keys()


def test_every_recorded_event_is_known(shared: Path) -> None:  # noqa: ARG001 - the recordings lie there
    """An event that OpenAI sends, and that is neither handled nor silent nor about what has no counterpart, is new."""
    genuine = [load(path) for path in recordings() if path.parts[0] == "openai"]
    seen = {event["type"] for record in genuine if record["stream"] for event in events(record)}
    known = CONTENT_EVENTS.keys() | IGNORED_EVENTS | _RARE.keys()

    assert [name for name in sorted(seen - known) if not any(kind in name for kind in LEFT_OUT)] == []
