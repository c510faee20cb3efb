"""Answers that take several requests: rounds, results, limits, and what a client sees of them."""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

from typing import Any

import pytest
import trio.testing

from pipeline.request.hosted_loop import MAX_ROUNDS, PAUSED
from pipeline.settings import Timing
from stages.wire import json
from tests.support.hosted import ADVISING, ADVISOR, ASKED, calling, is_aside, message_of, round_of, saying
from tests.support.running import TIGHT, answer
from tests.support.upstream import Script, ScriptedUpstream
from tests.support.upstream_events import CREATED, failed, text

CALL, RESULT = "server_tool_use", "advisor_tool_result"


@pytest.mark.parametrize("capacity", TIGHT)
@pytest.mark.parametrize("stream", [True, False])
async def test_two_rounds(capacity: int, stream: bool) -> None:
    """The call and its result stand between the texts; blocks are numbered on, and there is one start and one end."""
    upstream = ScriptedUpstream(*ADVISING)
    reply = await answer(upstream=upstream, request=ASKED, capacity=capacity, stream=stream)

    message = message_of(reply)
    assert [block["type"] for block in message["content"]] == ["text", CALL, RESULT, "text"]
    _, call, result, _ = message["content"]
    assert call["id"] == result["tool_use_id"] == "srvtoolu_call_a"
    assert result["content"] == {"type": "advisor_result", "text": "Look twice.", "stop_reason": "end_turn"}
    assert message["content"][-1]["text"] == "I looked."
    assert message["stop_reason"] == "end_turn"
    if stream:
        kinds = [event["type"] for event in reply.events()]
        assert [kinds.count(kind) for kind in ("message_start", "message_delta", "message_stop")] == [1, 1, 1]


async def test_what_is_asked() -> None:
    """The second round begins with the first's bytes, and so does the client's next turn with the second's (law 9)."""
    upstream = ScriptedUpstream(*ADVISING, saying("Bye."))
    message = message_of(await answer(upstream=upstream, request=ASKED, stream=False))
    after = [
        *ASKED["messages"],
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": "ok"},
    ]
    following = ScriptedUpstream(saying("Bye."))
    await answer(upstream=following, request={**ASKED, "messages": after}, stream=False)

    first, advice, second = upstream.requests
    third = following.requests[0]
    assert second["input"][: len(first["input"])] == first["input"]
    assert third["input"][: len(second["input"])] == second["input"]
    assert [item["type"] for item in second["input"][-2:]] == ["function_call", "function_call_output"]
    assert second["input"][-1] == {"type": "function_call_output", "call_id": "call_a", "output": "Look twice."}
    rest = [{name: value for name, value in body.items() if name != "input"} for body in (first, second, third)]
    assert rest[0] == rest[1] == rest[2]
    assert "Let me ask." in str(advice["input"])
    assert "tools" not in advice
    assert advice["model"] != "claude-opus-5-5"


async def test_usage() -> None:
    """The prompt is the first round's, what was written is all rounds', and each request has its entry."""
    usage = message_of(await answer(upstream=ScriptedUpstream(*ADVISING), request=ASKED))["usage"]

    assert (usage["input_tokens"], usage["cache_read_input_tokens"], usage["output_tokens"]) == (60, 40, 20)
    kinds = [(each["type"], each.get("model"), each["output_tokens"]) for each in usage["iterations"]]
    assert kinds == [("message", None, 10), ("advisor_message", "claude-opus-5-5", 10), ("message", None, 10)]


async def test_calls_of_the_client_beside_ours() -> None:
    """Ours are run, both are told, and the client's end the answer."""
    both = round_of(calling(0, "advisor", "call_a"), calling(1, "Bash", "call_b", '{"command":"ls"}'))
    upstream = ScriptedUpstream(both, saying("Look twice."))
    message = message_of(await answer(upstream=upstream, request=ASKED))

    assert [block["type"] for block in message["content"]] == ["tool_use", CALL, RESULT]
    assert message["stop_reason"] == "tool_use"
    assert len(upstream.requests) == 2


@pytest.mark.parametrize(
    ("advice", "code"),
    [
        (Script(status=429, headers={"content-type": "application/json"}), "too_many_requests"),
        (Script([b"busy"], status=503, headers={"content-type": "text/plain"}), "overloaded"),
        (saying(" "), "unavailable"),
        (Script([CREATED, 400.0]), "execution_time_exceeded"),
    ],
)
async def test_advice_that_fails(advice: Script, code: str, autojump_clock: trio.testing.MockClock) -> None:
    """Is a result that says why, and the answer goes on."""
    upstream = ScriptedUpstream(ADVISING[0], advice, saying("Then without."))
    message = message_of(await answer(upstream=upstream, request=ASKED, timing=Timing(silence=1000)))

    assert message["content"][2]["content"] == {"type": "advisor_tool_result_error", "error_code": code}
    assert message["content"][3]["text"] == "Then without."
    assert upstream.requests[-1]["input"][-1]["output"] == f"[error] {code}"


