"""Reading a body: the same as parsing it, but for tools that came before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from stages.canonical.request import ServerTool, Tool
from stages.wire import json as wire_json
from stages.wire.messages_request import Misfit, structure
from stages.wire.request_body import parse_body
from tests.stages.strategies import JSON

TOOL: dict[str, Any] = {"name": "look", "input_schema": {"type": "object"}, "new": [1]}
SEARCH: dict[str, Any] = {"type": "web_search_20250305", "name": "web_search"}


def body(**fields: Any) -> bytes:
    """Write a request's body."""
    return json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields}).encode()


def test_known_tools_are_the_very_same_objects() -> None:
    """So whatever is remembered about one is found again, turn by turn."""
    first, second = parse_body(body(tools=[TOOL, SEARCH])), parse_body(body(tools=[SEARCH, TOOL], stream=True))

    assert first["tools"] == [
        Tool("look", {"type": "object"}, extra={"new": [1]}),
        ServerTool("web_search_20250305", "web_search", SEARCH),
    ]
    assert second["tools"][1] is first["tools"][0]
    assert second["tools"][0] is first["tools"][1]


@pytest.mark.parametrize(
    ("tools", "complaint"),
    [
        ([TOOL, {"name": "x"}], "tools.1.custom.input_schema: Field required"),
        ([TOOL, 5], "tools.1: Input should be an object"),
        ({}, "tools: Input should be a valid list"),
        ([[]], "tools.0: Input should be an object"),
    ],
)
def test_a_wrong_tool_is_complained_about_in_its_place(tools: Any, complaint: str) -> None:
    """What does not fit is read as it stands, and named by whoever structures the whole."""
    value = parse_body(body(tools=tools))

    assert value["tools"] == tools
    with pytest.raises(Misfit, match=complaint.replace(".", r"\.")):
        structure(value)


@pytest.mark.parametrize("tools", [None, []])
def test_no_tools_are_none(tools: Any) -> None:
    """Null and an empty list stay what they are."""
    assert parse_body(body(tools=tools))["tools"] == tools


@given(JSON)
def test_anything_else_is_what_parsing_makes_of_it(value: Any) -> None:
    """Objects without tools, lists, texts, half emojis: no difference to see."""
    raw = json.dumps(value).encode()

    assert repr(parse_body(raw)) == repr(wire_json.decode_mended(raw))


@pytest.mark.parametrize("raw", [b"", b"{", b'{"model": }', b'{"tools": [}', b'{"a": "\xff"}', b"[1", b'{"a": 1} x'])
def test_what_is_no_json_is_said_as_always(raw: bytes) -> None:
    """The place in the complaint is one of the whole body, not of a part."""
    with pytest.raises(wire_json.MalformedJson) as expected:
        wire_json.decode(raw)
    with pytest.raises(wire_json.MalformedJson) as found:
        parse_body(raw)

    assert str(found.value) == str(expected.value)


def test_odd_texts_inside_tools_are_mended() -> None:
    """Half an emoji in a description is read with care, and replaced."""
    raw = body(tools=[{**TOOL, "description": "\ud83d"}])

    assert structure(parse_body(raw)).tools[0].description == "\ufffd"  # type: ignore[union-attr]
