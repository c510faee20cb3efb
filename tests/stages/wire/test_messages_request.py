"""Requests of the Messages API become a tree, or a complaint in Anthropic's words that names its place."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given

from stages.canonical import request as canonical
from stages.wire.messages_request import BLOCKS, Misfit, structure
from tests.stages.strategies import JSON, OBJECTS
from tests.support.cases import cases


def body(**fields: Any) -> dict[str, Any]:
    """A small request with these fields on top."""
    return {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], **fields}


def said(*content: Any, role: Any = "user") -> list[dict[str, Any]]:
    """One message with this content."""
    return [{"role": role, "content": list(content)}]


def complaint(value: dict[str, Any]) -> str | None:
    """What is wrong with a body; None if nothing is."""
    try:
        structure(value)
    except Misfit as misfit:
        return str(misfit)
    return None


def only(block: Any) -> canonical.ContentBlock:
    """Structure one content block."""
    (message,) = structure(body(messages=said(block))).messages
    return message.content[0]


SOURCE = {"type": "base64", "media_type": "image/png", "data": "AAA="}

BY_NAME = {"type": "tool_reference", "name": "f"}
CHANGED = canonical.ChangedTool("tool_reference", "f")

EXAMPLES: dict[str, tuple[dict[str, Any], canonical.ContentBlock]] = {
    "text": ({"text": "hi", "cache_control": {"type": "ephemeral"}}, canonical.Text("hi")),
    "image": ({"source": SOURCE}, canonical.Image(canonical.Source("base64", "image/png", "AAA="))),
    "document": (
        {"source": {"type": "content", "content": "plain"}, "title": "T", "context": None},
        canonical.Document(canonical.Source("content", content=(canonical.Text("plain"),)), "T"),
    ),
    "search_result": (
        {"source": "s", "title": "t", "content": [{"type": "text", "text": "found"}]},
        canonical.SearchResult("s", "t", (canonical.Text("found"),)),
    ),
    "thinking": ({"thinking": "hm", "signature": "sig"}, canonical.Thinking("hm", "sig")),
    "redacted_thinking": ({"data": "opaque"}, canonical.RedactedThinking("opaque")),
    "tool_use": ({"id": "toolu_1", "name": "f", "input": {"a": [1]}}, canonical.ToolUse("toolu_1", "f", {"a": [1]})),
    "tool_result": (
        {"tool_use_id": "toolu_1", "content": "done", "is_error": True},
        canonical.ToolResult("toolu_1", (canonical.Text("done"),), is_error=True),
    ),
    "tool_reference": ({"tool_name": "f"}, canonical.ToolReference("f")),
    "compaction": (
        {"content": "So far.", "signature": "s", "tool_changes": [{"type": "tool_removal", "tool": BY_NAME}]},
        canonical.Compaction("So far.", "s", (canonical.ToolRemoval(CHANGED),)),
    ),
    "tool_addition": (
        {"tool": {"type": "tool_definition", "definition": {"name": "f", "input_schema": {}}}},
        canonical.ToolAddition(canonical.ChangedTool("tool_definition", definition=canonical.Tool("f", {}))),
    ),
    "tool_removal": ({"tool": BY_NAME}, canonical.ToolRemoval(CHANGED)),
}

MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"model": None}, "model: Input should be a valid string"),
    ({"max_tokens": 1.5}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": True}, "max_tokens: Input should be a valid integer"),
    ({"max_tokens": "9"}, "max_tokens: Input should be a valid integer"),
    ({"temperature": "hot"}, "temperature: Input should be a valid number"),
    ({"stream": "yes"}, "stream: Input should be a valid boolean"),
    ({"stop_sequences": "a"}, "stop_sequences: Input should be a valid list"),
    ({"stop_sequences": ["a", 1]}, "stop_sequences.1: Input should be a valid string"),
    ({"metadata": 5}, "metadata: Input should be a valid dictionary"),
    ({"output_config": 5}, "output_config: Input should be an object"),
    ({"output_config": "low"}, "output_config: Input should be an object"),
    ({"output_config": {"effort": 5}}, "output_config.effort: Input should be a valid string"),
    ({"thinking": True}, "thinking: Input should be an object"),
    ({"thinking": {}}, "thinking.type: Field required"),
    (
        {"thinking": {"type": "enabled", "budget_tokens": "1"}},
        "thinking.budget_tokens: Input should be a valid integer",
    ),
    ({"tool_choice": "auto"}, "tool_choice: Input should be an object"),
    ({"tool_choice": {"type": "x"}}, "tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'"),
    ({"tools": {}}, "tools: Input should be a valid list"),
    ({"tools": [5]}, "tools.0: Input should be an object"),
    ({"tools": [{"name": "x"}]}, "tools.0.custom.input_schema: Field required"),
    ({"tools": [{"name": "x", "input_schema": []}]}, "tools.0.custom.input_schema: Input should be a valid dictionary"),
    ({"system": 5}, "system: Input should be a valid list"),
    ({"system": [{"type": "text"}]}, "system.0.text.text: Field required"),
    ({"messages": None}, "messages: Input should be a valid list"),
    ({"messages": {}}, "messages: Input should be a valid list"),
    ({"messages": [1]}, "messages.0: Input should be an object"),
    ({"messages": ["x"]}, "messages.0: Input should be an object"),
    ({"messages": [{}]}, "messages.0.role: Field required"),
    ({"messages": [{"role": "user"}]}, "messages.0.content: Field required"),
    ({"messages": [{"role": "user", "content": None}]}, "messages.0.content: Input should be a valid list"),
    ({"messages": said(role="bot")}, "messages.0.role: Input should be 'user', 'assistant' or 'system'"),
    ({"messages": said(role=["user"])}, "messages.0.role: Input should be 'user', 'assistant' or 'system'"),
    ({"messages": said(None)}, "messages.0.content.0: Input should be an object"),
    ({"messages": said({})}, "messages.0.content.0: Unable to extract tag using discriminator 'type'"),
    ({"messages": said({"type": 5})}, "messages.0.content.0: Input tag should be a string"),
    ({"messages": said({"type": "text"})}, "messages.0.content.0.text.text: Field required"),
    (
        {"messages": said({"type": "text", "text": None})},
        "messages.0.content.0.text.text: Input should be a valid string",
    ),
    ({"messages": said({"type": "image", "source": {}})}, "messages.0.content.0.image.source.type: Field required"),
    (
        {"messages": said({"type": "image", "source": 5})},
        "messages.0.content.0.image.source: Input should be an object",
    ),
    (
        {"messages": [*said("x"), *said({"type": "tool_use", "id": "a", "name": "b", "input": []}, role="assistant")]},
        "messages.0.content.0: Input should be an object",
    ),
    (
        {"messages": said({"type": "tool_use", "id": "a", "name": "b", "input": "{}"}, role="assistant")},
        "messages.0.content.0.tool_use.input: Input should be a valid dictionary",
    ),
    (
        {"messages": said({"type": "tool_result", "tool_use_id": "a", "content": [{"type": "text"}]})},
        "messages.0.content.0.tool_result.content.0.text.text: Field required",
    ),
    (
        {"messages": said({"type": "document", "source": {"type": "content", "content": [{"type": "text"}]}})},
        "messages.0.content.0.document.source.content.0.text.text: Field required",
    ),
    ({"messages": said({"type": "tool_addition"})}, "messages.0.content.0.tool_addition.tool: Field required"),
    (
        {"messages": said({"type": "tool_addition", "tool": "f"})},
        "messages.0.content.0.tool_addition.tool: Input should be an object",
    ),
    (
        {"messages": said({"type": "tool_removal", "tool": {"type": "mcp_tool_reference", "name": "f"}})},
        "messages.0.content.0.tool_removal.tool.mcp_tool_reference.server_name: Field required",
    ),
    (
        {"messages": said({"type": "tool_addition", "tool": {"type": "tool_definition", "definition": {"name": "f"}}})},
        "messages.0.content.0.tool_addition.tool.tool_definition.definition.custom.input_schema: Field required",
    ),
]


@cases("tag", BLOCKS)
def test_every_kind_of_block_is_structured(tag: str) -> None:
    """Each block with words of its own becomes its value; a string as content is one text."""
    fields, expected = EXAMPLES[tag]

    assert attrs.evolve(only({"type": tag, **fields}), **unmarked(expected)) == expected


def unmarked(block: Any) -> dict[str, Any]:
    """The change that takes a block's mark for the cache away, where its kind can have one."""
    return {"cache_control": None} if isinstance(block, canonical.Cacheable) else {}


