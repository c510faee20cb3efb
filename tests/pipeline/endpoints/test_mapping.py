"""What a client hears of the mapping: a header, a dry run, and refusals in strict mode."""

from __future__ import annotations

from typing import Any

from structlog.testing import CapturingLogger

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.service import open_service
from pipeline.settings import Settings, UpstreamSettings
from stages.wire import json
from tests.support.client import MemoryClient, Reply

BODY = {"model": "claude-opus-5-5", "max_tokens": 500, "messages": [{"role": "user", "content": "Hello"}]}


async def ask(
    path: str, extra: dict[str, Any], headers: dict[str, str] | None = None
) -> tuple[Reply, EmulatorTransport]:
    """Send a request to a proxy on the emulator."""
    upstream = EmulatorTransport(delay=0)
    settings = Settings(upstream=UpstreamSettings(url="emulator"))
    async with open_service(settings, transport=upstream, log=CapturingLogger()) as context:
        client = MemoryClient(application(context))
        return await client.request("POST", path, json.encode({**BODY, **extra}), headers), upstream


async def test_the_header_names_what_was_not_simply_translated() -> None:
    """A dropped and an emulated field are named; a plain request is told that all of it is faithful."""
    told, _ = await ask("/v1/messages", {"top_k": 5, "stop_sequences": ["###"]})
    plain, _ = await ask("/v1/messages", {})

    assert told.headers["dragoman-mapping"] == "dropped=top_k;emulated=stop_sequences"
    assert plain.headers["dragoman-mapping"] == "faithful=all"


async def test_a_field_cannot_break_out_of_the_header() -> None:
    """Names of unknown fields are the client's words: line ends in them stay out of the head."""
    told, _ = await ask("/v1/messages", {"a\r\nset-cookie: b": 1})

    assert told.status == 200
    assert told.headers["dragoman-mapping"] == "dropped=a??set-cookie??b"


async def test_strict_mode_refuses_by_name() -> None:
    """The first thing that is not faithful is a 400 with its path, and nothing goes upstream."""
    refused, upstream = await ask("/v1/messages", {"top_k": 5}, {"dragoman-mode": "strict"})
    faithful, _ = await ask("/v1/messages", {}, {"dragoman-mode": "strict"})

    assert refused.status == 400
    assert refused.json()["error"]["message"].startswith("top_k: dropped: ")
    assert upstream.requests == []
    assert faithful.status == 200


async def test_explain_is_the_exact_body_and_sends_nothing() -> None:
    """What `explain` shows is what the same request sends, down to the last key."""
    dry, silent = await ask("/v1/messages/explain", {"top_k": 5})
    _, spoken = await ask("/v1/messages", {"top_k": 5})

    assert silent.requests == []
    assert dry.json()["upstream"] == spoken.requests[0]
    assert {"path": "top_k", "fate": "dropped", "reason": "the upstream has no such parameter"} in dry.json()["report"]
    assert {note["path"] for note in dry.json()["report"]} >= {"model", "messages", "max_tokens", "top_k"}


async def test_a_stop_sequence_ends_the_answer_and_leaves_the_upstream() -> None:
    """The text before the sequence is all there is, and the upstream's connection is closed."""
    reply, upstream = await ask("/v1/messages", {"stop_sequences": ["emulator"], "max_tokens": 500})

    message = reply.json()
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "emulator")
    assert "emulator" not in message["content"][0]["text"]
    assert upstream.open_streams == 0


async def test_one_token_is_one_token() -> None:
    """A probe with `max_tokens: 1` is answered with one token of text, whatever the model needs to reason."""
    reply, upstream = await ask("/v1/messages", {"max_tokens": 1})

    message = reply.json()
    assert upstream.requests[0]["max_output_tokens"] > 16
    assert message["stop_reason"] == "max_tokens"
    assert 0 < len(message["content"][0]["text"]) < 10


async def test_a_tool_with_an_odd_name_is_mended_or_refused() -> None:
    """Anthropic refuses it; here it is called by a name that fits, unless the client insists on faithfulness."""
    odd = {"tools": [{"name": "look.up", "input_schema": {"type": "object"}}], "tool_choice": {"type": "any"}}
    mended, upstream = await ask("/v1/messages", odd)
    refused, _ = await ask("/v1/messages", odd, {"dragoman-mode": "strict"})

    assert mended.json()["content"][-1]["name"] == "look.up"
    assert upstream.requests[0]["tools"][0]["name"] != "look.up"
    assert mended.headers["dragoman-mapping"] == "approximated=tools"
    assert refused.status == 400
    assert "String should match pattern '^[a-zA-Z0-9_-]{1,128}$'" in refused.json()["error"]["message"]


async def test_client_tools_are_faithful() -> None:
    """A published schema is what the tool means, so strict mode has nothing against it."""
    tools = [{"type": "browser_toolset_20260801"}, {"type": "memory_20250818", "name": "memory"}]
    reply, upstream = await ask("/v1/messages", {"tools": tools}, {"dragoman-mode": "strict"})

    assert reply.status == 200
    assert len(upstream.requests[0]["tools"]) == 28
