"""What the emulator tells is what the real API tells: decodable, ordered, and the same streamed or not."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from pipeline.emulator.answer import answer
from tests.pipeline.emulator.talk import asked, folded, streamed, unsealed
from tests.support.cases import cases

_STREAM_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_REASONING = {"reasoning": {"effort": "high", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}
_SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"], "additionalProperties": False}
_FORMAT = {"text": {"format": {"type": "json_schema", "name": "x", "schema": _SCHEMA, "strict": True}}}
WHOLE = {
    "text": asked("[[text]]"),
    "default": asked("hello"),
    "think": asked("[[think]]"),
    "think sealed": asked("[[think]]", **_REASONING),
    "text with effort": asked("[[text]]", **_REASONING),
    "call": asked("[[call]]"),
    "call with effort": asked("[[call]]", **_REASONING),
    "calls": asked("[[calls]]"),
    "badargs": asked("[[badargs]]"),
    "agent": asked("[[agent look around]]"),
    "think and call": asked("[[think]]+[[call]]"),
    "unicode": asked("[[unicode]]"),
    "long": asked("[[long 30]]"),
    "slow": asked("[[slow 0.5]]"),
    "silence": asked("[[silence 3]]"),
    "refuse": asked("[[refuse]]"),
    "empty": asked("[[empty]]"),
    "max": asked("[[max]]"),
    "filter": asked("[[filter]]"),
    "limit": asked("[[text]]", max_output_tokens=16),
    "limit in arguments": asked('[[call:Bash {"command": "' + "x" * 400 + '"}]]', max_output_tokens=16),
    "limit in reasoning": asked("[[think]]", max_output_tokens=16),
    "schema": asked("name it", **_FORMAT),
    "search": asked("look it up", tools=[{"type": "web_search"}], include=["web_search_call.action.sources"]),
    "search cut short": asked("look it up", tools=[{"type": "web_search"}], max_output_tokens=30),
    "old model": asked("[[text]]", model="gpt-4.1"),
    "plain string": {"model": "gpt-6.2-sol", "input": "[[text]]"},
}
BROKEN = {name: asked(f"[[{name}]]") for name in ("failed", "midstream-error", "failed 0", "midstream-error 0")}


@cases("request_", [pytest.param(request, id=name) for name, request in (WHOLE | BROKEN).items()])
def test_the_sdk_knows_every_event(request_: dict[str, Any]) -> None:
    """Each event decodes as the official SDK's type; the nested `error`, which the types lack, is left aside."""
    told = [event for event in streamed(request_) if event["type"] != "error"]

    decoded = [_STREAM_EVENT.validate_python(event) for event in told]

    assert [event.type for event in decoded] == [event["type"] for event in told]


@cases("request_", [pytest.param(whole, id=name) for name, whole in WHOLE.items()])
def test_a_stream_adds_up_to_the_plain_answer(request_: dict[str, Any]) -> None:
    """The last event's response is the answer without a stream, and the deltas alone add up to its output."""
    told, whole = streamed(request_), answer(request_).body

    assert told[-1]["response"] == whole
    assert unsealed(folded(told)) == unsealed(whole["output"])
    Response.model_validate(whole)


@cases("request_", [pytest.param(request, id=name) for name, request in (WHOLE | BROKEN).items()])
def test_the_order_of_events(request_: dict[str, Any]) -> None:
    """Numbers count from 0 without gaps, the stream is framed by its states, and items come one after another."""
    told = streamed(request_)

    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert [event["type"] for event in told[:2]] == ["response.created", "response.in_progress"]
    assert told[-1]["type"] == f"response.{told[-1]['response']['status']}"
    indexes = [event["output_index"] for event in told if "output_index" in event]
    assert all(after in (before, before + 1) for before, after in pairwise([0, *indexes]))


RECORDED = {
    "response.output_item.added": "item output_index sequence_number",
    "response.content_part.added": "content_index item_id output_index part sequence_number",
    "response.output_text.delta": "content_index delta item_id logprobs obfuscation output_index sequence_number",
    "response.output_text.done": "content_index item_id logprobs output_index sequence_number text",
    "response.content_part.done": "content_index item_id output_index part sequence_number",
    "response.function_call_arguments.delta": "delta item_id obfuscation output_index sequence_number",
    "response.function_call_arguments.done": "arguments item_id output_index sequence_number",
    "response.reasoning_summary_part.added": "item_id output_index part sequence_number summary_index",
    "response.reasoning_summary_text.delta": "delta item_id obfuscation output_index sequence_number summary_index",
    "response.reasoning_summary_text.done": "item_id output_index sequence_number summary_index text",
    "response.reasoning_summary_part.done": "item_id output_index part sequence_number summary_index",
    "response.output_item.done": "item output_index sequence_number",
    "response.completed": "response sequence_number",
}


@cases("name", RECORDED)
def test_events_have_the_recorded_keys(name: str) -> None:
    """Keys and their order are those of the newest recordings."""
    told = [event for event in streamed(asked("[[think]]+[[call]]")) if event["type"] == name]

    assert told
    assert [list(event) for event in told] == [["type", *RECORDED[name].split()]] * len(told)


def test_no_seal_unless_included() -> None:
    """Without `include` a reasoning item has no `encrypted_content`."""
    assert "encrypted_content" not in answer(asked("[[think]]")).body["output"][0]


def test_obfuscation_can_be_declined() -> None:
    """`include_obfuscation: false` leaves the padding out, and changes nothing else."""
    padded = streamed(asked("[[text]]"))
    bare = streamed(asked("[[text]]", stream_options={"include_obfuscation": False}))

    assert all("obfuscation" not in event for event in bare)
    assert [event.get("delta") for event in bare] == [event.get("delta") for event in padded]


def test_phase_says_whether_a_call_follows() -> None:
    """A message before a call is commentary, one that ends the turn the final answer, and old models have no phase."""
    before = answer(asked("[[think]]+[[call]]")).body["output"]
    alone = answer(asked("[[text]]")).body["output"]
    old = answer(asked("[[text]]", model="gpt-5-mini")).body["output"]

    assert [item.get("phase") for item in before] == [None, "commentary", None]
    assert [item.get("phase") for item in alone] == ["final_answer"]
    assert "phase" not in old[0]


@pytest.mark.parametrize("cue", ["failed", "midstream-error"])
def test_a_failure_leaves_its_item_open(cue: str) -> None:
    """A response that fails midway has sent text, never closes the message, and has neither output nor usage."""
    told = streamed(asked(f"[[{cue}]]"))

    names = [event["type"] for event in told]
    assert names.count("response.output_text.delta") == 6
    assert "response.output_text.done" not in names
    assert told[-1]["response"]["status"] == "failed"
    assert (told[-1]["response"]["output"], told[-1]["response"]["usage"]) == ([], None)


def test_an_error_event_is_nested_and_before_failed() -> None:
    """As in both recordings: `error` with an object inside, then `response.failed` with the same code."""
    told = streamed(asked("[[midstream-error 0]]"))

    assert [event["type"] for event in told[2:]] == ["error", "response.failed"]
    assert told[2]["error"]["code"] == told[3]["response"]["error"]["code"] == "rate_limit_exceeded"
    assert list(told[2]["error"]) == ["type", "code", "message", "param"]
