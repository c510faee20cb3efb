"""Answers of another model, since the one that was asked has declined: who is asked when, and what a client sees."""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

from typing import Any

import pytest
import trio.testing

from pipeline.settings import Timing
from tests.support.cases import cases
from tests.support.hosted import ASKED, DECLINED, FALLING, USAGE, calling, declining, message_of, round_of, saying
from tests.support.running import REQUEST, TIGHT, answer
from tests.support.upstream import Script, ScriptedUpstream, events, json_script
from tests.support.upstream_events import CREATED, completed, error, text, thought

FILTERED = Script(
    [
        CREATED,
        events(
            {
                "type": "response.incomplete",
                "response": {
                    "status": "incomplete",
                    "incomplete_details": {"reason": "content_filter"},
                    "output": [],
                    "usage": USAGE,
                },
            }
        ),
    ]
)
POLICY = Script(
    [b'{"error":{"code":"cyber_policy","message":"No."}}'], status=400, headers={"content-type": "application/json"}
)
BUSY = Script([b"{}"], status=429, headers={"content-type": "application/json"})
BROKEN = Script([b"{}"], status=500, headers={"content-type": "application/json"})


def kinds(message: dict[str, Any]) -> list[str]:
    """The types of a message's blocks."""
    return [block["type"] for block in message["content"]]


@cases("capacity", TIGHT)
@cases("stream", [True, False])
@cases("refused", [declining(), FILTERED, POLICY, Script([CREATED, error("cyber_policy", "No.")])])
async def test_another_model_answers(refused: Script, capacity: int, stream: bool) -> None:
    """However the first one declines: a block says who goes on, and the last entry of usage whose words they are."""
    upstream = ScriptedUpstream(refused, saying("Gladly."))
    message = message_of(await answer(upstream=upstream, request=FALLING, capacity=capacity, stream=stream))

    block, said = message["content"]
    assert block["from"] == {"model": "claude-sonnet-5-5"}
    assert block["to"] == {"model": "claude-haiku-5"}
    assert block["trigger"] == {"type": "refusal", "category": None}
    assert said["text"] == "Gladly."
    assert message["stop_reason"] == "end_turn"
    last = message["usage"]["iterations"][-1]
    assert (last["type"], last["model"], last["output_tokens"]) == ("fallback_message", "claude-haiku-5", 10)
    assert message["usage"]["output_tokens"] == 10
    assert [request["model"] for request in upstream.requests] == ["gpt-6.2-sol", "gpt-6-luna"]
    assert upstream.requests[0]["input"] == upstream.requests[1]["input"]
    if not stream:
        assert message["model"] == "claude-haiku-5"


async def test_one_behind_the_other() -> None:
    """Each that declines has its block and its entry; the last word is the last one's."""
    upstream = ScriptedUpstream(declining(), POLICY, saying("Well."))
    message = message_of(await answer(upstream=upstream, request=FALLING))

    assert kinds(message) == ["fallback", "fallback", "text"]
    assert [block["to"]["model"] for block in message["content"][:2]] == ["claude-haiku-5", "claude-opus-5-5"]
    assert [each["type"] for each in message["usage"]["iterations"]] == ["message", "fallback_message"]


async def test_all_decline() -> None:
    """The refusal of the last is the answer's, and no entry says that it was served."""
    upstream = ScriptedUpstream(declining(), declining(), declining())
    message = message_of(await answer(upstream=upstream, request=FALLING))

    assert kinds(message) == ["fallback", "fallback"]
    assert (message["stop_reason"], message["stop_details"]["explanation"]) == ("refusal", DECLINED)
    assert [each["type"] for each in message["usage"]["iterations"]] == ["message"] * 3


@pytest.mark.parametrize(("second", "recommended"), [(BUSY, "claude-haiku-5"), (BROKEN, None)])
@pytest.mark.parametrize("stream", [True, False])
async def test_a_model_that_cannot_be_asked(second: Script, recommended: str | None, stream: bool) -> None:
    """The refusal stands, and names a model that has no room now; nobody behind it is asked."""
    upstream = ScriptedUpstream(declining(), second)
    message = message_of(await answer(upstream=upstream, request=FALLING, stream=stream))

    assert (kinds(message), message["stop_reason"]) == ([], "refusal")
    assert message["stop_details"].get("recommended_model") == recommended
    assert len(upstream.requests) == 2


async def test_a_refusal_that_was_a_status_stays_one() -> None:
    """Where nobody else can be asked, the client hears what it would have heard without the field."""
    reply = await answer(upstream=ScriptedUpstream(POLICY, BUSY), request=FALLING)
    assert (reply.status, reply.json()["error"]["type"]) == (400, "policy_blocked")


@pytest.mark.parametrize("failure", [BUSY, BROKEN, Script([CREATED, error("server_error")])])
async def test_what_is_no_refusal(failure: Script) -> None:
    """Is the client's to retry."""
    upstream = ScriptedUpstream(failure)
    assert (await answer(upstream=upstream, request=FALLING)).status in (429, 500)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("shown", [text("Well, "), calling(0, "Bash", "call_a")])