def test_what_a_class_has_no_attribute_for_is_kept() -> None:
    """A field of tomorrow is not lost, wherever it stands; a null mark is none."""
    block = only({"type": "text", "text": "hi", "cache_control": None, "weight": [1]})

    assert block == canonical.Text("hi", extra={"weight": [1]})


def test_a_mark_for_the_cache_is_kept() -> None:
    """Which blocks the client wants cached is read, and stays out of every text that is made of the block."""
    mark = {"type": "ephemeral", "ttl": "1h"}
    block = only({"type": "text", "text": "hi", "cache_control": mark})

    assert isinstance(block, canonical.Cacheable)
    assert block.cache_control == mark
    assert "ephemeral" not in repr(block)


def test_an_unknown_block_is_kept_whole() -> None:
    """A type of tomorrow is not lost: its body comes along as it is."""
    block = {"type": "hologram", "rays": [1, {"a": None}]}

    assert only(block) == canonical.Unknown("hologram", block)


@cases(("fields", "expected"), MISTAKES)
def test_mistakes_are_named_with_their_place(fields: dict[str, Any], expected: str) -> None:
    """Location with dots, union tags included, then what was expected."""
    assert complaint(body(**fields)) == expected


@pytest.mark.parametrize("name", ["model", "messages"])
def test_required_fields_are_required(name: str) -> None:
    """The two fields without which nothing means anything."""
    with pytest.raises(Misfit, match=rf"^{name}: Field required$"):
        structure({key: value for key, value in body().items() if key != name})


