"""Recorded answers with calls that the upstream ran itself, to a client that declared the tools, and back again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.recorded import load, script
from tests.end_to_end.server_tools import asked, expected, hosted_recordings, is_paused, kept, output, seen
from tests.support.cases import cases
from tests.support.judges import judge_body, judge_stream, judge_upstream_request
from tests.support.running import client_of
from tests.support.spread import spread
from tests.support.upstream import ScriptedUpstream, json_script

pytestmark = pytest.mark.usefixtures("shared")

RECORDINGS = hosted_recordings()
PLAYED = spread(RECORDINGS, (True, False))
"""Each in one way, streamed or not."""
REST = {"status": "completed", "output": [{"type": "message", "content": [{"type": "output_text", "text": "ok"}]}]}


async def _played(path: Path, *, stream: bool, then: dict[str, Any] | None = None) -> tuple[Any, ScriptedUpstream]:
    """Answer the request of a recording with it, and the one that follows with a text."""
    upstream = ScriptedUpstream(script(load(path)), json_script(REST))
    request = then or asked(path)
    reply = await client_of(upstream).messages(request | {"stream": stream})
    assert (reply.status, upstream.open) == (200, 0)
    return reply, upstream


def _check(path: Path, message: dict[str, Any]) -> None:
    assert seen(message["content"]) == expected(output(path))
    assert (message["stop_reason"] == "pause_turn") == is_paused(output(path))
    searches = sum(block[:2] == ("server_tool_use", "web_search") for block in seen(message["content"]))
    assert (message["usage"].get("server_tool_use") or {}).get("web_search_requests", 0) == searches
    ran = any(item["type"] == "code_interpreter_call" for item in output(path))
    assert bool((message.get("container") or {}).get("id", "").startswith("cntr_")) == ran


@cases("path", [path for path, stream in PLAYED if stream])
async def test_streamed(path: Path) -> None:
    """Streamed: the judges find nothing, and every call is shown with what came of it."""
    reply, _ = await _played(path, stream=True)
    findings, message = judge_stream(reply.body, asked(path))

    assert findings == []
    _check(path, message)


@cases("path", [path for path, stream in PLAYED if not stream])
async def test_whole_and_back_again(path: Path) -> None:
    """Not streamed: the same; and sent back, it is what the upstream had said, in a request that it takes."""
    reply, upstream = await _played(path, stream=False)
    message = reply.json()
    assert judge_body(message, 200) == []
    _check(path, message)

    if not message["content"]:  # a search that the client should have run, and that it did not ask for
        return
    request = asked(path)
    turn = {"role": "assistant", "content": message["content"]}
    results = [
        {"type": "tool_result", "tool_use_id": block["id"], "content": "done"}
        for block in message["content"]
        if block["type"] == "tool_use"
    ]
    said = [] if message["stop_reason"] == "pause_turn" else [*results, {"type": "text", "text": "and now?"}]
    request["messages"] += [turn, *([{"role": "user", "content": said}] if said else [])]
    _, upstream = await _played(path, stream=False, then=request)

    sent = upstream.requests[0]
    assert judge_upstream_request(sent) == []
    assert kept(sent["input"]) == kept(output(path))


def test_there_are_recordings() -> None:
    """Of each kind, or a folder has moved."""
    kinds = {item["type"] for path in RECORDINGS for item in output(path)}

    assert kinds >= {"web_search_call", "code_interpreter_call", "mcp_call", "tool_search_call", "tool_search_output"}
