"""What the scenes say and call."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.emulator.answer import answer
from pipeline.emulator.scenarios import GREETING
from stages.wire import json
from tests.pipeline.emulator.talk import AGENT, BASH, READ, asked, calls, output, said, streamed


def test_without_a_cue_it_says_who_it_is() -> None:
    """The default answer names the emulator, comes in several deltas, and repeats nothing of the prompt."""
    request = asked("my secret is 1234")

    assert "dragoman's emulator" in said(request)
    assert "1234" not in said(request)
    assert sum(event["type"] == "response.output_text.delta" for event in streamed(request)) > 10


def test_think_has_two_summary_parts_before_the_text() -> None:
    """Reasoning first, then the message."""
    reasoning, message = output(asked("[[think]]"))

    assert [part["type"] for part in reasoning["summary"]] == ["summary_text"] * 2
    assert message["content"][0]["text"] == GREETING


def test_say_says_it_word_for_word() -> None:
    """White space inside and brackets that match are part of it."""
    assert said(asked("Now [[say <b>one</b>  [two]\nthree]]")) == "<b>one</b>  [two]\nthree"


def test_call_prefers_bash() -> None:
    """Bash is called where it is offered, wherever it stands."""
    assert [name for name, _ in calls(asked("[[call]]", tools=[READ, BASH]))] == ["Bash"]


def test_call_takes_the_first_function_otherwise() -> None:
    """Hosted and deferred tools are passed over; required arguments are filled to fit the schema."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "x": {}}, "required": ["n"]}
    tools = [
        {"type": "web_search"},
        {**READ, "defer_loading": True},
        {"type": "function", "name": "f", "parameters": schema},
    ]

    assert calls(asked("[[call]]", tools=tools)) == [("f", {"n": 1})]


def test_call_of_a_tool_that_is_not_offered() -> None:
    """No call is made up; the text says so."""
    assert calls(asked("[[call:Nothing {}]]")) == []
    assert "none that fits" in said(asked("[[call:Nothing {}]]"))
    assert "none that fits" in said(asked("[[call]]", tools=[]))
    assert "none that fits" in said(asked("[[call]]", tool_choice="none"))


def test_a_shortened_name_is_found() -> None:
    """A name too long for the API is looked for by its beginning, and called by the name that was offered."""
    long = "mcp__" + "a" * 40 + "__" + "b" * 40
    tools = [READ, {**READ, "name": long[:50] + "_0123456789"}]

    assert calls(asked(f"[[call:{long} {{}}]]", tools=tools)) == [(long[:50] + "_0123456789", {})]


ALLOWED = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "Read"}]}


@pytest.mark.parametrize(
    ("choice", "name"), [("required", "Bash"), ({"type": "function", "name": "Read"}, "Read"), (ALLOWED, "Read")]
)
def test_a_forced_call_needs_no_cue(choice: Any, name: str) -> None:
    """`tool_choice` that forces a call gets one."""
    assert [called for called, _ in calls(asked("hello", tool_choice=choice))] == [name]


def test_agent_hands_its_prompt_on() -> None:
    """The subagent's prompt may hold cues of its own; its type goes along where the schema has one."""
    request = asked("[[agent look at [[text]]]]")

    ((name, arguments),) = calls(request)
    assert (name, arguments["prompt"], arguments["subagent_type"]) == ("Agent", "look at [[text]]", "general-purpose")
    task = {**AGENT, "name": "Task", "parameters": {"type": "object", "properties": {}}}
    assert "subagent_type" not in calls(asked("[[agent go]]", tools=[task]))[0][1]


def test_bad_arguments_are_no_json() -> None:
    """The call is complete and its arguments cannot be parsed."""
    (item,) = output(asked("[[badargs]]"))

    assert item["status"] == "completed"
    with pytest.raises(json.MalformedJson):
        json.decode(item["arguments"])


def test_long_has_as_many_deltas_as_asked() -> None:
    """200 by default, else the number given."""
    for prompt, count in (("[[long]]", 200), ("[[long 7]]", 7)):
        deltas = [event for event in streamed(asked(prompt)) if "delta" in event]
        assert len(deltas) == count


def test_unicode_cuts_joined_characters() -> None:
    """An emoji family arrives in several deltas and whole in the end."""
    request = asked("[[unicode]]")

    assert "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466" in said(request)
    assert all(len(event.get("delta", "")) <= 1 for event in streamed(request))


def test_refusal_is_a_part_of_a_completed_response() -> None:
    """Status `completed`, one `refusal` part."""
    whole = answer(asked("[[refuse]]")).body

    assert whole["status"] == "completed"
    assert whole["output"][0]["content"][0]["type"] == "refusal"


def test_structured_output() -> None:
    """With `text.format` the default answer is a JSON object that fits the schema."""
    schema = {"type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"]}
    shaped = asked("hello", text={"format": {"type": "json_schema", "name": "t", "schema": schema}})

    assert isinstance(json.decode(said(shaped))["title"], str)
    assert isinstance(json.decode(said(asked("hello", text={"format": {"type": "json_object"}}))), dict)


def test_a_plain_prompt_that_means_a_tool() -> None:
    """The tool is called with what the prompt says, unless the request forbids calls; and the result is its end."""
    schema = {"type": "object", "properties": {"town": {"type": "string"}}, "required": ["town"]}
    look = {**READ, "name": "look_at_weather", "parameters": schema}
    prompt = "How is the weather in 'Bern'?"
    assert [name for name, _ in calls(asked(prompt, tools=[look]))] == ["look_at_weather"]
    assert "Bern" in str(calls(asked(prompt, tools=[look])))
    assert calls(asked(prompt, tools=[look], tool_choice="none")) == []