def test_the_first_of_several_mistakes_is_named() -> None:
    """One complaint at a time, as the real API has it."""
    messages = [*said({"type": "text", "text": "fine"}), *said({"type": "text"}, {"type": "text", "text": 5})]

    with pytest.raises(Misfit, match=r"^messages\.1\.content\.0\.text\.text: Field required$"):
        structure(body(messages=messages))


def test_a_complaint_quotes_no_content() -> None:
    """What stood in the wrong place stays out of the message."""
    with pytest.raises(Misfit) as caught:
        structure(body(messages=[{"role": "secret", "content": {"secret": "secret"}}]))

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("name", ["max_tokens", "system", "tools", "tool_choice", "thinking", "stream", "metadata"])
def test_null_means_absence(name: str) -> None:
    """Optional fields may be null at the top, as some clients write them."""
    without = {key: value for key, value in body().items() if key != name}

    assert structure({**without, name: None}) == structure(without)


def test_unknown_fields_are_kept() -> None:
    """What we have no attribute for comes along as it is, even a field that is called `extra`."""
    assert structure(body(top_k=5, extra={"a": 1})).extra == {"top_k": 5, "extra": {"a": 1}}


def test_tools_are_told_apart() -> None:
    """The client's own tools are structured, Anthropic's kept by type and name."""
    mine = {"type": "custom", "name": "f", "input_schema": {"type": "object"}, "defer_loading": True}
    theirs = {"type": "bash_20250124", "name": "bash"}
    nameless = {"type": "mcp_toolset", "name": 5}

    tools = structure(body(tools=[mine, theirs, nameless])).tools

    assert tools == (
        canonical.Tool("f", {"type": "object"}, defer_loading=True),
        canonical.ServerTool("bash_20250124", "bash", theirs),
        canonical.ServerTool("mcp_toolset", None, nameless),
    )


def test_settings_are_structured() -> None:
    """Choice, thinking, effort and metadata arrive as values; a user id that is no text is none."""
    request = structure(
        body(
            tool_choice={"type": "tool", "name": "f", "disable_parallel_tool_use": True},
            thinking={"type": "enabled", "budget_tokens": 2048, "display": "omitted"},
            output_config={"effort": "low"},
            metadata={"user_id": 5},
            temperature=1,
            stop_sequences=["a"],
            messages=[{"role": "system", "content": [], "output_config": {"effort": "high"}}],
        )
    )

    assert request.tool_choice == canonical.ToolChoice("tool", "f", disable_parallel_tool_use=True)
    assert request.thinking == canonical.ThinkingConfig("enabled", 2048, "omitted")
    assert request.output_config == canonical.OutputConfig("low")
    assert request.metadata == canonical.Metadata(None)
    assert (request.temperature, request.stop_sequences) == (1, ("a",))
    assert request.messages == (canonical.Message("system", (), canonical.OutputConfig("high")),)


def test_deep_nesting_is_a_complaint_or_a_tree() -> None:
    """Content inside content inside content never ends in an exception of Python's."""
    block: dict[str, Any] = {"type": "text"}
    for _ in range(400):
        block = {"type": "tool_result", "tool_use_id": "a", "content": [block]}

    with pytest.raises(Misfit, match=r"^messages\.0\.content"):
        structure(body(messages=said(block)))


@given(OBJECTS)
def test_any_object_is_a_request_or_a_misfit(fields: dict[str, Any]) -> None:
    """Nothing else is ever raised."""
    for value in (fields, body(**fields)):
        assert ": " in (complaint(value) or ": ")


@given(JSON)
def test_any_value_in_any_field_is_taken_or_named(value: Any) -> None:
    """A known field with anything in it is structured, or named first in the complaint."""
    for name in ("model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "metadata"):
        assert (complaint(body(**{name: value})) or name).startswith(name)


@given(JSON)
def test_any_value_in_any_block_is_taken_or_named(value: Any) -> None:
    """The same inside a content block."""
    for tag, (fields, _) in EXAMPLES.items():
        for name in fields:
            told = complaint(body(messages=said({"type": tag, **fields, name: value})))
            assert told is None or told.startswith(f"messages.0.content.0.{tag}.{name}")


def test_a_change_of_later_days_is_kept_whole() -> None:
    """A tool that is named in a way which we do not know; nothing is refused for being new."""
    block = {"type": "tool_addition", "tool": {"type": "later", "name": "f"}}
    (message,) = structure({"model": "m", "messages": said(block)}).messages
    assert message.content == (canonical.Unknown("tool_addition", block),)
