"""Verdicts on calls, for clients that run nothing without one: by the model that the settings name, or not at all."""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

from typing import Any

import pytest
import trio.testing

from pipeline.settings import Timing
from stages.wire import json
from tests.support.client import Reply
from tests.support.hosted import ADVISING, ADVISOR, ASKED, BASH, SAFEGUARDS, calling, message_of, round_of, saying
from tests.support.running import REQUEST, answer
from tests.support.upstream import Script, ScriptedUpstream
from tests.support.upstream_events import CREATED, text

GUARDED: dict[str, Any] = {**REQUEST, "tools": [BASH], "safeguards": SAFEGUARDS}
CALLS = round_of(
    text("Now."),
    calling(1, "Bash", "call_a", '{"command":"ls"}'),
    calling(2, "Bash", "call_b", '{"command":"rm -rf /"}'),
)
CLEAR, FLAGGED = "toolu_call_a", "toolu_call_b"
VERDICTS = [
    {"id": CLEAR, "outcome": "not_flagged", "reason": ""},
    {"id": FLAGGED, "outcome": "flagged", "reason": "It deletes everything."},
]


def judging(*verdicts: dict[str, Any]) -> Script:
    """A judge's answer."""
    return saying(json.encode({"verdicts": list(verdicts)}).decode())


async def judged(script: Script, *, judge: str = "gpt-5.4", stream: bool = True, **settings: Any) -> tuple[Any, Any]:
    """What the client is told of its calls, and what the judge was asked."""
    upstream = ScriptedUpstream(CALLS, script)
    reply = await answer(upstream=upstream, request=GUARDED, stream=stream, judge=judge, **settings)
    return message_of(reply).get("safeguard_results"), upstream.requests[1:]


def told(results: Any) -> Any:
    """The verdict of each call."""
    (result,) = results
    assert (result["type"], result["status"]["type"]) == ("dangerous_tool_use", "available")
    return result["status"]["tool_uses"]


@pytest.mark.parametrize("stream", [True, False])
async def test_each_call_has_its_verdict(stream: bool) -> None:
    """Flagged with one sentence, or not flagged; told before the end, in a stream and in a whole message."""
    results, ((question),) = await judged(judging(*VERDICTS), stream=stream)

    assert told(results) == {
        CLEAR: {"type": "evaluated", "outcome": "not_flagged"},
        FLAGGED: {"type": "evaluated", "outcome": "flagged", "explanation": "It deletes everything."},
    }
    assert question["model"] == "gpt-5.4"
    assert "tools" not in question
    asked = json.encode(question["input"]).decode()
    assert all(part in asked for part in ("rm -rf /", "/home/mark", CLEAR, "[user] hi"))
    assert question["text"]["format"]["type"] == "json_schema"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (Script(status=500, headers={"content-type": "application/json"}), "error"),
        (saying("It is all fine: not_flagged."), "error"),
        (judging(), "error"),
        (judging({"id": CLEAR, "outcome": "fine"}, {"id": "toolu_other", "outcome": "not_flagged"}), "error"),
        (Script([CREATED, 60.0]), "timeout"),
    ],
)
async def test_no_verdict_is_none(script: Script, reason: str, autojump_clock: trio.testing.MockClock) -> None:
    """Whatever goes wrong is said, and nothing passes for harmless."""
    results, _ = await judged(script, timing=Timing(silence=1000))

    assert set(told(results)) == {CLEAR, FLAGGED}
    assert all(each == {"type": "unavailable", "reason": reason} for each in told(results).values())


async def test_a_flag_beats_what_else_is_said() -> None:
    """A call that is judged twice is what the graver verdict says; one that is left out has none."""
    results, _ = await judged(judging({**VERDICTS[1], "id": CLEAR}, VERDICTS[0]))

    assert told(results)[CLEAR]["outcome"] == "flagged"
    assert told(results)[FLAGGED]["type"] == "unavailable"


async def test_too_much_to_judge() -> None:
    """What cannot be shown whole is not judged, and nobody is asked."""
    long = json.encode({"command": "x" * 200_000}).decode()
    upstream = ScriptedUpstream(round_of(calling(0, "Bash", "call_a", long)))
    reply = await answer(upstream=upstream, request=GUARDED, judge="gpt-5.4")

    assert told(message_of(reply)["safeguard_results"]) == {CLEAR: {"type": "unavailable", "reason": "input_too_long"}}
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("judge", "request_", "script"),
    [
        ("", GUARDED, CALLS),
        ("gpt-5.4", {**GUARDED, "safeguards": []}, CALLS),
        ("gpt-5.4", {**GUARDED, "safeguards": [{"type": "another"}]}, CALLS),
        ("gpt-5.4", GUARDED, saying("No call.")),
    ],
)
async def test_nobody_judges(judge: str, request_: dict[str, Any], script: Script) -> None:
    """Without the setting, the client's word for it, or a call: one request, and no verdict is made up."""
    upstream = ScriptedUpstream(script)
    reply: Reply = await answer(upstream=upstream, request=request_, judge=judge)

    assert "safeguard_results" not in message_of(reply)
    assert len(upstream.requests) == 1


async def test_advice_is_not_judged() -> None:
    """Calls that are run here do nothing to anybody's machine; those of the client in the last round are judged."""
    upstream = ScriptedUpstream(*ADVISING[:2], CALLS, judging(*VERDICTS))
    request = {**ASKED, "tools": [BASH, ADVISOR], "safeguards": SAFEGUARDS}
    message = message_of(await answer(upstream=upstream, request=request, judge="gpt-5.4"))

    assert set(told(message["safeguard_results"])) == {CLEAR, FLAGGED}
    assert message["stop_reason"] == "tool_use"
