"""A call of the upstream's own is two blocks, each whole."""

from __future__ import annotations

from stages.canonical.events import BLOCK_STOP, JsonDelta, ResultStart, ServerToolUseStart
from stages.correlator.server_blocks import block_events
from stages.tools.server.row import CallBlock, ResultBlock


def test_a_call_and_its_result() -> None:
    """The result is counted by its size, and answers the call by the id that this was given."""
    call = [event for event, _ in block_events(CallBlock("srvtoolu_a", "code", {"a": 1}), "srvtoolu_b")]
    result = list(
        block_events(ResultBlock({"type": "r", "tool_use_id": "srvtoolu_a", "text": "x" * 999}), "srvtoolu_b")
    )

    assert call == [ServerToolUseStart("srvtoolu_b", "code", None), JsonDelta(""), JsonDelta('{"a":1}'), BLOCK_STOP]
    assert [event for event, _ in result][1:] == [BLOCK_STOP]
    begun, size = result[0]
    assert isinstance(begun, ResultStart)
    assert (begun.body["tool_use_id"], size > 999) == ("srvtoolu_b", True)