async def test_what_was_shown_cannot_be_taken_back(shown: bytes) -> None:
    """A refusal behind a text or a call stands."""
    upstream = ScriptedUpstream(declining(shown))
    message = message_of(await answer(upstream=upstream, request={**ASKED, "fallbacks": FALLING["fallbacks"]}))

    assert message["stop_reason"] == "refusal"
    assert len(upstream.requests) == 1


async def test_thoughts_may_have_been_shown() -> None:
    """They stand before the block, and are not the next model's to read."""
    upstream = ScriptedUpstream(declining(thought("Hm, no.")), saying("Gladly."))
    message = message_of(await answer(upstream=upstream, request=FALLING))

    assert kinds(message) == ["thinking", "fallback", "text"]
    assert upstream.requests[1]["input"] == upstream.requests[0]["input"]


async def test_a_failure_with_thoughts_before_it() -> None:
    """Ends the answer: a block of it is open."""
    reply = await answer(
        upstream=ScriptedUpstream(Script([CREATED, thought("Hm"), error("cyber_policy")])), request=FALLING
    )
    assert reply.events()[-1]["type"] == "error"


async def test_the_next_rounds_are_the_same_models() -> None:
    """A tool that is run here is run for whoever answers, and the next request goes on with that model."""
    advised = round_of(text("Let me ask."), calling(1, "advisor", "call_a"))
    upstream = ScriptedUpstream(declining(), advised, saying("Look twice."), saying("I looked."))
    message = message_of(await answer(upstream=upstream, request={**ASKED, "fallbacks": FALLING["fallbacks"]}))

    assert kinds(message) == ["fallback", "text", "server_tool_use", "advisor_tool_result", "text"]
    models = [request["model"] for request in upstream.requests]
    assert (models[0], models[1], models[3]) == ("gpt-6.2-sol", "gpt-6-luna", "gpt-6-luna")
    entries = [each["type"] for each in message["usage"]["iterations"]]
    assert entries == ["message", "message", "advisor_message", "fallback_message"]


async def test_a_later_round_declines() -> None:
    """What was told before it stays, and the next model goes on behind it."""
    asking = round_of(calling(0, "advisor", "call_a"))
    upstream = ScriptedUpstream(asking, saying("Look twice."), declining(), saying("I looked."))
    message = message_of(await answer(upstream=upstream, request={**ASKED, "fallbacks": FALLING["fallbacks"]}))

    assert kinds(message) == ["server_tool_use", "advisor_tool_result", "fallback", "text"]
    assert upstream.requests[3]["input"] == upstream.requests[2]["input"]
    assert upstream.requests[3]["model"] == "gpt-6-luna"


async def test_an_entry_says_how() -> None:
    """Its limit and effort hold for its own request."""
    entry = {"model": "claude-opus-5-5", "max_tokens": 77, "output_config": {"effort": "low"}}
    upstream = ScriptedUpstream(declining(), saying("Gladly."))
    await answer(upstream=upstream, request={**REQUEST, "fallbacks": [entry]})

    assert upstream.requests[1]["max_output_tokens"] != upstream.requests[0]["max_output_tokens"]
    assert upstream.requests[1]["reasoning"]["effort"] == "low"


async def test_the_block_comes_back() -> None:
    """It says nothing to the model: the next turn begins with the bytes of the one before (law 9)."""
    upstream = ScriptedUpstream(declining(), saying("Gladly."), saying("Bye."))
    message = message_of(await answer(upstream=upstream, request=FALLING))
    after = [
        *FALLING["messages"],
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": "ok"},
    ]
    await answer(upstream=upstream, request={**FALLING, "messages": after})

    first, _, third = upstream.requests
    assert third["input"][: len(first["input"])] == first["input"]
    assert "fallback" not in str(third["input"])


@pytest.mark.parametrize(("default", "asked"), [("claude-haiku-5", 2), ("", 1)])
async def test_the_servers_choice(default: str, asked: int) -> None:
    """It is the setting's, and without one the refusal stands, which the mapping says."""
    upstream = ScriptedUpstream(declining(), saying("Gladly."))
    reply = await answer(upstream=upstream, request={**REQUEST, "fallbacks": "default"}, fallback=default)

    assert len(upstream.requests) == asked
    assert reply.headers["dragoman-mapping"] == ("emulated=fallbacks" if default else "dropped=fallbacks")


async def test_waiting_is_nobodys_silence(autojump_clock: trio.testing.MockClock) -> None:
    """The next model has its own time to begin."""
    slow = Script([20.0, CREATED, 20.0, text("Gladly."), completed(usage=USAGE)])
    upstream = ScriptedUpstream(Script([CREATED, 20.0, *declining().steps[1:]]), slow)
    message = message_of(await answer(upstream=upstream, request=FALLING, timing=Timing(silence=30)))

    assert message["content"][-1]["text"] == "Gladly."


async def test_a_whole_answer_of_an_engine() -> None:
    """An upstream that does not stream is read in the same way."""
    upstream = ScriptedUpstream(declining(), json_script({"output": [{"type": "message", "content": "Gladly."}]}))
    message = message_of(await answer(upstream=upstream, request=FALLING, stream=False))
    assert message["content"][-1]["text"] == "Gladly."
