"""Turns in which the upstream runs tools itself: paused and resumed, with a container that lives on."""

from __future__ import annotations

from typing import Any

import pytest

from stages.wire import json
from tests.support.client import Reply
from tests.support.judges import judge_body, judge_upstream_request
from tests.support.running import client_of
from tests.support.upstream import ScriptedUpstream, json_script

pytestmark = pytest.mark.usefixtures("shared")

SEARCH = {
    "type": "web_search_call",
    "id": "ws_1",
    "status": "completed",
    "action": {"type": "search", "query": "q", "queries": ["q"]},
}
RUN = {
    "type": "code_interpreter_call",
    "id": "ci_1",
    "container_id": "cntr_1",
    "code": "1",
    "outputs": None,
    "status": "completed",
}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA"}
TEXT = {"type": "message", "content": [{"type": "output_text", "text": "ok"}]}
HI = {"role": "user", "content": "hi"}
TOOLS = [
    {"type": "web_search_20250305", "name": "web_search"},
    {"type": "code_execution_20250825", "name": "code_execution"},
]


def _answer(*output: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"status": "completed", "created_at": 1_780_000_000, "output": list(output), **fields}


async def _turns(*answers: dict[str, Any], **fields: Any) -> tuple[list[Reply], ScriptedUpstream]:
    """Ask until there are no more answers, each time with what was said before, and the container if there is one."""
    upstream = ScriptedUpstream(*map(json_script, answers))
    client, messages, replies = client_of(upstream), [HI], []
    container: dict[str, Any] = {}
    for _ in answers:
        request = {"model": "claude-sonnet-5-5", "max_tokens": 1000, "tools": TOOLS, "messages": messages}
        reply = await client.messages(request | container | fields)
        assert judge_body(reply.json(), reply.status) == []
        container = {"container": reply.json()["container"]["id"]} if "container" in reply.json() else {}
        said = [] if reply.json()["stop_reason"] == "pause_turn" else [{"role": "user", "content": "and?"}]
        messages = [*messages, {"role": "assistant", "content": reply.json()["content"]}, *said]
        replies.append(reply)
    assert [finding for body in upstream.requests for finding in judge_upstream_request(body)] == []
    return replies, upstream


async def test_a_paused_turn_goes_on() -> None:
    """An answer that ends with the upstream's own call is sent back, and its items are the last of the input."""
    replies, upstream = await _turns(_answer(THOUGHT, SEARCH), _answer(TEXT))

    assert [reply.json()["stop_reason"] for reply in replies] == ["pause_turn", "end_turn"]
    assert [item["type"] for item in upstream.requests[1]["input"]] == ["message", "reasoning", "web_search_call"]
    assert upstream.requests[1]["input"][-1] == SEARCH


async def test_an_answer_cut_between_messages_is_paused() -> None:
    """The upstream says that it stopped at its limit of messages."""
    cut = _answer(TEXT, status="incomplete", incomplete_details={"reason": "max_messages"})
    (reply,), _ = await _turns(cut)

    assert reply.json()["stop_reason"] == "pause_turn"


async def test_a_container_is_told_and_lives_on() -> None:
    """The next request names it, and still declares its tools byte for byte as before (law 9)."""
    replies, upstream = await _turns(_answer(RUN, TEXT), _answer(TEXT))
    first, second = upstream.requests

    assert replies[0].json()["container"] == {"id": "cntr_1", "expires_at": "2026-05-28T20:46:40Z"}
    assert "container" not in replies[1].json()
    assert json.encode(second["tools"]) == json.encode(first["tools"])
    assert second["input"][1] == RUN


async def test_usage_counts_searches() -> None:
    """As the real API does."""
    (reply,), _ = await _turns(_answer(SEARCH, RUN, SEARCH | {"id": "ws_2"}, TEXT))

    assert reply.json()["usage"]["server_tool_use"] == {"web_search_requests": 2, "web_fetch_requests": 0}


@pytest.mark.parametrize(
    ("name", "choice"),
    [
        ("web_search", {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]}),
        ("code_execution", {"type": "code_interpreter"}),
    ],
)
async def test_a_hosted_tool_can_be_forced(name: str, choice: dict[str, Any]) -> None:
    """In a form that the upstream's types know."""
    _, upstream = await _turns(_answer(TEXT), tool_choice={"type": "tool", "name": name})

    assert upstream.requests[0]["tool_choice"] == choice
