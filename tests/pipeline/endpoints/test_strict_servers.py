"""Servers that refuse what they do not know: what was added here goes, what a client asked for is told or reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stages.wire import json
from tests.support import grammar
from tests.support.cases import cases
from tests.support.client import Reply
from tests.support.running import REQUEST, client_of
from tests.support.upstream import Script, ScriptedUpstream, events, json_script
from tests.support.upstream_events import CREATED, completed, text

GOOD = Script([CREATED, text("Fine."), completed()])
MODEL = "gpt-6.2-sol"
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
FOUND = {"type": "tool_reference", "tool_name": "b"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
RICH: dict[str, Any] = {
    **REQUEST,
    "model": MODEL,
    "metadata": {"user_id": "u1"},
    "thinking": {"type": "adaptive"},
    "output_config": {"effort": "high"},
    "system": [{"type": "text", "text": "be", "cache_control": {"type": "ephemeral"}}],
    "tools": [{"name": "a", "input_schema": SCHEMA}, {"name": "b", "input_schema": SCHEMA, "defer_loading": True}],
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "hi"}, PICTURE]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "so"},
                {"type": "tool_use", "id": "toolu_1", "name": "a", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "content": [{"type": "tool_reference", "tool_name": "b"}],
                }
            ],
        },
        {"role": "system", "content": [{"type": "text", "text": "less"}], "output_config": {"effort": "low"}},
        {"role": "assistant", "content": "ho"},
        {"role": "user", "content": "hm"},
    ],
}
"""A request of Claude Code's, with everything that is sent to the newest models alone."""

SEARCH: dict[str, Any] = {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}
TOOL_SEARCH: dict[str, Any] = {
    "tools": [
        {"type": "tool_search_tool_bm25_20251119", "name": "tool_search_tool_bm25"},
        {"name": "b", "input_schema": SCHEMA, "defer_loading": True},
    ],
    "messages": REQUEST["messages"],
    "tool_choice": {"type": "auto"},
}


