"""Conversations that are summed up in the middle of an answer, and answered from the summary."""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

from typing import Any

import pytest
import structlog.testing
import trio.testing

from pipeline.settings import Timing
from stages.mapper.summarising import INSTRUCTIONS
from tests.support.hosted import (
    ADVISOR,
    ASKED,
    COMPACTED,
    COMPACTING,
    USAGE,
    advised,
    calling,
    compacting,
    message_of,
    round_of,
    saying,
)
from tests.support.running import TIGHT, answer
from tests.support.upstream import Script, ScriptedUpstream, json_script
from tests.support.upstream_events import CREATED, completed, text

SUMMARY = "The user says hi."


def kinds(message: dict[str, Any]) -> list[str]:
    """The types of a message's blocks."""
    return [block["type"] for block in message["content"]]


@pytest.mark.parametrize("capacity", TIGHT)
@pytest.mark.parametrize("stream", [True, False])
async def test_the_answer_goes_on_from_the_summary(capacity: int, stream: bool) -> None:
    """The block comes first, whole; the summary's tokens stand in an entry of their own, and nowhere else."""
    upstream = ScriptedUpstream(*COMPACTED)
    message = message_of(await answer(upstream=upstream, request=COMPACTING, capacity=capacity, stream=stream))

    assert kinds(message) == ["compaction", "text"]
    assert message["content"][0]["content"] == SUMMARY
    assert message["stop_reason"] == "end_turn"
    assert [each["type"] for each in message["usage"]["iterations"]] == ["compaction", "message"]
    assert message["usage"]["output_tokens"] == USAGE["output_tokens"]


async def test_what_is_asked() -> None:
    """The summary on the conversation's own prefix, then its text alone; the next turn begins with those bytes."""
    upstream = ScriptedUpstream(*COMPACTED, saying("Bye."))
    message = message_of(await answer(upstream=upstream, request=COMPACTING))
    answered = {"role": "assistant", "content": message["content"]}
    after = [*COMPACTING["messages"], answered, {"role": "user", "content": "ok"}]
    late = {**COMPACTING, "messages": after, **compacting(value=100_000)}
    assert kinds(message_of(await answer(upstream=upstream, request=late))) == ["text"]

    summed_up, second, third = upstream.requests
    plain = ScriptedUpstream(saying("Hi."))
    await answer(upstream=plain, request={**COMPACTING, "context_management": None})
    uncut = plain.requests[0]["input"]
    assert summed_up["input"][: len(uncut)] == uncut
    assert INSTRUCTIONS in str(summed_up["input"][len(uncut) :])
    assert summed_up["prompt_cache_key"] == plain.requests[0]["prompt_cache_key"]
    assert second["prompt_cache_key"] == third["prompt_cache_key"]
    assert SUMMARY in str(second["input"])
    assert "hi hi" not in str(second["input"])
    assert third["input"][: len(second["input"])] == second["input"]


async def test_the_clients_own_words() -> None:
    """Stand in the place of ours."""
    upstream = ScriptedUpstream(*COMPACTED)
    await answer(upstream=upstream, request={**COMPACTING, **compacting(instructions="In one line.")})
    assert "In one line." in str(upstream.requests[0]["input"][-1])


@pytest.mark.parametrize("stream", [True, False])
async def test_a_pause(stream: bool) -> None:
    """The answer is the summary, and the client goes on by itself."""
    upstream = ScriptedUpstream(COMPACTED[0])
    request = {**COMPACTING, **compacting(pause_after_compaction=True)}
    message = message_of(await answer(upstream=upstream, request=request, stream=stream))

    assert (kinds(message), message["stop_reason"]) == (["compaction"], "compaction")
    assert [each["type"] for each in message["usage"]["iterations"]] == ["compaction"]
    assert message["usage"]["input_tokens"] == 0


@pytest.mark.parametrize(
    "failing", [json_script({}, 500), saying(" "), round_of(calling(0, "Bash", "call_a")), Script([CREATED, 700.0])]
)
@pytest.mark.parametrize("pauses", [True, False])
async def test_no_summary(failing: Script, pauses: bool, autojump_clock: trio.testing.MockClock) -> None:
    """A block says so, and the whole conversation is answered: pausing would bring the client back to where it was."""
    upstream = ScriptedUpstream(failing, saying("Hi."))
    request = {**COMPACTING, **compacting(pause_after_compaction=pauses)}
    message = message_of(
        await answer(upstream=upstream, request=request, timing=Timing(silence=2000, first_byte=2000, total=5000))
    )

    assert kinds(message) == ["compaction", "text"]
    assert message["content"][0]["content"] is None
    assert "hi hi" in str(upstream.requests[1]["input"])


async def test_an_upstream_that_is_away() -> None:
    """Is a status, as it is for any request."""
    reply = await answer(upstream=ScriptedUpstream(json_script({}, 401)), request=COMPACTING, stream=False)
    assert reply.status == 401


async def test_the_client_hears_that_somebody_is_there(autojump_clock: trio.testing.MockClock) -> None:
    """A summary takes its time."""
    upstream = ScriptedUpstream(Script([CREATED, 90.0, text(SUMMARY), completed(usage=USAGE)]), saying("Hi."))
    reply = await answer(upstream=upstream, request=COMPACTING)
    told = [event["type"] for event in reply.events()]
    assert told.count("ping") > 5
    assert message_of(reply)["content"][-1]["text"] == "Hi."


async def test_a_forced_call_stays_forced() -> None:
    """Nothing has been called yet."""
    upstream = ScriptedUpstream(*COMPACTED)
    choice = {"type": "tool", "name": "Bash"}
    await answer(upstream=upstream, request={**COMPACTING, "tools": ASKED["tools"][:1], "tool_choice": choice})
    summed_up, second = upstream.requests
    assert summed_up["tool_choice"] == "none"
    assert second["tool_choice"] == {"type": "function", "name": "Bash"}


async def test_between_two_rounds() -> None:
    """An answer that has grown over the trigger is summed up before it goes on."""
    request = {
        **COMPACTING,
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [ADVISOR],
        **compacting(value=600),
    }
    upstream = ScriptedUpstream(advised(), saying("Look twice. " * 400), saying(SUMMARY), saying("I looked."))
    message = message_of(await answer(upstream=upstream, request=request))

    assert kinds(message) == ["text", "server_tool_use", "advisor_tool_result", "compaction", "text"]
    assert "Look twice." not in str(upstream.requests[3]["input"])
    entries = [each["type"] for each in message["usage"]["iterations"]]
    assert entries == ["message", "advisor_message", "compaction", "message"]


async def test_the_line_counts_it() -> None:
    """Both requests, and that there was a summary."""
    log = structlog.testing.CapturingLogger()
    await answer(upstream=ScriptedUpstream(*COMPACTED), request=COMPACTING, log=log)
    (line,) = [call.kwargs for call in log.calls if call.args == ("request",)]
    assert (line["compactions"], line["upstream_requests"], line["output_tokens"]) == (1, 2, 20)
