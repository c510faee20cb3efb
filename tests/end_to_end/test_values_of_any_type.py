"""Any JSON value at any place of a request: it is answered, or refused with its place, and never breaks anything."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import CapturingLogger

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.service import open_service
from pipeline.settings import Settings, UpstreamSettings
from stages.canonical.failure import Failure, Kind
from stages.decoder import MAX_COMPLAINT, decode_request
from tests.support import samples
from tests.support.cases import cases
from tests.support.client import MemoryClient, Reply

SCHEMA: dict[str, Any] = {
    "type": "object",
    "$defs": {"a": {"type": "string", "enum": ["x", None], "pattern": "^a+$"}},
    "properties": {
        "a": {"$ref": "#/$defs/a"},
        "b": {"anyOf": [{"type": "array", "items": {"type": "integer", "minimum": 1}}, {"type": "null"}]},
        "c": {"allOf": [{"type": "object", "properties": {"q": {"format": "uri"}}, "required": ["q"]}]},
    },
    "required": ["a"],
}
MARKED = {**samples.TEXT, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
SETTINGS: dict[str, Any] = {
    "system": [MARKED],
    "stop_sequences": ["a"],
    "temperature": 1.0,
    "top_p": 0.5,
    "top_k": 3,
    "metadata": {"user_id": '{"device_id":"d","session_id":"s"}'},
    "stream": True,
    "service_tier": "auto",
    "speed": "fast",
    "thinking": {"type": "enabled", "budget_tokens": 2000},
    "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
    "tools": [{"name": "deep", "strict": True, "input_schema": SCHEMA}],
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
    "output_format": {"type": "json_schema", "schema": {"type": "array", "items": {"type": "string"}}},
    "diagnostics": {"previous_message_id": "msg_1"},
    "context_management": {"edits": [{"type": "clear_tool_uses_20250919", "keep": {"type": "tool_uses", "value": 3}}]},
    "mcp_servers": [samples.SERVER],
    "container": {"skills": [{"type": "anthropic", "skill_id": "pdf"}]},
}
GO = {"role": "user", "content": "go"}


def _bodies() -> Iterator[samples.Json]:
    """Requests that hold one of everything."""
    yield samples.request(**SETTINGS)
    yield from (samples.with_tool(tool) for tool in samples.TOOLS.values())
    yield samples.request({"role": "user", "content": list(samples.USERS.values())})
    for block in samples.RESULTS.values():
        yield samples.request(
            {"role": "assistant", "content": [samples.CALL]}, {"role": "user", "content": [block]}, tools=[samples.LOOK]
        )
    for blocks in samples.ANSWERS.values():
        yield samples.request({"role": "assistant", "content": [*blocks, MARKED]}, GO)


def _places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield before
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from _places(item, (*before, key))


def _put(body: Any, place: tuple[Any, ...], value: Any) -> Any:
    """Give a body another value at one place."""
    if not place:
        return value
    key, *rest = place
    inner = _put(body[key], tuple(rest), value)
    if isinstance(body, dict):
        return {**body, key: inner}
    return [inner if at == key else item for at, item in enumerate(body)]


CASES = [(body, place) for body in _bodies() for place in _places(body)]
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, True, 0, -1, 1.5, 1e308, 10**30, 10**400, "", "a", "\ud800", "x" * 100_000, "9" * 5000, [], {}, [None],
        {"": {}}, {"type": 1}, {"type": "object", "properties": 1}, {"$ref": "#/a/" + "9" * 5000}, {"required": [[]]},
        {"type": {}, "name": 1}, [[1]], [{"type": "text"}], {"properties": {"a": 1}, "required": {"a": 1}},
    ]
)  # fmt: skip
KEYS = st.sampled_from(["type", "name", "text", "content", "properties", "source", "input", "id", "a"])
VALUES = ODD | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
PATHS = ("/v1/messages", "/v1/messages/count_tokens", "/v1/messages/explain")
LONGEST_LINE = 4096


@attrs.frozen
class Proxy:
    """A proxy on the emulator, and what it logs."""

    client: MemoryClient
    log: CapturingLogger

    async def ask(self, path: str, body: bytes) -> Reply:
        """Send a body."""
        return await self.client.request("POST", path, body)


@asynccontextmanager
async def opened() -> AsyncIterator[Proxy]:
    """Open a proxy; its vocabulary has a process, so whoever can shares one."""
    log, configured = CapturingLogger(), Settings(upstream=UpstreamSettings(url="emulator"))
    async with open_service(configured, transport=EmulatorTransport(delay=0), log=log) as context:
        yield Proxy(MemoryClient(application(context)), log)


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    """Open a proxy for all cases of a test."""
    async with opened() as proxy:
        yield proxy


@settings(max_examples=250)
@given(st.sampled_from(CASES), VALUES, st.sampled_from(PATHS))
async def test_it_is_answered_or_refused(case: tuple[samples.Json, tuple[Any, ...]], value: Any, path: str) -> None:
    """Never a fault of ours, and no log line that grows with what a client writes."""
    body, place = case
    async with opened() as proxy:
        reply = await proxy.ask(path, json.dumps(_put(body, place, value)).encode())
    log = proxy.log

    assert [call for call in log.calls if call.args == ("fault",)] == []
    assert b"Internal server error" not in reply.body
    assert reply.status in (200, 400), reply.body
    assert all(len(repr(call)) < LONGEST_LINE for call in log.calls)


REFUSED: dict[str, dict[str, Any]] = {
    "model: String should have at least 1 character": {"model": ""},
    "model: String should have at most 256 characters": {"model": "m" * 100_000},
    "model: Input should be a valid string": {"model": None},
    "tools.0.custom.input_schema.properties: Input should be a valid dictionary": {
        "tools": [{"name": "t", "input_schema": {"type": "object", "properties": 1}}]
    },
    "tools.0.custom.name: String should have at least 1 character": {
        "tools": [{"name": "", "input_schema": {"type": "object"}}]
    },
}


@cases("path", PATHS)
@cases("complaint", REFUSED)
async def test_what_is_refused(path: str, complaint: str, proxy: Proxy) -> None:
    """In Anthropic's words, wherever it is asked."""
    body = {"model": "claude-opus-5-5", "max_tokens": 9, "messages": [GO], **REFUSED[complaint]}
    reply = await proxy.ask(path, json.dumps(body).encode())

    assert reply.status == 400
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert reply.json()["error"]["message"] == complaint


