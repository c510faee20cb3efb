"""A whole request becomes a Responses request, a plan for its answer, and a report that leaves no field out."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.plan import ThinkingDisplay
from stages.canonical.report import Disposition
from stages.canonical.request import (
    Caller,
    ContentBlock,
    Message,
    Metadata,
    OutputConfig,
    Request,
    ServerTool,
    Text,
    Thinking,
    ThinkingConfig,
    Tool,
    ToolChoice,
    ToolReference,
    ToolResult,
    ToolUse,
    Unknown,
)
from stages.mapper import Mapped, Target, map_request
from stages.tables.profiles import PROFILES, SPELLINGS, Profile
from stages.wire import carrier, json
from stages.wire.carrier import Carrier
from tests.stages.strategies import JSON, TEXTS
from tests.support.cases import cases

HELLO = (Message("user", (Text("hi"),)),)
EVERYTHING: dict[str, Any] = {
    "max_tokens": 1000,
    "system": (Text("be brief"),),
    "tools": (Tool("look", {}),),
    "tool_choice": ToolChoice("any"),
    "thinking": ThinkingConfig("adaptive"),
    "output_config": OutputConfig("low"),
    "stream": True,
    "stop_sequences": ("END",),
    "temperature": 0.5,
    "top_p": 0.5,
    "metadata": Metadata("user_1"),
    "extra": {"top_k": 5, "service_tier": "auto", "future_field": 1, "betas": []},
}


def mapped(target: Target | None = None, **fields: Any) -> Mapped:
    """Map a small request with these fields."""
    request = Request(**{"model": "claude-sonnet-4-5", "messages": HELLO, **fields})
    return map_request(request, Caller(), target or Target(), message_id="msg_1")


def test_a_small_request_is_small() -> None:
    """What is always said, and no more."""
    body = mapped().body

    assert set(body) == {"model", "input", "reasoning", "prompt_cache_key", "store", "stream", "include"}
    assert (body["model"], body["store"], body["stream"]) == ("gpt-6.2-sol", False, False)
    assert body["include"] == ["reasoning.encrypted_content"]
    assert body["input"] == [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}]


def test_a_full_request_is_translated() -> None:
    """Every field lands where it belongs."""
    body = mapped(**EVERYTHING).body

    assert [item["role"] for item in body["input"]] == ["developer", "user"]
    assert [tool["name"] for tool in body["tools"]] == ["look"]
    assert (body["tool_choice"], body["max_output_tokens"], body["service_tier"]) == ("required", 1000, "auto")
    assert body["reasoning"] == {"effort": "low", "summary": "auto"}
    assert body["stream_options"] == {"include_obfuscation": False}
    assert "temperature" not in body
    assert "stop" not in body


def test_a_server_that_computes_for_nobody_is_asked_for_a_stream() -> None:
    """Its connection can be closed in the middle then, also when the client wants the answer whole."""
    assert mapped(Target(profile=PROFILES["llama.cpp"])).body["stream"] is True
    assert mapped().body["stream"] is False


def test_the_plan_knows_how_to_read_the_answer() -> None:
    """What the stages of the answer need, and the name that the client asked for."""
    plan = mapped(
        Target(account="acc"), model="claude-opus-4", tools=(Tool("a.b", {}),), stop_sequences=("END",), max_tokens=5
    ).plan

    assert (plan.message_id, plan.model, plan.upstream_model) == ("msg_1", "claude-opus-4", "gpt-6.2-astra")
    assert (plan.account, plan.stop_sequences, plan.cut_at) == ("acc", ("END",), 5)
    assert list(plan.tool_names.values()) == ["a.b"]
    assert plan.thinking is ThinkingDisplay.NONE
    assert plan.window > 0


def test_no_field_is_lost_in_silence() -> None:
    """Every field that was set has at least one note, and one that was not has none (law 10)."""
    notes = mapped(**EVERYTHING).report.notes
    told = {note.path.split(".")[0] for note in notes}

    assert told == {"model", "messages", *EVERYTHING, *EVERYTHING["extra"]} - {"extra"}
    fates = {note.path: note.disposition for note in notes}
    assert fates["future_field"] is fates["top_k"] is fates["temperature"] is Disposition.DROPPED
    assert (fates["stop_sequences"], fates["betas"]) == (Disposition.EMULATED, Disposition.KEPT)
    assert {note.path for note in mapped().report.notes} == {"model", "messages"}


def test_a_web_search_asks_for_its_sources() -> None:
    """The upstream tells them only if it is asked, and is limited as the client says."""
    search = ServerTool("web_search_20250305", "web_search", {"max_uses": 0})
    told = mapped(tools=(search,))

    assert told.body["include"] == ["reasoning.encrypted_content", "web_search_call.action.sources"]
    assert told.body["max_tool_calls"] == 1
    assert told.plan.server_tools == {"web_search": "web_search"}
    assert mapped().body["include"] == ["reasoning.encrypted_content"]


def test_a_server_without_developer_role_gets_instructions() -> None:
    """The system prompt is said once, in the place that the server knows."""
    body = mapped(Target(Profile("old", developer_role=False)), system=(Text("one"), Text("two"))).body

    assert body["instructions"] == "one\n\ntwo"
    assert [item["role"] for item in body["input"]] == ["user"]
    assert "instructions" not in mapped(Target(Profile("old", developer_role=False))).body


@cases("name", PROFILES)
def test_servers_get_only_what_they_take(name: str) -> None:
    """Field by field, as the profile says."""
    profile = PROFILES[name]
    body = mapped(Target(profile), **EVERYTHING).body

    assert ("include" in body) == profile.include
    assert ("stream_options" in body) == profile.obfuscation
    assert ("prompt_cache_key" in body) == ("safety_identifier" in body) == profile.cache_key
    assert ("reasoning" in body) == profile.effort


def test_a_server_that_does_not_stream_is_asked_for_the_whole() -> None:
    """The client still gets its stream, and hears why it comes at once."""
    whole, streamed = mapped(_without(streams=False), stream=True), mapped(_without(), stream=True)

    assert (whole.body["stream"], whole.plan.streamed, streamed.plan.streamed) == (False, False, True)
    assert "stream_options" not in whole.body
    assert [note.disposition for note in whole.report.notes if note.path == "stream"] == [Disposition.EMULATED]


def _without(**changes: Any) -> Target:
    """A target whose profile differs in these fields."""
    return Target(attrs.evolve(PROFILES["openai"], **changes))


WISHES: dict[str, Any] = {
    "model": "gpt-5.6-sol",
    "max_tokens": 1000,
    "tools": (Tool("a", {"type": "object"}),),
    "tool_choice": ToolChoice("auto", disable_parallel_tool_use=True),
    "extra": {"speed": "fast"},
    "thinking": ThinkingConfig("adaptive"),
    "output_config": OutputConfig("max"),
    "temperature": 0.5,
}
"""A request that asks for whatever a server may not take."""


@pytest.mark.parametrize(
    ("changes", "gone", "noted"),
    [
        ({"store": False}, {"store"}, set()),
        ({"sealed": False}, {"include"}, set()),
        ({"summaries": False}, set(), {"thinking.display"}),
        ({"effort": False}, {"reasoning"}, {"thinking.type", "output_config.effort"}),
        ({"efforts": "low,high"}, set(), {"output_config.effort"}),
        ({"parallel_calls": False}, {"parallel_tool_calls"}, {"tool_choice.disable_parallel_tool_use"}),
        ({"service_tier": False}, {"service_tier"}, set()),
        ({"cache_key": False}, {"prompt_cache_key"}, set()),
    ],
)
def test_what_a_server_does_not_take_is_left_out(changes: dict[str, Any], gone: set[str], noted: set[str]) -> None:
    """A wish that is lost by it is reported; what was added here is nobody's loss."""
    whole, less = mapped(**WISHES), mapped(_without(**changes), **WISHES)

    assert set(whole.body) - set(less.body) == gone
    assert {note.path for note in less.report.notes} - {note.path for note in whole.report.notes} >= noted


