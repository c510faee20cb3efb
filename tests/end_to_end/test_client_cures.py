"""What the real Claude Code does by itself when it is refused in the words that it knows: `make client`.

The counts are those of `docs/facts/claude-code.md`: without these words each is six requests and a dead turn.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pipeline.emulator import EmulatorTransport
from pipeline.settings import Settings, UpstreamSettings
from stages.wire import json
from tests.support.client_harness import ClientHarness, harness
from tests.support.directives import cue
from tests.support.readable import PDF, png
from tests.support.refusing import Strict

pytestmark = pytest.mark.client

SETTINGS = Settings(upstream=UpstreamSettings(url="emulator"), models={"claude": "gpt-5"}, log_level="error")
WINDOW, PROMPT = 65_536, 40_000
"""Tokens of a small model's window, and of the prompt, as the server counts it."""

Error = Callable[[dict[str, Any]], dict[str, Any] | None]


def where(holds: Callable[[dict[str, Any]], object], error: dict[str, Any]) -> Error:
    """Refuse the requests of which something holds."""
    return lambda body: error if holds(body) else None


def mentions(kind: str) -> Callable[[dict[str, Any]], bool]:
    """Whether a part of a type stands in a request."""
    sought = f'"type":"{kind}"'.encode()
    return lambda body: sought in json.encode(body["input"])


def too_large_together(body: dict[str, Any]) -> dict[str, Any] | None:
    """Refuse an answer that does not fit beside the prompt, in vLLM's words."""
    asked = body["max_output_tokens"]
    if PROMPT + asked <= WINDOW:
        return None
    words = (
        f"This model's maximum context length is {WINDOW} tokens. However, you requested {asked} output tokens and "
        f"your prompt contains {PROMPT} input tokens. Please reduce the length of either."
    )
    return {"error": {"message": words, "type": "BadRequestError", "param": None, "code": 400}}


@asynccontextmanager
async def refusing(error: Error) -> AsyncIterator[ClientHarness]:
    """A desk before an upstream that refuses."""
    async with harness("latest", SETTINGS, Strict(EmulatorTransport(delay=0), error)) as here:
        yield here


TALK = ("First. [[long 4000]]", "Second, plainly.", "Third, as plainly.")
KEPT = (
    "Trying to keep the first 12345 tokens when context the overflows. However, the model is loaded with context "
    "length of only 4096 tokens, which is not enough."
)
PICTURE_REFUSED = {"error": {"message": "The image data you provided does not represent a valid image.", "code": None}}
PDF_REFUSED = {
    "error": {"message": "The PDF is encrypted and cannot be read.", "param": "input[2].output", "code": None}
}


@pytest.mark.parametrize(
    ("name", "content", "kind", "error"),
    [("a.png", png(8, 8), "input_image", PICTURE_REFUSED), ("a.pdf", PDF, "input_file", PDF_REFUSED)],
    ids=["picture", "document"],
)
async def test_what_cannot_be_read_is_taken_out(name: str, content: bytes, kind: str, error: dict[str, Any]) -> None:
    """Three requests: the one that has it read, the one that is refused, and the one without it."""
    async with refusing(where(mentions(kind), error)) as here:
        path = here.desk.work / name
        path.write_bytes(content)
        run = await here.desk.ask(f"Look. [{cue('Read', file_path=str(path))}]")

        assert run.final["is_error"] is False, run.final["result"]
        assert [exchange.status for exchange in here.about("Look.")] == [200, 400, 200]


async def test_an_overflow_in_lm_studios_words() -> None:
    """The client compacts, and finishes what was asked."""
    sizes: list[int] = []

    def long(body: dict[str, Any]) -> bool:
        sizes.append(len(json.encode(body)))
        return len(sizes) > len(TALK) and sizes[-1] > sizes[0] + 20_000  # less than the first answer alone

    async with refusing(where(long, {"error": KEPT})) as here:
        for at, prompt in enumerate(TALK):
            await here.desk.ask(prompt, *(["-c"] if at else []))
        run = await here.desk.ask("Then go on.", "-c")

        assert run.final["is_error"] is False, run.final["result"]
        assert any(event.get("subtype") == "compact_boundary" for event in run.events)
        statuses = [exchange.status for exchange in here.upstream.messages[len(TALK) :]]
        assert (statuses[0], statuses[-2:]) == (400, [200, 200])  # between them, attempts at the summary


async def test_an_answer_that_does_not_fit_beside_the_prompt() -> None:
    """The client asks for a shorter answer, in one step."""
    async with refusing(too_large_together) as here:
        run = await here.desk.ask("Hello.")

        assert run.final["is_error"] is False, run.final["result"]
        assert [exchange.status for exchange in here.upstream.messages] == [400, 200]
        assert here.upstream.messages[1].request["max_output_tokens"] <= WINDOW - PROMPT


async def test_a_policy_is_one_request() -> None:
    """The person reads the upstream's sentence, and nobody asks again."""
    words = "Invalid prompt: your prompt was flagged as potentially violating our usage policy."
    error = {"error": {"message": words, "type": "invalid_request_error", "code": "invalid_prompt"}}
    async with refusing(where(bool, error)) as here:
        run = await here.desk.ask("Hello.")

        assert run.final["is_error"] is True
        assert "usage policy" in run.final["result"]
        assert [exchange.status for exchange in here.upstream.messages] == [400]


async def test_an_organisation_that_is_not_verified() -> None:
    """It gets its answers without summaries of thoughts; one request alone is refused, in the whole session."""
    words = "Your organization must be verified to generate reasoning summaries."
    error = {"error": {"message": words, "type": "invalid_request_error", "param": "reasoning.summary"}}
    async with refusing(where(lambda body: "summary" in body.get("reasoning", {}), error)) as here:
        runs = [await here.desk.ask("Hello."), await here.desk.ask("Again.", "-c")]

        assert [run.final["is_error"] for run in runs] == [False, False]
        statuses = [exchange.status for exchange in here.upstream.messages]
        assert statuses.count(400) <= 1
        assert statuses[-2:] == [200, 200]