@cases("path", PATHS)
async def test_a_number_with_too_many_digits(path: str, proxy: Proxy) -> None:
    """Python refuses to read it, so it is no JSON for us."""
    body = b'{"model":"m","max_tokens":%b,"messages":[{"role":"user","content":"go"}]}' % (b"1" * 4301)
    reply = await proxy.ask(path, body)

    assert reply.status == 400
    assert "too many digits" in reply.json()["error"]["message"]


PLAIN = 100
"""Levels that nobody would call deep."""

DEEP: dict[str, Callable[[Any], samples.Json]] = {
    "input": lambda inner: samples.request(
        {"role": "assistant", "content": [{**samples.CALL, "input": {"a": inner}}]}, GO, tools=[samples.LOOK]
    ),
    "schema": lambda inner: samples.with_tool({**samples.LOOK, "input_schema": {"properties": {"a": inner}}}),
    "format": lambda inner: samples.request(output_config={"format": {"type": "json_schema", "schema": inner}}),
    "unknown block": lambda inner: samples.request({"role": "user", "content": [{"type": "later", "a": inner}]}),
    "unknown field": lambda inner: samples.request(a=inner),
}


@cases("path", PATHS)
@cases("place", DEEP)
@cases("depth", [100, 400, 700, 900, 990, 3000])
async def test_whatever_is_nested(depth: int, place: str, path: str, proxy: Proxy) -> None:
    """Each part of us can follow a request less deeply than another: none of them breaks."""
    body = json.dumps(DEEP[place]("nested"))
    levels = '{"items":' * depth + "{}" + "}" * depth
    reply = await proxy.ask(path, body.replace('"nested"', levels).encode())

    assert [call for call in proxy.log.calls if call.args == ("fault",)] == []
    assert reply.status in (200, 400), reply.body
    assert reply.status == 200 or "nested too deeply" in reply.json()["error"]["message"], reply.body
    assert reply.status == 200 or depth > PLAIN


def test_a_complaint_quotes_no_more_than_one_can_read() -> None:
    """A name of 100 kB in a sentence is cut."""
    choice = {"type": "tool", "name": "n" * 100_000}
    body = samples.request(tools=[samples.LOOK], tool_choice=choice)
    refused = decode_request(json.dumps(body).encode())

    assert isinstance(refused, Failure)
    assert refused.kind is Kind.INVALID_REQUEST
    assert refused.message.startswith("Tool 'nnn")
    assert len(refused.message) <= MAX_COMPLAINT
