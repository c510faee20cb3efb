"""Whatever a request says that no stage has spoken about is noted with its path and its fate."""

from __future__ import annotations

from functools import partial
from typing import Any, get_args

import attrs
import pytest

from stages.canonical.report import Disposition, Note, Report
from stages.canonical.request import NO_FIELDS, ContentBlock, Request, Unknown
from stages.mapper.field_report.defaults import EMPTY, MOVED, NODE_OF_BLOCK, Walker, report_defaults
from stages.tables.fields import FIELDS, NODES, UNKNOWN_FIELD, UNKNOWN_KIND
from stages.wire.messages_request import structure
from tests.support.cases import cases
from tests.support.counting import calls_of
from tests.support.places import place

KEPT, TRANSLATED, EMULATED, APPROXIMATED, DROPPED = Disposition
HELLO = {"role": "user", "content": "hi"}
CALL = {"type": "tool_use", "id": "t", "name": "look", "input": {}}
MARK = {"type": "ephemeral"}
IMAGE = {"type": "image", "source": {"type": "url", "url": "http://x"}}
TOOL = {"name": "look", "input_schema": {}}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
MAX_CALLS_OF_A_TURN = 15
"""Calls for three messages with four blocks, of Python and C: 12 in Python 3.11."""


def request(**fields: Any) -> Request:
    """Read a small request with these fields."""
    return structure({"model": "m", "max_tokens": 9, "messages": [HELLO], **fields})


def noted(*told: Note, **fields: Any) -> dict[str, Disposition]:
    """What is noted about a request beside the fields at its top, after stages have told what they have."""
    report = Report()
    for note in told:
        report.note(note.place, note.disposition, note.reason)
    report_defaults(request(**fields), report)
    paths = [note.path for note in report.notes[len(told) :]]
    assert len(paths) == len(set(paths)), "told twice"
    return {
        note.path: note.disposition
        for note in report.notes[len(told) :]
        if "." in note.path or note.disposition is not TRANSLATED
    }


def said(*blocks: dict[str, Any], role: str = "user", **fields: Any) -> list[dict[str, Any]]:
    """A conversation that ends with a message of these blocks."""
    return [HELLO, {"role": role, "content": list(blocks), **fields}]


