"""A client's body: understood, or refused in Anthropic's words with the place first; never an exception."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.failure import Failure, Kind
from stages.canonical.request import Request
from stages.decoder import THREADS_UNSUPPORTED, decode
from stages.wire import json
from tests.stages.strategies import JSON

TOOL = {"name": "f", "input_schema": {"type": "object"}}
USER = {"role": "user", "content": "x"}
ASSISTANT = {"role": "assistant", "content": "y"}
THINKING = {"type": "enabled", "budget_tokens": 2048}
NON_EMPTY = "all messages must have non-empty content except for the optional final assistant message"

RICH: dict[str, Any] = {
    "model": "claude-x",
    "max_tokens": 100,
    "stream": True,
    "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "x"},
                {"type": "image", "source": {"type": "url", "url": "https://a"}},
                {
                    "type": "document",
                    "title": "t",
                    "source": {"type": "content", "content": [{"type": "text", "text": "d"}]},
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "t", "signature": "s"},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "done", "is_error": True}],
        },
        {"role": "system", "content": "s", "output_config": {"effort": "low"}},
    ],
    "tools": [TOOL, {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}],
    "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": True},
    "thinking": THINKING,
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {}}},
    "stop_sequences": ["a"],
    "metadata": {"user_id": "u"},
    "temperature": 1,
    "top_k": 5,
}
"""A request with everything in it."""


def body(**fields: Any) -> bytes:
    """Write a small request with these fields on top; the value `...` leaves one out."""
    value = {"model": "m", "max_tokens": 9, "messages": [USER], **fields}
    return json.encode({key: item for key, item in value.items() if item is not ...})


def refused(raw: bytes, *, counting: bool = False) -> Failure:
    """Decode something that must be refused."""
    outcome = decode(raw, counting=counting)
    assert isinstance(outcome, Failure)
    assert outcome.kind is Kind.INVALID_REQUEST
    return outcome


def test_a_request_with_everything_is_understood() -> None:
    """Nothing is refused that is right, and unknown fields are kept."""
    request = decode(json.encode(RICH))

    assert isinstance(request, Request)
    assert (len(request.messages), len(request.tools), request.extra) == (4, 2, {"top_k": 5})


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "The request body is not valid JSON: Expecting value: line 1 column 1 (char 0)"),
        (b'{"model": ', "The request body is not valid JSON: Expecting value: line 1 column 11 (char 10)"),
        (b"\xff", "The request body is not valid JSON: invalid UTF-8 at byte 0"),
        (b"[]", "The request body should be a JSON object"),
        (b"null", "The request body should be a JSON object"),
        (b'"text"', "The request body should be a JSON object"),
    ],
)
def test_a_body_that_is_no_object(raw: bytes, message: str) -> None:
    """What is no JSON, or no object, is told so."""
    assert refused(raw).message == message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": ...}, "model: Field required"),
        ({"messages": ...}, "messages: Field required"),
        ({"max_tokens": ...}, "max_tokens: Field required"),
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"max_tokens": -1}, "max_tokens: Input should be greater than or equal to 0"),
        ({"messages": []}, "messages: at least one message is required"),
        ({"messages": [ASSISTANT]}, 'messages: first message must use the "user" role'),
        ({"messages": [{**USER, "content": []}]}, f"messages.0: {NON_EMPTY}"),
        ({"messages": [USER, {**ASSISTANT, "content": []}, USER]}, f"messages.1: {NON_EMPTY}"),
        (
            {"messages": [USER, {"role": "assistant", "content": [{"type": "text"}]}]},
            "messages.1.content.0.text.text: Field required",
        ),
        (
            {"thinking": {**THINKING, "budget_tokens": 1023}},
            "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
        ),
        ({"tools": [TOOL, TOOL]}, "tools: Tool names must be unique."),
        ({"tools": [TOOL], "tool_choice": {"type": "tool"}}, "tool_choice.tool.name: Field required"),
        ({"tool_choice": {"type": "auto"}}, "tool_choice: tool_choice may only be specified while providing tools."),
        ({"tool_choice": {"type": "any"}}, "tool_choice: tool_choice may only be specified while providing tools."),
        ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "g"}}, "Tool 'g' not found in provided tools"),
        ({"stop_sequences": ["a", " \n"]}, "stop_sequences: each stop sequence must contain non-whitespace"),
        ({"stop_sequences": [""]}, "stop_sequences: each stop sequence must contain non-whitespace"),
        ({"max_tokens": 0, "stream": True}, "max_tokens: 0 is not supported together with stream"),
        ({"max_tokens": 0, "thinking": THINKING}, "max_tokens: 0 is not supported together with thinking.type"),
        (
            {"max_tokens": 0, "output_config": {"format": {"type": "json_schema"}}},
            "max_tokens: 0 is not supported together with output_config.format",
        ),
        (
            {"max_tokens": 0, "tools": [TOOL], "tool_choice": {"type": "any"}},
            "max_tokens: 0 is not supported together with tool_choice",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_wrong_is_said_in_anthropics_words(fields: dict[str, Any], message: str) -> None:
    """Each rule has its sentence."""
    failure = refused(body(**fields))

    assert (failure.message, failure.error_code) == (message, None)


@pytest.mark.parametrize(
    "fields",
    [
        {"max_tokens": 0},
        {"max_tokens": 0, "tools": [TOOL], "tool_choice": {"type": "none"}, "thinking": {"type": "adaptive"}},
        {"thinking": {**THINKING, "budget_tokens": 1024}},
        {"thinking": {"type": "adaptive"}},
        {"tool_choice": {"type": "none"}},
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f"}},
        {"tools": [{"type": "bash_20250124", "name": "bash"}], "tool_choice": {"type": "tool", "name": "bash"}},
        {"messages": [USER, {**ASSISTANT, "content": []}]},
        {"messages": [USER, {**ASSISTANT, "content": ""}]},
        {"messages": [USER, {"role": "system", "content": []}]},
        {"messages": [{"role": "system", "content": "s"}, USER]},
        {"messages": [USER, USER, ASSISTANT, ASSISTANT]},
        {"thread": None},
    ],
    ids=str,
)
def test_what_is_allowed_is_not_refused(fields: dict[str, Any]) -> None:
    """The other side of each rule."""
    assert isinstance(decode(body(**fields)), Request)


def test_a_count_needs_no_limit() -> None:
    """`count_tokens` has no `max_tokens`; everything else is asked of it as well."""
    assert isinstance(decode(body(max_tokens=...), counting=True), Request)
    assert (
        refused(body(max_tokens=..., messages=[]), counting=True).message
        == "messages: at least one message is required"
    )


def test_threads_have_the_code_that_runners_know() -> None:
    """Anthropic's tool runners then go on without server-held conversations."""
    failure = refused(body(thread={"id": "thr_1"}))

    assert failure.error_code == THREADS_UNSUPPORTED == "thread_unsupported_request"