async def test_more_calls_than_allowed() -> None:
    """Beyond `max_uses` nobody is asked any more."""
    asking = round_of(calling(0, "advisor", "call_a"), calling(1, "advisor", "call_b"))
    upstream = ScriptedUpstream(asking, saying("Once."), saying("Done."))
    message = message_of(await answer(upstream=upstream, request={**ASKED, "tools": [{**ADVISOR, "max_uses": 1}]}))

    results = [block["content"] for block in message["content"] if block["type"] == RESULT]
    assert [result.get("error_code") for result in results] == [None, "max_uses_exceeded"]
    assert len(upstream.requests) == 3


async def test_a_forced_call_is_made_once() -> None:
    """What comes after it is the model's choice."""
    upstream = ScriptedUpstream(*ADVISING)
    choice = {"type": "tool", "name": "advisor", "disable_parallel_tool_use": True}
    await answer(upstream=upstream, request={**ASKED, "tool_choice": choice})

    first, _, second = upstream.requests
    assert first["tool_choice"] == {"type": "function", "name": "advisor"}
    assert second["tool_choice"] == "auto"
    assert second["parallel_tool_calls"] is False


async def test_it_ends() -> None:
    """After ten rounds the answer pauses, behind a text, since clients take a pause behind nothing else."""
    number = 0

    def say(request: dict[str, Any]) -> Script:
        nonlocal number
        number += 1
        return saying("Again.") if is_aside(request) else round_of(calling(0, "advisor", f"call_{number}"))

    upstream = ScriptedUpstream(say)
    message = message_of(await answer(upstream=upstream, request=ASKED))

    assert sum(not is_aside(request) for request in upstream.requests) == MAX_ROUNDS
    assert message["stop_reason"] == "pause_turn"
    assert message["content"][-1] == {"type": "text", "text": PAUSED}


@pytest.mark.parametrize("stream", [True, False])
async def test_a_failure_in_the_second_round(stream: bool) -> None:
    """Is the one error: an event where text has left, a status where nothing has."""
    upstream = ScriptedUpstream(*ADVISING[:2], Script([CREATED, failed()]))
    reply = await answer(upstream=upstream, request=ASKED, stream=stream)

    if stream:
        assert [event["type"] for event in reply.events()][-1] == "error"
    else:
        assert reply.status == 500
        assert reply.json()["type"] == "error"


@pytest.mark.parametrize("cut", [ADVISING[0].steps[:2], ADVISING[0].steps[:3], ADVISING[0].steps])
async def test_a_first_round_that_is_cut(cut: Any) -> None:
    """Ends with an error, and nobody is asked for advice on half an answer."""
    steps = cut if len(cut) < len(ADVISING[0].steps) else [*cut[:-1], failed()]
    upstream = ScriptedUpstream(Script(steps))
    reply = await answer(upstream=upstream, request=ASKED)

    assert [event["type"] for event in reply.events()][-1] == "error"
    assert len(upstream.requests) == 1


async def test_a_deferred_advisor_that_is_added() -> None:
    """As Claude Code declares it: late, and announced by a system message."""
    added = {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "advisor"}}
    messages = [*ASKED["messages"], {"role": "system", "content": [added]}]
    upstream = ScriptedUpstream(*ADVISING)
    request = {**ASKED, "messages": messages, "tools": [{**ADVISOR, "defer_loading": True}]}
    message = message_of(await answer(upstream=upstream, request=request))

    assert [block["type"] for block in message["content"]] == ["text", CALL, RESULT, "text"]
    (item,) = [item for item in upstream.requests[0]["input"] if item["type"] == "additional_tools"]
    assert [tool["name"] for tool in item["tools"]] == ["advisor"]


async def test_without_our_tools_there_is_one_request() -> None:
    """A function that is merely called so is the client's."""
    own = {"name": "advisor", "input_schema": {"type": "object"}}
    upstream = ScriptedUpstream(round_of(text("Hm."), calling(1, "advisor", "call_a")))
    message = message_of(await answer(upstream=upstream, request={**ASKED, "tools": [own]}))

    assert [block["type"] for block in message["content"]] == ["text", "tool_use"]
    assert "iterations" not in json.encode(message["usage"]).decode()
    assert len(upstream.requests) == 1
