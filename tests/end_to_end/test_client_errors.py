"""How the real Claude Code takes what goes wrong behind dragoman: `make client`."""

from __future__ import annotations

import signal

import pytest
import trio

from pipeline.emulator import EmulatorTransport
from pipeline.settings import Settings, UpstreamSettings
from tests.support.claude import install
from tests.support.client_harness import harness
from tests.support.npm import Unavailable

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
    async with harness("latest", SETTINGS, EmulatorTransport(delay=0)) as here:
        run = await here.desk.ask(f"Try. {cue}")

        assert run.final["is_error"] is True
        assert words in run.final["result"]
        assert len(here.upstream.messages) == requests


async def test_interrupting_before_the_first_word_frees_the_upstream() -> None:
    """Ctrl-C while the upstream thinks, and nothing but signs of life has come, closes its connection at once."""
    emulator = EmulatorTransport(delay=0)
    async with harness("latest", SETTINGS, emulator) as here, here.desk.started("Think. [[silence 60]]") as client:
        with trio.fail_after(60):
            while not here.about("Think."):  # noqa: ASYNC110 - the recorder only records
                await trio.sleep(0.05)
        await trio.sleep(0.5)
        assert emulator.open_streams == 1
        client.send_signal(signal.SIGINT)
        with trio.fail_after(1):
            while emulator.open_streams:  # noqa: ASYNC110 - the same
                await trio.sleep(0.01)