# -- any JSON at all ------------------------------------------------------------------------------------

PLACE = re.compile(r"[a-z_]+(\.[\w-]+)*: .")
WITHOUT_PLACE = ("The request body", "Tool '")


def _check(value: Any) -> None:
    outcome = decode(json.encode(value))
    if isinstance(outcome, Failure):
        assert outcome.kind is Kind.INVALID_REQUEST
        assert PLACE.match(outcome.message) or outcome.message.startswith(WITHOUT_PLACE)


@given(JSON)
def test_any_json_is_a_request_or_a_named_mistake(value: Any) -> None:
    """No JSON value raises."""
    _check(value)


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(RICH, JSON)))
def test_known_fields_with_any_values(value: Any) -> None:
    """With the right names but any values, every complaint has its place."""
    _check({**RICH, **value})


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in _places(item, (*path, key)))]


@given(st.sampled_from(_places(RICH)[1:]), st.one_of(JSON, st.just(...)))
def test_any_one_thing_may_be_wrong(path: tuple[Any, ...], value: Any) -> None:
    """Wherever in a full request something else stands, or nothing does, nothing raises."""
    request: Any = copy.deepcopy(RICH)
    at = request
    for step in path[:-1]:
        at = at[step]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    _check(request)


@given(st.binary(max_size=40))
def test_any_bytes_are_refused_politely(raw: bytes) -> None:
    """What is not even text is a 400 as well."""
    outcome = decode(raw)

    assert isinstance(outcome, Failure)
