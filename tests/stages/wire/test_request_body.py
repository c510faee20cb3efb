"""Reading a body: the same as parsing it, but for tools that came before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

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

    assert first["tools"] == (
        Tool("look", {"type": "object"}, extra={"new": [1]}),
        ServerTool("web_search_20250305", "web_search", SEARCH),
    )
    assert second["tools"][1] is first["tools"][0]
    assert second["tools"][0] is first["tools"][1]


def test_messages_that_take_much_room_drive_out_each_other() -> None:
    """What they take counts, not how few bytes have said it: a list of nothing takes thirty times its bytes."""

    def parsed(name: str) -> Any:
        call = {"type": "tool_use", "id": "toolu_1", "name": name, "input": {"a": [[]] * 190_000}}
        return parse_body(body(messages=[{"role": "assistant", "content": [call]}]))["messages"][0]

    first = parsed("first")
    assert parsed("first") is first
    assert parsed("second") is not first

    assert parsed("first") is not first


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


@pytest.mark.parametrize(("tools", "known"), [(None, None), ([], ())])
def test_no_tools_are_none(tools: Any, known: Any) -> None:
    """Null stays null, and of an empty list there is nothing to structure."""
    assert parse_body(body(tools=tools))["tools"] == known


def test_known_messages_are_the_very_same_objects() -> None:
    """A longer conversation begins with the objects of the shorter; one mark more makes another message."""
    said: list[dict[str, Any]] = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [{"type": "text", "text": "ho"}]},
    ]
    marked = {**said[0], "content": [{"type": "text", "text": "hi", "cache_control": {"type": "ephemeral"}}]}
    first, second = parse_body(body(messages=said[:1])), parse_body(body(messages=[*said, said[0], marked]))

    assert first["messages"][0] is second["messages"][0] is second["messages"][2]
    assert second["messages"][3] is not second["messages"][0]
    assert structure(second) == structure(json.loads(body(messages=[*said, said[0], marked])))


@pytest.mark.parametrize(
    ("messages", "complaint"),
    [
        ([{"role": "user", "content": "hi"}, {"role": "robot", "content": "hi"}], "messages.1.role: Input should be"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages.0.content.0.text.text: Field required"),
        ([{"content": "hi"}], "messages.0.role: Field required"),
        ("hi", "messages: Input should be a valid list"),
        (None, "messages: Input should be a valid list"),
    ],
)
def test_a_wrong_message_is_complained_about_in_its_place(messages: Any, complaint: str) -> None:
    """Twice alike: what is wrong is never remembered as right."""
    for _ in range(2):
        with pytest.raises(Misfit, match=complaint.replace(".", r"\.")):
            structure(parse_body(body(messages=messages)))


def test_odd_texts_in_one_message_of_many_are_mended_and_told() -> None:
    """Also where the others are known; the paths are those of the whole body."""
    plain = {"role": "user", "content": "hi"}
    for _ in range(2):
        mended: list[str] = []
        value = parse_body(body(messages=[plain, {"role": "user", "content": "\ud83d"}]), mended)

        assert mended == ["messages.1.content"]
        assert (
            structure(value).messages[1].content
            == structure(parse_body(body(messages=[{**plain, "content": "\ufffd"}]))).messages[0].content
        )


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


@given(st.text(st.characters(codec=None, categories=["L", "Cs", "P"]), max_size=8), st.booleans())
def test_halves_of_characters_are_found_wherever_they_stand(text: str, escaped: bool) -> None:
    """In any spelling: what comes of it has none, and the place is told where one stood."""
    raw = json.dumps({"x": [text]}, ensure_ascii=escaped).encode("utf-8", "surrogatepass")
    whole, mended = json.loads(raw.decode("utf-8", "surrogatepass"))["x"][0], list[str]()

    assert parse_body(raw, mended)["x"] == [wire_json.mended(whole)]
    assert mended == (["x.0"] if wire_json.mended(whole) != whole else [])
