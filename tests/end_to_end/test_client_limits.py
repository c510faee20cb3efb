"""How the real Claude Code takes limits and refusals that it can go on after: `make client`."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.emulator import EmulatorTransport
from tests.support.claude import Run
from tests.support.client_harness import ClientHarness, harness, texts_of
from tests.support.refusing import OVERLOADED, Refusal, Refusing

pytestmark = pytest.mark.client

GREETING = "Hello from dragoman's emulator."


def retries(run: Run) -> list[dict[str, Any]]:
    """What the client says about asking again."""
    return [event for event in run.events if event.get("subtype") == "api_retry"]


def waits(here: ClientHarness) -> list[str | None]:
    """The `retry-after` of each answer to the client."""
    return [visit.answered.get("retry-after") for visit in here.wire.visits if visit.body]


@pytest.mark.parametrize(
    ("headers", "words", "seconds"),
    [({"retry-after": "2"}, "", 2), ({}, " Please try again in 1s.", 1)],
    ids=["told in a header", "told in words"],
)
async def test_it_waits_for_the_rate_limit(headers: dict[str, str], words: str, seconds: int) -> None:
    """The client waits as long as it was told, asks the same again, and goes on; we always tell it how long."""
    limit = Refusal(429, f"Rate limit reached on tokens per min (TPM).{words}", "rate_limit_exceeded", headers)
    refusing = Refusing(EmulatorTransport(delay=0), [limit])
    async with harness(inner=refusing) as here:
        run = await here.desk.ask("Hello.")

        assert run.final["result"].startswith(GREETING)
        (retry,) = retries(run)
        assert (retry["error_status"], retry["error"]) == (429, "rate_limit")
        assert waits(here) == [str(seconds), None]
        assert refusing.times[1] - refusing.times[0] >= seconds
        first, second = here.upstream.messages
        assert first.request == second.request
        here.audit()


async def test_it_outlasts_an_overload() -> None:
    """Two refusals for too much load are no more to the person than a short wait."""
    async with harness(inner=Refusing(EmulatorTransport(delay=0), [OVERLOADED] * 2)) as here:
        run = await here.desk.ask("Hello.")

        assert run.final["result"].startswith(GREETING)
        assert [retry["error"] for retry in retries(run)] == ["overloaded"] * 2
        assert [visit.status for visit in here.wire.visits if visit.body] == [529, 529, 200]
        here.audit()


async def test_a_refusal_ends_the_turn_and_not_the_session() -> None:
    """The client tries once more, then shows that it was refused, in the model's own words; `-c` goes on."""
    async with harness() as here:
        run = await here.desk.ask("Do harm. [[refuse]]")
        after = await here.desk.ask("Then be kind. [[text]]", "-c")

        assert (run.final["is_error"], run.final["stop_reason"]) == (True, "refusal")
        assert "safeguards flagged this message" in run.final["result"]
        (event,) = [event for event in run.events if event.get("subtype") == "model_refusal_no_fallback"]
        assert event["api_refusal_explanation"] == "I'm sorry, but I can't help with that."
        assert after.final["result"].startswith(GREETING)
        assert [exchange.status for exchange in here.upstream.messages] == [200, 200, 200]
        here.audit()


async def test_an_answer_cut_short_is_continued() -> None:
    """When the upstream stops for its limit of tokens, the client asks it to go on, behind what it has said so far."""
    async with harness() as here:
        run = await here.desk.ask("Tell all. [[max]]")

        assert run.final["is_error"] is False
        assert GREETING in run.final["result"]
        cut, rest = here.upstream.messages
        said = [item["content"][0]["text"] for item in cut.output if item["type"] == "message"]
        assert [text for item in rest.input if item.get("role") == "assistant" for text in texts_of(item)] == said
        assert rest.input[: len(cut.input)] == cut.input
        here.audit()
