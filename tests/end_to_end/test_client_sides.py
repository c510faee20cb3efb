"""The requests that the real Claude Code makes beside the conversation: `make client`.

Auto mode has every doubtful action judged by a model. By default that model is to run at the server, which we refuse to
play: a verdict that nobody made is none. With `CLAUDE_CODE_AUTO_MODE_SERVER=0` the client asks the questions itself.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from stages.wire import json
from tests.support.claude import Run
from tests.support.client_harness import ClientHarness, harness
from tests.support.directives import bash, script
from tests.support.recorder import Exchange
from tests.support.wiretap import Visit

pytestmark = pytest.mark.client

AUTO = ("--permission-mode", "auto")
BY_ITSELF = {"CLAUDE_CODE_AUTO_MODE_SERVER": "0"}
DOUBTFUL = bash("touch ../proof.txt; python3 -c 1")
"""A command that the client's own rules do not allow unseen."""


async def judged(here: ClientHarness, verdict: str, environment: dict[str, str]) -> Run:
    """Have a doubtful command called for, and tell whoever judges it what to say."""
    prompt = script("Act.", DOUBTFUL) + f" [[aside {verdict}]]"
    return await here.desk.ask(prompt, *AUTO, environment=environment)


def judgements(here: ClientHarness) -> list[tuple[Visit, Exchange]]:
    """The questions about the command, as the client put them and as they went upstream."""
    asked = [visit for visit in here.wire.visits if visit.body and not visit.body.get("tools")]
    passed = [exchange for exchange in here.upstream.messages if not exchange.request.get("tools")]
    return list(zip(asked, passed, strict=True))


def done(here: ClientHarness) -> bool:
    """Whether the command was run."""
    return (here.desk.home.parent / "proof.txt").exists()


async def test_auto_mode_allows_what_is_harmless() -> None:
    """One question with 64 tokens is enough, answered with a number and nothing else; it goes to a small model."""
    async with harness() as here:
        run = await judged(here, "<severity>3</severity>", BY_ITSELF)

        assert done(here)
        assert run.final["permission_denials"] == []
        ((visit, exchange),) = judgements(here)
        assert visit.body["max_tokens"] == 64
        assert "stop_sequences" not in visit.body  # which older clients send, and then read half of the tag
        reply = json.decode(visit.answer)
        assert reply["stop_reason"] == "end_turn"
        assert [block["text"] for block in reply["content"] if block["type"] == "text"] == ["<severity>3</severity>"]
        assert exchange.request["model"] == "gpt-6.2-sol"
        assert exchange.request["max_output_tokens"] >= 64
        assert exchange.request["reasoning"]["effort"] == "low"
        here.audit()


async def test_auto_mode_refuses_what_is_severe() -> None:
    """A severe verdict is asked for once more at length; then the command is not run, and the model is told why."""
    async with harness() as here:
        run = await judged(here, "<severity>90</severity><category>Data Exfiltration</category>", BY_ITSELF)

        assert not done(here)
        (denial,) = run.final["permission_denials"]
        assert denial["tool_name"] == "Bash"
        (result,) = run.blocks("user", "tool_result")
        assert result["is_error"]
        assert "[Data Exfiltration]" in result["content"]
        assert [visit.body["max_tokens"] for visit, _ in judgements(here)] == [64, 8192]
        assert "denied by the Claude Code auto mode classifier" in here.about("Act.")[-1].input[-1]["output"]
        here.audit()


async def test_auto_mode_gets_no_verdict_of_ours() -> None:
    """By default the client wants the verdict of the server; it gets none, says so, and does not run the command."""
    async with harness() as here:
        run = await judged(here, "<severity>3</severity>", {})

        assert not done(here)
        (result,) = run.blocks("user", "tool_result")
        assert "its safety check does not run for this session" in result["content"]
        assert judgements(here) == []
        first = next(visit for visit in here.wire.visits if visit.body)
        assert "safeguards" in first.body
        assert "safeguards" in first.answered["dragoman-mapping"]
        assert all("safeguards" not in exchange.request for exchange in here.upstream.messages)
        here.audit()


async def test_context_is_counted() -> None:
    """`/context` has everything counted upstream, and shows the sums."""
    async with harness() as here:
        await here.desk.ask("Hello.")
        run = await here.desk.ask("/context", "-c")

        counted = [each for each in here.upstream.exchanges if each.path.endswith("/responses/input_tokens")]
        visits = [visit for visit in here.wire.visits if "/count_tokens" in visit.path]
        assert len(counted) == len(visits) > 15
        assert {exchange.status for exchange in counted} == {200}
        prompt = sum(json.decode(visit.answer)["input_tokens"] for visit in visits if not visit.body.get("tools"))
        shown = re.search(r"\| System prompt \| ([0-9.]+)k \|", run.final["result"])
        assert shown is not None
        assert 1000 * float(shown[1]) == pytest.approx(prompt, rel=0.1)
        assert "| Messages |" in run.final["result"]
        assert len(here.upstream.messages) == 1
        here.audit()


async def test_compacting_on_demand() -> None:
    """`/compact` has the conversation summed up with all of it as a prefix; afterwards the summary stands for it."""
    async with harness() as here:
        _, compact, after = await here.desk.talk(
            "Hello. [[think]]",
            "/compact [[say <summary>They said hello.</summary>]]",
            script("Go on.", bash("echo resumed > proof.txt")),
        )

        assert any(event.get("subtype") == "compact_boundary" for event in compact.events)
        assert after.final["result"] == "Done. 1 tool result came back."
        assert (here.desk.work / "proof.txt").read_text() == "resumed\n"
        first, summing, resumed, _ = here.upstream.messages
        assert summing.input[: len(first.input)] == first.input
        assert kinds(summing.input[len(first.input) :]) == ["reasoning", "message", "message"]
        assert "They said hello." in texts(resumed.input[0:3])
        here.audit()


def kinds(items: list[dict[str, Any]]) -> list[str]:
    """The types of items."""
    return [item["type"] for item in items]


def texts(items: list[dict[str, Any]]) -> str:
    """All that items say."""
    return json.encode([item.get("content") for item in items]).decode()