def paths(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every place in a request, as servers name them, and what stands there."""
    if isinstance(value, dict):
        for name, inner in value.items():
            here = f"{path}.{name}" if path else name
            yield here, inner
            if name not in ("parameters", "schema"):
                yield from paths(inner, here)
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from paths(inner, f"{path}[{at}]")


def kind_of(path: str) -> str:
    """A place without its indexes."""
    return re.sub(r"\[\d+\]", "[]", path)


SAY: dict[str, Callable[[str], Script]] = {
    "param": lambda path: json_script({"error": {"message": "Unknown parameter.", "param": path}}, 400),
    "words": lambda path: json_script({"error": {"message": f"Unknown parameter: '{path}'."}}, 400),
    "loc": lambda path: json_script(
        {
            "detail": [
                {
                    "type": "extra_forbidden",
                    "loc": ["body", *re.findall(r"\w+", path)],
                    "msg": "Extra inputs are not permitted",
                }
            ]
        },
        422,
    ),
    "error event": lambda path: Script(
        [CREATED, events({"type": "error", "error": {"message": "Unknown parameter.", "param": path}})]
    ),
    "failed": lambda path: Script(
        [
            CREATED,
            events(
                {
                    "type": "response.failed",
                    "response": {"status": "failed", "error": {"message": f"Unknown parameter: '{path}'."}},
                }
            ),
        ]
    ),
}
"""Ways to refuse a place: with a status, in the first event, or as a response that has failed."""

ADDED = {
    *("include", "store", "stream_options", "prompt_cache_key", "safety_identifier", "reasoning.summary"),
    *("input[].content[].prompt_cache_breakpoint", "input[].phase", "input[].content[].detail"),
    *("tools[].strict", "input[].tools[].strict", "input[].tools"),
}
"""What nobody has asked for."""


def refusing(kind: str, say: Callable[[str], Script]) -> ScriptedUpstream:
    """An upstream that refuses all places of one kind."""

    def answer(body: dict[str, Any]) -> Script:
        at = next((path for path, _ in paths(body) if kind_of(path) == kind), None)
        return GOOD if at is None else say(at)

    return ScriptedUpstream(answer)


async def sent(**fields: Any) -> dict[str, Any]:
    """What is sent where nothing is refused."""
    upstream = ScriptedUpstream(lambda _: GOOD)
    await client_of(upstream).messages({**RICH, **fields})
    return upstream.requests[0]


def assert_clean(reply: Reply) -> None:
    """One answer, and nothing of what was refused before it."""
    assert reply.status == 200
    message = grammar.read(reply.body)
    assert [block["text"] for block in message.content] == ["Fine."]
    assert reply.body.count(b"event: message_start") == 1
    assert b"event: error" not in reply.body


async def test_what_was_added_here_is_all_known() -> None:
    """The table of this test names nothing that is not sent."""
    assert {kind_of(path) for path, _ in paths(await sent())} >= ADDED


@cases("way", SAY)
@cases("kind", sorted(ADDED))
async def test_what_nobody_asked_for_goes(kind: str, way: str) -> None:
    """However it is refused; the client sees one clean stream, and the next request is asked once."""
    upstream = refusing(kind, SAY[way])
    client = client_of(upstream)

    first = await client.messages(RICH)
    once = len(upstream.requests)
    second = await client.messages(RICH)

    assert_clean(first)
    assert_clean(second)
    assert once == 2
    assert len(upstream.requests) == 3


@pytest.mark.parametrize("way", ["param", "words", "loc"])
async def test_everything_else_is_healed_or_refused_in_words(way: str) -> None:
    """Whatever a server does not know of a request: it never takes more than seven attempts, and is never silent."""
    for kind in sorted({kind_of(path) for path, _ in paths(await sent())} - ADDED):
        upstream = refusing(kind, SAY[way])
        reply = await client_of(upstream).messages(RICH)

        assert len(upstream.requests) <= 7, kind
        if reply.status == 200:
            assert "healed=" in reply.headers["dragoman-mapping"], kind
            assert_clean(reply)
        else:
            assert reply.status == 400, kind
            assert reply.json()["error"]["message"], kind


@pytest.mark.parametrize(
    ("message", "param"),
    [
        ("Unsupported tool type: {kind}", None),
        ("Input should be 'function'", "tools.0.type"),
        ("Only 'function' tools are supported, not {kind}", None),
        ("Invalid value: '{kind}'. Supported values are: 'function'.", "tools[0].type"),
    ],
)
@pytest.mark.parametrize(
    ("fields", "kind", "lost"), [(SEARCH, "web_search", True), (TOOL_SEARCH, "tool_search", False)]
)
async def test_tools_that_the_server_does_not_run(
    fields: dict[str, Any], kind: str, message: str, param: str | None, *, lost: bool
) -> None:
    """They go; the report says what a client loses by it, which is the search of pages, and not that of tools."""

    def answer(body: dict[str, Any]) -> Script:
        if all(tool["type"] == "function" for tool in body.get("tools", ())):
            return GOOD
        return json_script({"error": {"message": message.format(kind=kind), "param": param}}, 400)

    upstream = ScriptedUpstream(answer)
    reply = await client_of(upstream).messages({**RICH, "tool_choice": {"type": "auto"}, **fields})

    assert_clean(reply)
    assert len(upstream.requests) == 2
    assert f"healed={kind}" in reply.headers["dragoman-mapping"]
    assert (b"dropped" in reply.headers["dragoman-mapping"].encode()) is lost


@pytest.mark.parametrize("choice", [{"type": "tool", "name": "a"}, {"type": "any"}])
async def test_a_choice_that_a_server_cannot_read(choice: dict[str, Any]) -> None:
    """LM Studio takes words alone: the tool is offered alone and a call required; a word that it refuses is told."""
    said = "Invalid tool_choice type: 'object'. Supported string values: none, auto, required"

    def answer(body: dict[str, Any]) -> Script:
        refused = isinstance(body["tool_choice"], dict) or choice["type"] == "any"
        return json_script({"error": said}, 400) if refused else GOOD

    upstream = ScriptedUpstream(answer)
    plain = {**RICH, "messages": REQUEST["messages"]}
    reply = await client_of(upstream).messages({**plain, "thinking": {"type": "disabled"}, "tool_choice": choice})

    if choice["type"] == "any":
        assert (reply.status, said in reply.json()["error"]["message"]) == (400, True)
        assert len(upstream.requests) == 1
    else:
        assert_clean(reply)
        assert [tool["name"] for tool in upstream.requests[1]["tools"]] == ["a"]


async def test_a_limit_that_a_server_does_not_take() -> None:
    """The answer is cut here, which the report says."""
    long = Script([CREATED, text("word " * 400), completed()])
    refusal = json_script({"detail": "Unsupported parameter: max_output_tokens"}, 400)
    upstream = ScriptedUpstream(lambda body: refusal if "max_output_tokens" in body else long)

    reply = await client_of(upstream).messages({**REQUEST, "model": MODEL, "max_tokens": 50})
    message = grammar.read(reply.body)

    assert message.delta["stop_reason"] == "max_tokens"
    assert len(json.encode(message.content)) < 500
    assert "emulated=max_tokens" in reply.headers["dragoman-mapping"]
