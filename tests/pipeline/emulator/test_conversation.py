"""Which turn of the script a request gets, and what holds for every scene."""

from __future__ import annotations

import pytest

from pipeline.emulator.answer import answer
from pipeline.emulator.conversation import DIRECTIVES
from pipeline.emulator.scenarios import GREETING
from tests.pipeline.emulator.talk import asked, calls, follow, output, said, user
from tests.support.cases import cases


@pytest.mark.parametrize(
    ("reasoning", "types", "parts"),
    [
        ({}, ["message"], None),
        ({"effort": "none", "summary": "auto"}, ["message"], None),
        ({"effort": "low"}, ["reasoning", "message"], 0),
        ({"effort": "low", "summary": "auto"}, ["reasoning", "message"], 1),
    ],
)
def test_effort_brings_reasoning(reasoning: dict[str, str], types: list[str], parts: int | None) -> None:
    """Effort makes a reasoning item; a summary shows only where it is asked for; without effort there is neither."""
    found = output(asked("[[text]]", reasoning=reasoning))

    assert [item["type"] for item in found] == types
    assert parts is None or len(found[0]["summary"]) == parts


def test_calls_are_two_with_ids_of_their_own() -> None:
    """Parallel calls are two items with different call ids."""
    ids = {item["call_id"] for item in output(asked("[[calls]]"))}

    assert len(ids) == 2


def test_calls_come_one_by_one_where_they_may_not_be_parallel() -> None:
    """With `parallel_tool_calls: false` each turn makes one call, until all are made."""
    request = asked('[[call:Read {"n": 1}]+[call:Read {"n": 2}]]', parallel_tool_calls=False)
    second = follow(request)

    assert calls(request) == [("Read", {"n": 1})]
    assert calls(second) == [("Read", {"n": 2})]
    assert said(follow(second)) == "Done. 2 tool results came back."


def test_a_whole_task_is_played_turn_by_turn() -> None:
    """Cues on their own are turns, cues joined by + are parallel calls, and at the end the results are counted."""
    request = asked(
        'do [[call:Read {"file_path": "/a]]b"}]] then '
        '[[call:Bash {"command": "[[ -f x ]]"}]+[call:Bash {"command": "ls"}]] '
        '[[call:Read {"file_path": "/c"}]]'
    )
    turns = []
    while found := calls(request):
        turns.append(found)
        request = follow(request)

    assert turns == [
        [("Read", {"file_path": "/a]]b"})],
        [("Bash", {"command": "[[ -f x ]]"}), ("Bash", {"command": "ls"})],
        [("Read", {"file_path": "/c"})],
    ]
    assert said(request) == "Done. 4 tool results came back."


def test_the_loop_goes_on_with_reasoning_and_reminders_between() -> None:
    """Reasoning items and what a client writes behind its results do not disturb the count."""
    sealed = {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}
    request = follow(asked('[[call:Read {"n": 1}]] [[call:Read {"n": 2}]]', **sealed))
    request["input"] += [
        user("<system-reminder>[[text]]</system-reminder>"),
        {"type": "message", "role": "developer", "content": "[[error 500]]"},
    ]

    assert calls(request) == [("Read", {"n": 2})]


def test_an_error_can_come_after_a_result() -> None:
    """Any cue may be a later turn."""
    assert answer(follow(asked("[[call]] [[error 503]]"))).status == 503


@pytest.mark.parametrize(("cue", "reason"), [("max", "max_output_tokens"), ("filter", "content_filter")])
def test_incomplete_endings(cue: str, reason: str) -> None:
    """The response and its last item are incomplete, for the reason asked for."""
    whole = answer(asked(f"[[{cue}]]")).body

    assert (whole["status"], whole["incomplete_details"]) == ("incomplete", {"reason": reason})
    assert whole["output"][-1]["status"] == "incomplete"


def test_empty_completes_without_items() -> None:
    """Even where effort would bring reasoning."""
    whole = answer(asked("[[empty]]", reasoning={"effort": "high"})).body

    assert (whole["status"], whole["output"], whole["usage"]["output_tokens"]) == ("completed", [], 0)


@cases("word", DIRECTIVES)
def test_every_cue_survives_a_bare_request(word: str) -> None:
    """Without tools, settings or arguments each cue still gives an answer."""
    told = answer({"model": "m", "input": f"[[{word}]]", "stream": True})

    assert told.frames
    assert 200 <= told.status < 600


def test_an_aside_is_for_requests_that_quote_the_prompt() -> None:
    """It answers whoever quotes it without offering a tool, in its own words; in the task itself it is no turn."""
    prompt = "[[call:Read {}]] [[aside <severity>9</severity>]] [[text]]"
    task = asked(prompt)

    assert said(asked(f"Judge this: {prompt}", tools=[])) == "<severity>9</severity>"
    assert calls(task) == [("Read", {})]
    assert said(follow(task)) == GREETING
