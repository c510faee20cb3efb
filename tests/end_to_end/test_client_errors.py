"""How the real Claude Code takes what goes wrong behind dragoman: `make client`."""

from __future__ import annotations

import signal

import httpx
import pytest
import trio

from pipeline.config import Settings, UpstreamSettings
from pipeline.emulator import EmulatorTransport
from tests.support.claude import Unavailable, install
from tests.support.office import office

pytestmark = pytest.mark.client

SETTINGS = Settings(upstream=UpstreamSettings(url="emulator"), log_level="error")


@pytest.fixture(scope="module", autouse=True)
def _newest() -> None:
    """Install the newest client: what it makes of errors is what most people see."""
    try:
        install("latest")
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(
    ("cue", "words", "requests"),
    [
        ("[[error 401]]", "Incorrect API key provided", 1),
        ("[[error 429 insufficient_quota]]", "You exceeded your current quota", 1),
        ("[[error 529]]", "Overloaded", 3),
        ("[[overflow]]", "Prompt is too long", 1),
        ("[[midstream-error]]", "Rate limit reached", 1),
        ("[[refuse]]", "safeguards flagged", 2),
    ],
)
async def test_it_says_what_is_wrong_and_asks_no_more_than_it_should(cue: str, words: str, requests: int) -> None:
    """The person reads the reason, and the client asks again no more often than it does with Anthropic's own errors."""
    async with office("latest", SETTINGS, EmulatorTransport(delay=0)) as here:
        run = await here.desk.ask(f"Try. {cue}")

        assert run.final["is_error"] is True
        assert words in run.final["result"]
        assert len(here.upstream.messages) == requests


async def test_interrupting_before_the_first_word_frees_the_upstream() -> None:
    """Ctrl-C while the upstream thinks, and nothing but signs of life has come, closes its connection at once."""
    emulator = EmulatorTransport(delay=0)
    async with office("latest", SETTINGS, emulator) as here, here.desk.started("Think. [[silence 60]]") as client:
        with trio.fail_after(60):
            while not here.about("Think."):  # noqa: ASYNC110 - the recorder only records
                await trio.sleep(0.05)
        await trio.sleep(0.5)
        assert emulator.open_streams == 1
        client.send_signal(signal.SIGINT)
        with trio.fail_after(1):
            while emulator.open_streams:  # noqa: ASYNC110 - the same
                await trio.sleep(0.01)


class OnceTooLong(EmulatorTransport):
    """An emulator whose window is full once, for the first request that says `tell me more`."""

    full = True

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Refuse in the upstream's words, or answer as always."""
        if not self.full or b"tell me more" not in await request.aread():
            return await super().handle_async_request(request)
        self.full = False
        error = {
            "message": "Your input exceeds the context window of this model. Please adjust your input and try again.",
            "type": "invalid_request_error",
            "param": "input",
            "code": "context_length_exceeded",
        }
        return httpx.Response(400, json={"error": error})


async def test_a_full_window_is_compacted() -> None:
    """When the upstream's window is full the client sums the conversation up by itself, and goes on."""
    async with office("latest", SETTINGS, OnceTooLong(delay=0)) as here:
        await here.desk.ask("Begin. [[long 3000]]")
        await here.desk.ask("Go on.", "-c")
        run = await here.desk.ask("Please tell me more.", "-c")

        assert [each.status for each in here.upstream.messages if each.status != 200] == [400]
        assert "compact_boundary" in [event.get("subtype") for event in run.events]
        assert run.final["result"].startswith("Hello from dragoman's emulator.")
