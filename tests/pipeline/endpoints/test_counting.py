"""What a count says of a conversation whose edits take something out of it."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.emulator import EmulatorTransport
from stages.wire import json
from tests.support.cases import cases
from tests.support.running import client_of
from tests.support.upstream import ScriptedUpstream, json_script

CALL = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "word " * 900}
LOOK = {"name": "look", "input_schema": {"type": "object"}}
MESSAGES = [
    {"role": "user", "content": "Look."},
    {"role": "assistant", "content": [CALL]},
    {"role": "user", "content": [RESULT]},
]
CLEARING = {
    "type": "clear_tool_uses_20250919",
    "trigger": {"type": "input_tokens", "value": 100},
    "keep": {"type": "tool_uses", "value": 0},
}


async def counted(**fields: Any) -> dict[str, Any]:
    """Count a conversation with these fields beside it."""
    body = {"model": "claude-sonnet-5-5", "tools": [LOOK], "messages": MESSAGES, **fields}
    reply = await client_of(EmulatorTransport(delay=0)).request("POST", "/v1/messages/count_tokens", json.encode(body))
    assert reply.status == 200
    told: dict[str, Any] = reply.json()
    return told


@pytest.mark.parametrize("edits", [[], [CLEARING]])
async def test_what_it_had_before(edits: list[dict[str, Any]]) -> None:
    """The count is of what is left, and beside it stands about what there was, by our estimate of the rest."""
    whole = await counted()
    told = await counted(context_management={"edits": edits})
    original = told["context_management"]["original_input_tokens"]
    assert set(whole) == {"input_tokens"}
    assert (told["input_tokens"] < whole["input_tokens"] - 500) == bool(edits)
    assert original == pytest.approx(whole["input_tokens"], rel=0.25)


@cases("status", [400, 404, 405, 500, 501, 503])
@cases("message", ["Not Found", "unknown endpoint", ""])
async def test_an_upstream_that_does_not_count(status: int, message: str) -> None:
    """Whatever it says to that: we count ourselves."""
    upstream = ScriptedUpstream(json_script({"error": {"message": message}}, status))
    body = json.encode({"model": "claude-sonnet-5-5", "messages": MESSAGES, "tools": [LOOK]})
    reply = await client_of(upstream).request("POST", "/v1/messages/count_tokens", body)

    assert reply.status == 200
    assert reply.json()["input_tokens"] > 900


async def test_a_summary_is_not_counted() -> None:
    """The field is ignored, as Anthropic ignores it."""
    assert await counted(compaction={"type": "summarize", "instructions": "word " * 900}) == await counted()
