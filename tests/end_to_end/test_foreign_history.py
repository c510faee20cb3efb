"""Conversations that began on the real API go on here, whatever its servers had run in them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SHARED
from tests.support.cases import cases
from tests.support.judges import judge_stream, judge_upstream_request
from tests.support.running import client_of
from tests.support.upstream import ScriptedUpstream, json_script

pytestmark = pytest.mark.usefixtures("shared")

KINDS = (
    "advisor",
    "code_execution",
    "compaction",
    "mcp",
    "pause_turn",
    "refusal",
    "tool_search",
    "tools",
    "web_fetch",
    "web_search",
)
FOUND = sorted(path for kind in KINDS for path in (SHARED / "recordings/anthropic").glob(f"{kind}/*.json"))
DONE = {"status": "completed", "output": [{"type": "message", "content": [{"type": "output_text", "text": "ok"}]}]}


def _message(path: Path) -> dict[str, Any]:
    """The message of a recording; an empty one where it holds an error."""
    record = json.loads(path.read_bytes())
    body = record.get("body") or record.get("response")
    if isinstance(body, str):
        return judge_stream(body.encode())[1]
    return body if isinstance(body, dict) else {}


def _history(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A conversation in which the model said this; what it asked of the client has been done."""
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "done"}
        for block in content
        if block["type"] == "tool_use"
    ]
    said = [*results, {"type": "text", "text": "and now?"}]
    return [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": content},
        {"role": "user", "content": said},
    ]


def _seals(value: Any) -> list[str]:
    """Everything in a message that only its own service can read."""
    if isinstance(value, list):
        return [seal for item in value for seal in _seals(item)]
    if not isinstance(value, dict):
        return []
    own = [inner for key, inner in value.items() if (key.startswith("encrypted") or key == "signature") and inner]
    return [seal for seal in own if isinstance(seal, str)] + [
        seal for inner in value.values() for seal in _seals(inner)
    ]


@cases("path", FOUND, ids=lambda path: f"{path.parent.name}/{path.name}")
async def test_a_conversation_goes_on(path: Path) -> None:
    """The upstream gets a request that it takes, in words, and nothing that was sealed for others."""
    content = _message(path).get("content") or [{"type": "text", "text": "x"}]
    upstream = ScriptedUpstream(json_script(DONE))
    reply = await client_of(upstream).messages(
        {"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": _history(content)}
    )
    sent = json.dumps(upstream.requests[0], ensure_ascii=False)

    assert reply.status == 200
    assert judge_upstream_request(upstream.requests[0]) == []
    assert [seal for seal in _seals(content) if seal in sent] == []


async def test_a_paused_turn_goes_on() -> None:
    """The real API's own: the last message is the model's, and ends with a call of the server's."""
    path = next(path for path in FOUND if path.parent.name == "pause_turn")
    history = _history(_message(path)["content"])[:2]
    upstream = ScriptedUpstream(json_script(DONE))
    reply = await client_of(upstream).messages({"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": history})

    assert reply.status == 200
    assert judge_upstream_request(upstream.requests[0]) == []
    assert upstream.requests[0]["input"][-1]["role"] == "assistant"
    assert reply.json()["content"] == [{"type": "text", "text": "ok"}]


def test_there_are_recordings() -> None:
    """A folder that was moved must not pass for one without mistakes."""
    assert len(FOUND) > 40
