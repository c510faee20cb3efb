"""A client's body: understood, or refused in Anthropic's words with the place first; never an exception."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.failure import Failure, Kind
from stages.canonical.request import Caller, Request, Text, mark_of
from stages.decoder import BILLING_HEADER, THREADS_UNSUPPORTED, decode_request
from stages.tables.versions import VERSIONS
from stages.wire import json
from tests.stages.decoder.bodies import THINKING, TOOL, USER, body, refused, taken
from tests.stages.strategies import JSON

BILLED = {"type": "text", "text": f"{BILLING_HEADER}: cc_version=1; cch=1", "cache_control": {"type": "ephemeral"}}

RICH: dict[str, Any] = {
    "model": "claude-x",
    "max_tokens": 4_096,
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


def test_a_request_with_everything_is_understood() -> None:
    """Nothing is refused that is right, and unknown fields are kept."""
    request = decode_request(json.encode(RICH))

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
        (
            {"messages": [USER, {"role": "assistant", "content": [{"type": "text"}]}]},
            "messages.1.content.0.text.text: Field required",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_has_not_the_right_shape(fields: dict[str, Any], message: str) -> None:
    """What is missing is named with its place."""
    failure = refused(body(**fields))

    assert (failure.message, failure.error_code) == (message, None)


def test_a_count_needs_no_limit() -> None:
    """`count_tokens` has no `max_tokens`; everything else is asked of it as well."""
    assert isinstance(decode_request(body(max_tokens=...), counting=True), Request)
    assert (
        refused(body(max_tokens=..., messages=[]), counting=True).message
        == "messages: at least one message is required"
    )


@pytest.mark.parametrize("version", ["", *VERSIONS])
@pytest.mark.parametrize("counting", [True, False])
def test_threads_have_the_code_that_runners_know(version: str, *, counting: bool) -> None:
    """Anthropic's tool runners then go on without server-held conversations, whatever version they speak."""
    failure = refused(body(thread={"type": "create"}), Caller(version=version), counting=counting)

    assert failure.error_code == THREADS_UNSUPPORTED == "thread_unsupported_request"


def test_no_thread_is_none() -> None:
    """Null asks for nothing."""
    taken(body(thread=None))


@pytest.mark.parametrize("counting", [True, False])
def test_versions_have_rules_of_their_own(*, counting: bool) -> None:
    """In a count as well; an unknown version is refused before anything is read."""
    warm = body(temperature=0.5)

    taken(warm, Caller(version="2023-06-01"), counting=counting)
    assert refused(warm, Caller(version="2026-10-21"), counting=counting).message == (
        "temperature: Extra inputs are not permitted"
    )
    assert refused(b"{", Caller(version="2020-01-01"), counting=counting).message == (
        'anthropic-version: "2020-01-01" is not a valid version'
    )


# -- any JSON at all ------------------------------------------------------------------------------------

PLACE = re.compile(r"[a-z_]+(\.[\w-]+)*: .")
WITHOUT_PLACE = ("The request body", "Tool '", "`max_tokens` must be greater", "A maximum of")


def _check(value: Any) -> None:
    outcome = decode_request(json.encode(value))
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
    outcome = decode_request(raw)

    assert isinstance(outcome, Failure)


def test_billing_headers_are_emptied_in_place() -> None:
    """No stage behind reads one; each keeps its place and its mark, and the request says which they were."""
    request = decode_request(body(system=[{"type": "text", "text": "s"}, BILLED]))

    assert isinstance(request, Request)
    assert request.billing == (1,)
    assert [block.text for block in request.system if isinstance(block, Text)] == ["s", ""]
    assert [mark_of(block) for block in request.system] == [None, BILLED["cache_control"]]


@pytest.mark.parametrize(
    ("text", "read", "paths"),
    [
        (rb"a\ud83d", "a\ufffd", ("messages.0.content",)),
        (rb"\uDE00b", "\ufffdb", ("messages.0.content",)),
        (b"\xed\xa0\xbd", "\ufffd", ("messages.0.content",)),
        (rb"\ud83d\ude00", "\U0001f600", ()),
        (rb"\\ud83d", r"\ud83d", ()),
    ],
)
def test_half_a_character_is_replaced(text: bytes, read: str, paths: tuple[str, ...]) -> None:
    """JSON has those and Unicode has not; the request remembers where, so that it is reported."""
    request = decode_request(b'{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"' + text + b'"}]}')

    assert isinstance(request, Request)
    (block,) = request.messages[0].content
    assert isinstance(block, Text)
    assert (block.text, request.mended) == (read, paths)