def test_efforts_and_sampling_of_a_server() -> None:
    """The nearest effort that it takes; no temperature where it takes none."""
    assert mapped(_without(efforts="low, high"), **WISHES).body["reasoning"]["effort"] == "high"
    assert "summary" not in mapped(_without(summaries=False), **WISHES).body["reasoning"]
    sampled = {**WISHES, "thinking": ThinkingConfig("disabled"), "output_config": None}
    assert mapped(**sampled).body["temperature"] == 0.5
    assert "temperature" not in mapped(_without(sampling=False), **sampled).body


def test_a_late_system_message_is_known() -> None:
    """Some upstreams refuse it; one at the beginning is none."""
    late = (*HELLO, Message("system", (Text("news"),)))

    assert mapped(messages=late).plan.late_system
    assert not mapped(messages=tuple(reversed(late))).plan.late_system
    assert not mapped(messages=HELLO, system=(Text("be brief"),)).plan.late_system


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_the_three_spellings_keep_the_prefix(spelling: str) -> None:
    """The assistant's texts are spelt alike in every turn, whatever follows (law 9)."""
    turns = [*HELLO, Message("assistant", (Text("a"), Text("b"))), *HELLO, Message("assistant", (Text("a"),)), *HELLO]
    target = _without(assistant_text=spelling)
    inputs = [json.encode(mapped(target, messages=tuple(turns[:end])).body["input"]) for end in (1, 3, 5)]

    assert all(longer.startswith(shorter[:-1]) for shorter, longer in pairwise(inputs))


