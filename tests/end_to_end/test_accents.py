"""Upstreams with accents: what they say otherwise than documented, and the message that a client must get of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.support.cases import cases
from tests.support.judges import judge_stream
from tests.support.running import client_of
from tests.support.upstream import Script, ScriptedUpstream, events

ACCENTS: dict[str, dict[str, Any]] = json.loads((ROOT / "fixtures/accents/streams.json").read_text())
TOOLS = [{"name": name, "input_schema": {"type": "object"}} for name in ("Bash", "Read")]
REQUEST: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 4096,
    "tools": TOOLS,
    "messages": [{"role": "user", "content": "hi"}],
}


def _request(accent: dict[str, Any], *, stream: bool) -> dict[str, Any]:
    thinking = {"thinking": {"type": "enabled", "budget_tokens": 2000}} if accent.get("thinking") else {}
    return {**REQUEST, **thinking, "stream": stream}


def _seen(message: dict[str, Any]) -> dict[str, Any]:
    blocks = message["content"]
    assert json.dumps(message, ensure_ascii=False).encode()  # a client can encode all of it
    return {
        "text": "".join(block["text"] for block in blocks if block["type"] == "text"),
        "thinking": "".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
        "calls": [[block["name"], block["input"]] for block in blocks if block["type"] == "tool_use"],
        "blocks": [block["type"] for block in blocks],
        "stop_reason": message["stop_reason"],
        "usage": [message["usage"]["input_tokens"], message["usage"]["output_tokens"]],
    }


def _check(accent: dict[str, Any], message: dict[str, Any]) -> None:
    seen, expected = _seen(message), {"calls": [], "text": "", **accent["expect"]}
    assert {name: seen[name] for name in expected} == expected


def _body(told: list[Any]) -> bytes:
    return b"".join(event.encode() if isinstance(event, str) else events(event) for event in told)


@cases("name", ACCENTS)
@pytest.mark.parametrize("stream", [True, False])
async def test_a_stream(name: str, stream: bool) -> None:
    """Whether the client streams or not, it gets the message that was meant."""
    accent = ACCENTS[name]
    request = _request(accent, stream=stream)
    reply = await client_of(ScriptedUpstream(Script([_body(accent["events"])]))).messages(request)

    assert reply.status == 200, reply.body
    if stream:
        findings, message = judge_stream(reply.body, request)
        assert findings == []
        _check(accent, message)
    else:
        _check(accent, reply.json())


@pytest.mark.parametrize("name", [name for name, accent in ACCENTS.items() if "output" in accent])
async def test_a_whole_body(name: str) -> None:
    """The same response as one JSON body is the same message."""
    accent = ACCENTS[name]
    body = json.dumps(accent["events"][-1]["response"]).encode()
    upstream = ScriptedUpstream(Script([body], 200, {"content-type": "application/json"}))
    reply = await client_of(upstream).messages(_request(accent, stream=False))

    assert reply.status == 200, reply.body
    _check(accent, reply.json())
