"""Servers that obey less: what holds in another form is sent in that, and nothing ignored looks faithful."""

from __future__ import annotations

from typing import Any, Literal

import attrs
import pytest

from stages.canonical.report import Disposition
from stages.canonical.request import (
    Caller,
    Image,
    Message,
    OutputConfig,
    Request,
    Source,
    Text,
    Tool,
    ToolChoice,
    ToolResult,
    ToolUse,
)
from stages.mapper import Mapped, Target, map_request
from stages.mapper.conversation import PICTURE_BELOW, PICTURES
from stages.tables.profiles import PROFILES
from stages.wire import json
from stages.wire import responses_request as wire

SAID = (Message("user", (Text("hi"),)),)
TOOLS = (Tool("Bash", {"type": "object"}), Tool("Read", {"type": "object"}))
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "additionalProperties": False}
PICTURE = Image(Source("base64", "image/png", "aGk="))
PART = wire.input_image("data:image/png;base64,aGk=")


def mapped(profile: str = "llama.cpp", **fields: Any) -> Mapped:
    """Map a request for a server."""
    request = Request("tiny", fields.pop("messages", SAID), **fields)
    return map_request(request, Caller(), Target(PROFILES[profile]), message_id="msg_1")


def fates(of: Mapped) -> dict[str, Disposition]:
    """What was said, by path."""
    return {note.path: note.disposition for note in of.report.notes}


def test_a_tool_that_is_forced_by_name_is_offered_alone() -> None:
    """Some call of one tool is a call of that tool."""
    forced = mapped(tools=TOOLS, tool_choice=ToolChoice("tool", "Read"))

    assert forced.body["tool_choice"] == "required"
    assert [tool["name"] for tool in forced.body["tools"]] == ["Read"]
    assert fates(forced)["tool_choice"] is Disposition.EMULATED


@pytest.mark.parametrize("kind", ["auto", "any", "none"])
def test_other_choices_are_obeyed(kind: Literal["auto", "any", "none"]) -> None:
    """All tools are offered, and nothing is said."""
    asked = mapped(tools=TOOLS, tool_choice=ToolChoice(kind))

    assert len(asked.body["tools"]) == 2
    assert fates(asked)["tool_choice"] is Disposition.TRANSLATED


def test_a_format_stands_where_the_server_looks() -> None:
    """The same format, under the name that Chat Completions has for it."""
    here = mapped(output_config=OutputConfig(format={"type": "json_schema", "schema": SCHEMA}))
    there = mapped("openai", output_config=OutputConfig(format={"type": "json_schema", "schema": SCHEMA}))
    layout = {name: value for name, value in there.body["text"]["format"].items() if name != "type"}

    assert here.body["response_format"] == {"type": "json_schema", "json_schema": layout}
    assert "text" not in here.body
    assert not here.plan.cites


@pytest.mark.parametrize(
    ("fields", "path", "gone"),
    [
        (
            {"tools": TOOLS, "tool_choice": ToolChoice("auto", disable_parallel_tool_use=True)},
            "tool_choice.disable_parallel_tool_use",
            "parallel_tool_calls",
        ),
        ({"extra": {"service_tier": "auto"}}, "service_tier", "service_tier"),
        ({"extra": {"speed": "fast"}}, "speed", "service_tier"),
        ({"output_config": OutputConfig(effort="high")}, "output_config.effort", ""),
    ],
)
def test_what_is_ignored_is_never_faithful(fields: dict[str, Any], path: str, gone: str) -> None:
    """It is left out where it can only be ignored, and said; a server that obeys gets it, and nothing is said."""
    here, there = mapped(**fields), mapped("openai", **fields)

    assert fates(here)[path] in (Disposition.APPROXIMATED, Disposition.DROPPED)
    assert here.report.summary() != "faithful=all"
    assert gone not in here.body
    assert not gone or gone in there.body
    assert fates(there).get(path) not in (Disposition.APPROXIMATED, Disposition.DROPPED)