def test_earlier_reasoning_can_be_left_out() -> None:
    """The second try, after the upstream has refused it, carries none, and says so."""
    sealed = carrier.encode(Carrier("rs_1", "sealed", model="gpt-6.2-sol"))
    talk = (*HELLO, Message("assistant", (Thinking("", sealed), Text("yes"))), *HELLO)

    first, second = mapped(messages=talk), mapped(_without(reasoning_replay="none"), messages=talk)

    assert [item["type"] for item in first.body["input"]] == ["message", "reasoning", "message", "message"]
    assert [item["type"] for item in second.body["input"]] == ["message", "message", "message"]
    assert "messages.1.content.0" in {note.path for note in second.report.notes}


@given(st.dictionaries(TEXTS, JSON, max_size=3), TEXTS, st.sampled_from(sorted(PROFILES)))
def test_any_extra_field_is_reported_and_none_is_sent(extra: dict[str, Any], model: str, profile: str) -> None:
    """What we do not know never reaches the upstream by accident, and the body is always JSON."""
    plain = mapped(Target(PROFILES[profile]), model=model)
    told = mapped(Target(PROFILES[profile]), model=model, extra=extra)

    assert {key: told.body[key] for key in plain.body} == plain.body
    assert set(extra) <= {note.path for note in told.report.notes}
    assert json.decode(json.encode(told.body))["input"] == told.body["input"]


SEALED = carrier.encode(Carrier("rs_1", "sealed", phase="commentary", model="gpt-6.2-sol"))
IDENTS = st.sampled_from(["a", "b", "toolu_call_a", "call_a"])
BLOCKS: st.SearchStrategy[ContentBlock] = st.one_of(
    st.builds(Text, st.sampled_from(["", " ", "x"])),
    st.builds(ToolUse, IDENTS, st.just("look"), st.just({})),
    st.builds(ToolResult, IDENTS, st.sampled_from([(), (Text("x"),), (ToolReference("late"),)]), st.booleans()),
    st.sampled_from([Thinking("", SEALED), Thinking("hm", "foreign"), Unknown("odd", {"id": 1})]),
)
MESSAGES = st.lists(
    st.builds(Message, st.sampled_from(["user", "assistant", "system"]), st.lists(BLOCKS, max_size=4).map(tuple)),
    max_size=6,
).map(tuple)
TOOLS = (Tool("look", {}), Tool("late", {}, defer_loading=True))


@given(MESSAGES, st.sampled_from(sorted(PROFILES)))
def test_whatever_is_said_the_input_is_sound(messages: tuple[Message, ...], profile: str) -> None:
    """No empty message or part; each call has one output, behind it; each thought leads to something of the model's."""
    items = mapped(Target(PROFILES[profile]), messages=messages, tools=TOOLS).body["input"]
    contents = [item["content"] for item in items if item["type"] == "message"]
    parts = [part for content in contents for part in ([{"text": content}] if isinstance(content, str) else content)]
    calls = [item["call_id"] for item in items if item["type"] == "function_call"]

    assert all(item["content"] for item in items if item["type"] == "message")
    assert all(part["text"] for part in parts)
    assert len(set(calls)) == len(calls)
    open_calls: set[str] = set()
    for item, following in zip(items, [*items, {"type": "end"}][1:], strict=True):
        if item["type"] == "function_call":
            open_calls.add(item["call_id"])
        elif item["type"] == "function_call_output":
            open_calls.remove(item["call_id"])
        elif item["type"] == "reasoning":
            assert following["type"] in {"reasoning", "function_call"} or following.get("role") == "assistant"
    assert open_calls == set()