@cases(
    ("fields", "notes"),
    [
        ({}, {}),
        ({"top_k": 5, "future": 1, "stream": True}, {"top_k": DROPPED, "future": DROPPED, "stream": KEPT}),
        ({"container": None, "future": None}, {"container": KEPT, "future": DROPPED}),
        (
            {"context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}},
            {"context_management": KEPT},
        ),
        ({"context_management": {"edits": [{"type": "later"}]}}, {"context_management.edits.0": DROPPED}),
        ({"metadata": {"user_id": "u"}}, {}),
        ({"metadata": {"user_id": "u", "more": None}}, {"metadata.more": DROPPED}),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, {}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2000, "block_binding": {"a": 1}}},
            {"thinking.block_binding": DROPPED},
        ),
        ({"thinking": {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "drop_block"}}}, {}),
        ({"thinking": {"type": "adaptive", "block_binding": None}}, {}),
        (
            {"thinking": {"type": "adaptive", "block_binding": {"prefix_mismatch_behavior": "error"}}},
            {"thinking.block_binding": DROPPED},
        ),
        ({"thinking": {"type": "disabled", "budget_tokens": 2000}}, {"thinking.budget_tokens": DROPPED}),
        ({"thinking": {"type": "later"}}, {"thinking": DROPPED}),
        ({"mcp_servers": [{"type": "url", "name": "a", "url": "u", "odd": 1}]}, {"mcp_servers.0.odd": DROPPED}),
        ({"output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"a": {"b": 1}}}}}, {}),
        ({"output_config": {"format": {"type": "xml"}}}, {"output_config.format": DROPPED}),
        ({"output_config": {"format": {"type": "json_schema", "name": 1}}}, {"output_config.format.name": DROPPED}),
        ({"output_config": {"task_budget": {"type": "tokens", "total": 9}}}, {"output_config.task_budget": EMULATED}),
        ({"output_format": {"type": "xml"}}, {"output_format": DROPPED}),
        ({"output_format": {"type": "json_schema", "schema": {}}}, {}),
        (
            {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": True}},
            {},
        ),
        ({"tools": [TOOL], "tool_choice": {"type": "auto", "odd": 1}}, {"tool_choice.odd": DROPPED}),
        ({"tools": [TOOL], "tool_choice": {"type": "any", "name": "look"}}, {"tool_choice.name": DROPPED}),
    ],
)
def test_settings(fields: dict[str, Any], notes: dict[str, Disposition]) -> None:
    """Fields at the top have their fates, and what is inside them that is more than translated as well."""
    assert noted(**fields) == notes


@cases(
    ("tool", "notes"),
    [
        (TOOL, {}),
        ({**TOOL, "type": "custom", "strict": False, "defer_loading": True, "description": "x"}, {}),
        ({**TOOL, "eager_input_streaming": True}, {"eager_input_streaming": KEPT}),
        ({**TOOL, "allowed_callers": ["direct"]}, {}),
        ({**TOOL, "allowed_callers": ["direct", "code_execution_20260120"]}, {"allowed_callers": DROPPED}),
        ({**TOOL, "cache_control": MARK, "odd": 1}, {"cache_control": EMULATED, "odd": DROPPED}),
        (SEARCH, {}),
        ({**SEARCH, "response_inclusion": "full", "defer_loading": False, "strict": None}, {}),
        ({**SEARCH, "user_location": {"type": "approximate", "city": "x", "odd": 1}}, {"user_location.odd": DROPPED}),
        ({**SEARCH, "odd": 1, "cache_control": MARK}, {"odd": DROPPED, "cache_control": EMULATED}),
        ({"type": "mcp_toolset", "configs": {"a": {"enabled": True, "odd": 1}}}, {"configs.a.odd": DROPPED}),
        ({"type": "later_20300101", "name": "x"}, {"": DROPPED}),
    ],
)
def test_tools(tool: dict[str, Any], notes: dict[str, Disposition]) -> None:
    """A declaration is looked into, unless the whole tool was dropped."""
    assert noted(tools=[tool]) == {f"tools.0.{name}".rstrip("."): disposition for name, disposition in notes.items()}
    assert noted(Note(place("tools.0"), DROPPED, "no counterpart"), tools=[tool]) == {}


@cases(
    ("block", "notes"),
    [
        ({"type": "text", "text": "x", "citations": None}, {}),
        ({"type": "text", "text": "x", "citations": []}, {}),
        ({"type": "text", "text": "x", "citations": [{"type": "char_location"}]}, {"citations": DROPPED}),
        ({"type": "text", "text": "x", "cache_control": MARK}, {"cache_control": EMULATED}),
        (IMAGE, {}),
        ({**IMAGE, "transformations": {"oversized_image": "downsize"}}, {}),
        (
            {**IMAGE, "transformations": {"oversized_image": "error"}},
            {"transformations.oversized_image": DROPPED},
        ),
        ({"type": "image", "source": {"type": "url", "url": "u", "odd": 1}}, {"source.odd": DROPPED}),
        ({"type": "image", "source": {"type": "cloud", "url": "u"}}, {"source": DROPPED}),
        (
            {"type": "image", "source": {"type": "url", "url": "u", "data": "x", "file_id": None}},
            {"source.data": DROPPED},
        ),
        ({"type": "document", "source": {"type": "text", "data": "x"}, "citations": {"enabled": False}}, {}),
        (
            {"type": "document", "source": {"type": "text", "data": "x"}, "citations": {"enabled": True}},
            {},
        ),
        (
            {
                "type": "document",
                "source": {"type": "content", "content": [{"type": "text", "text": "x", "a": 1}, CALL]},
            },
            {"source.content.0.a": DROPPED, "source.content.1": APPROXIMATED},
        ),
        (
            {"type": "search_result", "source": "s", "title": "t", "content": [{"type": "odd"}], "citations": {"a": 1}},
            {"content.0": APPROXIMATED, "citations.a": DROPPED},
        ),
        ({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": ""}], "is_error": True}, {}),
        (
            {"type": "tool_result", "tool_use_id": "t", "content": [{**IMAGE, "odd": 1}], "more": 1},
            {"more": DROPPED, "content.0.odd": DROPPED},
        ),
        ({"type": "tool_result", "tool_use_id": "t", "content": [{"type": "odd"}]}, {"content.0": DROPPED}),
        ({"type": "container_upload", "file_id": "f", "odd": 1}, {"odd": DROPPED}),
        ({"type": "odd"}, {"": DROPPED}),
    ],
)
def test_blocks(block: dict[str, Any], notes: dict[str, Disposition]) -> None:
    """A block is looked into as deep as it goes, unless it was dropped, or an unknown one was spoken of."""
    path = "messages.1.content.1"
    talk = said({"type": "text", "text": "x"}, block)
    known = block["type"] not in ("odd", "container_upload")

    assert noted(messages=talk) == {f"{path}.{name}".rstrip("."): disposition for name, disposition in notes.items()}
    assert noted(Note(place(path), DROPPED, "gone"), messages=talk) == {}
    for name, disposition in noted(Note(place(path), APPROXIMATED, "shown as text"), messages=talk).items():
        assert known
        assert notes[name.removeprefix(f"{path}.")] is disposition


@pytest.mark.parametrize(
    ("block", "notes"),
    [
        (CALL, {}),
        ({**CALL, "caller": {"type": "direct"}, "toolset_name": None}, {}),
        ({**CALL, "caller": {"type": "code_execution_20260120", "tool_id": "s"}}, {"caller": DROPPED}),
        ({"type": "thinking", "thinking": "hm", "signature": "s", "odd": 1}, {"odd": DROPPED}),
        ({"type": "redacted_thinking", "data": "x"}, {}),
        (IMAGE, {"": APPROXIMATED}),
        ({"type": "text", "text": " \n"}, {"": DROPPED}),
        ({"type": "server_tool_use", "id": "s", "name": "n", "input": {}, "caller": {"type": "direct"}}, {}),
    ],
)
def test_what_the_model_said(block: dict[str, Any], notes: dict[str, Disposition]) -> None:
    """Blocks of an answer, among them those that cannot stand there upstream."""
    told = noted(messages=said(CALL, block, role="assistant"))

    assert told == {f"messages.1.content.1.{name}".rstrip("."): disposition for name, disposition in notes.items()}


@pytest.mark.parametrize("role", ["user", "assistant", "system"])
def test_messages(role: str) -> None:
    """What is said beside the content of a message, and of the effort that it asks for."""
    extras = {"clear_at": "next_user_message", "odd": 1, "output_config": {"effort": "low", "odd": 1}}
    told = noted(messages=said({"type": "text", "text": "x"}, role=role, **extras))
    quiet = noted(messages=said({"type": "text", "text": "x"}, role=role, clear_at="never"))

    dropped = dict.fromkeys(["messages.1.odd", "messages.1.output_config.odd"], DROPPED)
    assert told == {"messages.1.clear_at": EMULATED, **dropped}
    assert quiet == {}


@pytest.mark.parametrize("content", ["", [{"type": "text", "text": ""}]])
def test_an_empty_text_is_named_where_it_stands(content: Any) -> None:
    """One that stands alone may have been a string, so the path that is named is there in both forms."""
    talk = [{"role": "user", "content": content}, {"role": "system", "content": content}]
    prompt = [{"type": "text", "text": ""}]

    assert noted(messages=talk) == {"messages.0.content": DROPPED, "messages.1.content": DROPPED}
    assert noted(system=prompt) == {"system": DROPPED}
    assert noted(messages=said({"type": "text", "text": ""}, CALL)) == {"messages.1.content.0": DROPPED}


def test_the_system_prompt_is_looked_into() -> None:
    """Its marks and its empty blocks, by their places."""
    told = noted(system=[{"type": "text", "text": "x", "cache_control": MARK}, {"type": "text", "text": ""}])

    assert told == {"system.0.cache_control": EMULATED, "system.1": DROPPED}


@pytest.mark.parametrize(
    "told",
    [
        Note(place("tools.0.allowed_callers"), EMULATED, "why"),
        Note(place("messages.1.content.0.cache_control"), TRANSLATED, "why"),
        Note(place("thinking.type"), APPROXIMATED, "why"),
        Note(place("top_k"), APPROXIMATED, "why"),
    ],
)
def test_what_a_stage_has_said_stands(told: Note) -> None:
    """The tables speak only where nobody has."""
    fields: dict[str, Any] = {
        "tools": [{**TOOL, "allowed_callers": []}],
        "messages": said({"type": "text", "text": "x", "cache_control": MARK}),
        "thinking": {"type": "later"},
        "top_k": 5,
    }

    spoken_for = {told.path, told.path.removesuffix(".type")}

    assert set(noted(told, **fields)) == set(noted(**fields)) - spoken_for


def test_every_part_of_a_request_has_a_place_in_the_tables() -> None:
    """A class of blocks and a field at the top that somebody adds must be decided about."""
    assert set(NODE_OF_BLOCK) | {Unknown} == set(get_args(ContentBlock))
    assert set(NODE_OF_BLOCK.values()) <= set(NODES)
    assert {field.name for field in attrs.fields(Request)} - NO_FIELDS <= set(FIELDS)


def test_a_word_about_a_field_is_not_one_about_its_inside() -> None:
    """What a stage has changed in a field is looked into all the same, and what it has dropped is not."""
    fields: dict[str, Any] = {"output_config": {"format": {"type": "json_schema", "schema": {}, "odd": 1}}}
    path = "output_config.format"

    assert noted(Note(place(path), APPROXIMATED, "why"), **fields) == {f"{path}.odd": DROPPED}
    assert noted(Note(place(path), DROPPED, "why"), **fields) == {}


def test_reasons_are_those_of_the_tables() -> None:
    """A client reads why, in words that are not its own."""
    report = Report()
    report_defaults(
        request(messages=said({"type": "odd"}, IMAGE, {"type": "text", "text": ""}, role="assistant"), odd=1), report
    )
    reasons = {note.path: note.reason for note in report.notes}

    assert reasons["odd"] == UNKNOWN_FIELD.reason
    assert reasons["messages.1.content.0"] == UNKNOWN_KIND.reason
    assert reasons["messages.1.content.1"] == MOVED
    assert reasons["messages.1.content.2"] == EMPTY


@cases("name", FIELDS)
def test_every_field_is_said(name: str) -> None:
    """A field at the top that no stage has spoken of is noted as its row says."""
    report = Report()
    report_defaults(Request("m", (), extra={name: "said"}), report)

    assert Note(place(name), FIELDS[name].disposition, FIELDS[name].reason) in report.notes


@cases(("node", "name"), [(node, name) for node, rows in NODES.items() for name in rows])
def test_every_row_is_said(node: str, name: str) -> None:
    """A field that no stage has spoken of is noted as its row says; a merely translated one needs no word."""
    report, row = Report(), NODES[node][name]
    Walker(report).fields({name: "said"}, NODES[node], place("here"))
    silent = row.disposition is TRANSLATED or (row.disposition is KEPT and row.inside)

    assert report.notes == ([] if silent else [Note(place("here").field(name), row.disposition, row.reason)])


def test_a_long_conversation_costs_little() -> None:
    """Messages without anything to say are passed by: few calls for each, in a long conversation as in a short one."""
    turn = [
        {"role": "user", "content": [{"type": "text", "text": "x" * 500}]},
        {"role": "assistant", "content": [{"type": "text", "text": "y" * 500}, CALL]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "z" * 500}]},
    ]
    report = Report()
    asked = [request(messages=turn * turns) for turns in (1, 100, 200)]
    for each in asked:  # a message that came before costs a look-up
        report_defaults(each, report)
    first, second, third = (calls_of(partial(report_defaults, each, report)) for each in asked)

    calls_of_a_turn = (third - second) // 100
    assert calls_of_a_turn <= MAX_CALLS_OF_A_TURN
    assert third - first == 199 * calls_of_a_turn
    assert {note.path for note in report.notes} == {"model", "messages", "max_tokens"}