def results(*contents: tuple[Any, ...], after: tuple[Any, ...] = ()) -> tuple[Message, ...]:
    """A turn of calls, and their results."""
    calls = tuple(ToolUse(f"toolu_{at}", "Read", {}) for at in range(len(contents)))
    answers = tuple(ToolResult(f"toolu_{at}", content) for at, content in enumerate(contents))
    return (*SAID, Message("assistant", calls), Message("user", (*answers, *after)))


def test_pictures_of_results_stand_behind_the_last() -> None:
    """In one message of the user's, in their order, before what the user says himself."""
    messages = results((Text("one"), PICTURE), (PICTURE,), (Text("three"),), after=(Text("go on"),))
    made = mapped(messages=messages, tools=TOOLS)
    outputs, last = made.body["input"][-4:-1], made.body["input"][-1]

    assert [item["type"] for item in outputs] == ["function_call_output"] * 3
    assert outputs[0]["output"] == [wire.input_text("one"), wire.input_text(PICTURE_BELOW)]
    assert (outputs[1]["output"], outputs[2]["output"]) == (PICTURE_BELOW, "three")
    assert last["content"] == [wire.input_text(PICTURES), PART, PART, wire.input_text("go on")]
    assert fates(made)["messages.2.content.0.content.1"] is Disposition.EMULATED
    assert fates(made)["messages.2.content.1.content.0"] is Disposition.EMULATED


def test_a_result_without_a_picture_is_followed_by_nothing() -> None:
    """And a server that looks at outputs gets pictures there."""
    plain = mapped(messages=results((Text("one"),)), tools=TOOLS)
    whole = mapped("openai", messages=results((PICTURE,)), tools=TOOLS)

    assert plain.body["input"][-1]["type"] == whole.body["input"][-1]["type"] == "function_call_output"
    assert whole.body["input"][-1]["output"] == [PART]


def test_moved_pictures_keep_the_prefix() -> None:
    """A longer conversation begins with the shorter one's input."""
    short = results((PICTURE,), (Text("x"),))
    long = (*short, Message("assistant", (Text("I see"),)), *SAID)
    before, after = (mapped(messages=messages, tools=TOOLS).body["input"] for messages in (short, long))

    assert after[: len(before)] == before


def test_every_profile_fits_what_it_is_given() -> None:
    """No fit trips over a request that asks for nothing."""
    for profile in PROFILES.values():
        made = map_request(Request("m", SAID), Caller(), Target(attrs.evolve(profile)), message_id="msg_1")
        assert made.body["model"] == "m"


def test_limits_of_schemas_are_left_out() -> None:
    """At any depth, of tools and formats, where no grammar holds them; what a value is stays."""
    inner: dict[str, Any] = {"type": "array", "maxItems": 5000, "items": {"type": "string", "pattern": "[a-z]"}}
    schema = {**SCHEMA, "properties": {"a": {"anyOf": [inner, {"type": "string", "maxLength": 524_288}]}}}
    plain = {**inner, "items": {"type": "string"}}
    del plain["maxItems"]
    free = {**SCHEMA, "properties": {"a": {"anyOf": [plain, {"type": "string"}]}}}
    profile = attrs.evolve(PROFILES["llama.cpp"], schema_limits=False)
    asked: dict[str, Any] = {
        "tools": (Tool("Write", schema), *TOOLS),
        "output_config": OutputConfig(format={"type": "json_schema", "schema": schema}),
    }
    made = map_request(Request("tiny", SAID, **asked), Caller(), Target(profile), message_id="msg_1")

    assert made.body["tools"][0]["parameters"] == free
    assert b'"maxItems":' not in json.encode(made.body["response_format"])
    assert fates(made)["tools"] is Disposition.APPROXIMATED
    assert fates(made)["output_config.format"] is Disposition.APPROXIMATED
    assert mapped(**asked).body["tools"][0]["parameters"] == schema
