"""The real Claude Code, from npm, works through dragoman on the emulator: `make client`.

One client runs at a time. Every test runs for each version in `tests.support.claude.VERSIONS`.
"""

from __future__ import annotations

import base64
import math
import signal
from itertools import pairwise
from typing import Any

import attrs
import httpx
import pytest
import trio

from pipeline.emulator import EmulatorTransport
from pipeline.settings import Settings, UpstreamSettings
from stages.wire import json
from tests.support.claude import VERSIONS, Run, install
from tests.support.client_harness import conversations, harness
from tests.support.directives import bash, cue
from tests.support.npm import Unavailable
from tests.support.readable import png
from tests.support.recorder import Exchange
from tests.support.waiting import until

pytestmark = pytest.mark.client

SETTINGS = Settings(upstream=UpstreamSettings(url="emulator"), log_level="error")
THINKING = {"MAX_THINKING_TOKENS": "8000"}
"""Asks the old clients for what the new one does by itself."""

AT_ONCE = 1.0
"""Seconds within which an upstream must be free after its client has left; the answer would take half a minute."""


@pytest.fixture(params=VERSIONS, scope="module")
def version(request: pytest.FixtureRequest) -> str:
    """Give each version in turn, installed; skip where npm has none."""
    try:
        install(request.param)
    except Unavailable as reason:
        pytest.skip(str(reason))
    return str(request.param)


def assert_worked(run: Run, tools: list[str]) -> list[Any]:
    """The run called these tools, each with a result that is no error, and ended well; give the results in order."""
    called = run.blocks("assistant", "tool_use")
    answered = {block["tool_use_id"]: block for block in run.blocks("user", "tool_result")}
    assert [block["name"] for block in called] == tools
    assert set(answered) == {block["id"] for block in called}
    assert not any(block.get("is_error") for block in answered.values())
    assert run.final["result"] == f"Done. {len(tools)} tool results came back."
    return [answered[block["id"]]["content"] for block in called]


def reasoning(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Pick what reasoning is made of, out of items on their way up or down; ids stay with the upstream."""
    return [
        {field: item[field] for field in ("summary", "encrypted_content")}
        for item in items
        if item["type"] == "reasoning"
    ]


def assert_reasoning_returns(conversation: list[Exchange]) -> None:
    """What the upstream thought in one turn comes back in the next request, in place and to the byte."""
    assert all(reasoning(exchange.output) for exchange in conversation), "the script thinks in every turn"
    for earlier, later in pairwise(conversation):
        assert reasoning(later.input[len(earlier.input) :]) == reasoning(earlier.output)


async def test_a_task_of_several_turns_and_its_sequel(version: str) -> None:
    """Write, read and edit change a real file; `-c` continues with parallel calls, and nothing was lost or moved."""
    async with harness(version, SETTINGS, EmulatorTransport(delay=0)) as here:
        poem = here.desk.work / "poem.txt"
        steps = [
            cue("Write", file_path=str(poem), content="roses\nviolets\n"),
            cue("Read", file_path=str(poem)),
            "[think]+" + cue("Edit", file_path=str(poem), old_string="violets", new_string="daisies"),
        ]
        run = await here.desk.ask("Please: " + " ".join(f"[{step}]" for step in steps), environment=THINKING)

        assert poem.read_text() == "roses\ndaisies\n"
        assert_worked(run, ["Write", "Read", "Edit"])
        before = here.about("Please:")
        assert len(before) == 4

        # The parallel calls come last, since 2.0.77 itself forgets one of two when it continues.
        steps = ["[think]+" + bash("wc -l < poem.txt"), bash("cat poem.txt") + "+" + bash("echo too > second.txt")]
        prompt = "Go on: " + " ".join(f"[{step}]" for step in steps)
        run = await here.desk.ask(prompt, "-c", environment=THINKING)

        assert (here.desk.work / "second.txt").read_text() == "too\n"
        told = assert_worked(run, ["Bash", "Bash", "Bash"])
        assert told[:2] == ["2", "roses\ndaisies"]
        after = here.about("Go on:")
        assert len(after) == 3
        assert before + after in conversations(here.upstream.messages)
        assert_reasoning_returns(before + after)
        here.audit()


async def test_a_subagent_works(version: str) -> None:
    """A subagent has a conversation of its own, changes a file, and its report reaches the one that sent it."""
    async with harness(version, SETTINGS, EmulatorTransport(delay=0)) as here:
        run = await here.desk.ask(f"Send somebody. [[agent Dig deep. [{bash('echo deep > deep.txt')}]]]")

        assert (here.desk.work / "deep.txt").read_text() == "deep\n"
        assert not run.final["is_error"]
        outer, inner = here.about("Send somebody."), here.about("Dig deep.")
        inner = [each for each in inner if each not in outer]
        assert len(inner) == 2
        assert "Done. 1 tool result came back." in json.encode(outer[-1].input).decode()
        here.audit()


async def test_leaving_in_mid_stream_frees_the_upstream(version: str) -> None:
    """Ctrl-C while an answer is streamed closes the upstream's connection at once."""
    emulator = EmulatorTransport(delay=0)
    async with harness(version, SETTINGS, emulator) as here, here.desk.started("Take your time. [[slow 1]]") as client:
        with trio.fail_after(60):
            # What another program does sets no event of ours.
            while not any(b'.delta"' in each.answer for each in here.about("Take your time.")):  # noqa: ASYNC110
                await trio.sleep(0.05)
        assert emulator.open_streams >= 1
        client.send_signal(signal.SIGINT)
        with trio.fail_after(AT_ONCE):
            await until(lambda: not emulator.open_streams)
        assert b"response.completed" not in here.about("Take your time.")[-1].answer


async def test_a_picture_is_seen(version: str) -> None:
    """A picture that the client reads reaches the upstream as one, byte for byte."""
    picture = png(8, 8)
    async with harness(version, SETTINGS, EmulatorTransport(delay=0)) as here:
        path = here.desk.work / "square.png"
        path.write_bytes(picture)
        run = await here.desk.ask(f"Look. [{cue('Read', file_path=str(path))}]")

        assert run.final["result"] == "Done. 1 tool result came back."
        sent = [part for item in here.about("Look.")[-1].input for part in shown(item)]
        assert [part["image_url"] for part in sent] == [f"data:image/png;base64,{base64.b64encode(picture).decode()}"]
        here.audit()


def shown(item: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the pictures of an input item: of a message, or of a call's output."""
    content = item.get("content") or item.get("output")
    return [part for part in content if part["type"] == "input_image"] if isinstance(content, list) else []


async def test_an_error_is_told_in_words(version: str) -> None:
    """What the upstream refused for good is shown to the person, not retried for minutes."""
    async with harness(version, SETTINGS, EmulatorTransport(delay=0)) as here:
        run = await here.desk.ask("Try. [[error 403]]")

        assert run.final["is_error"]
        assert "403" in run.final["result"]
        assert run.returncode == 1


async def test_a_prompt_that_is_too_long_is_known_as_such(version: str) -> None:
    """The upstream's overflow reaches the client in the sentence that it knows."""
    async with harness(version, SETTINGS, EmulatorTransport(delay=0)) as here:
        run = await here.desk.ask("Read all. [[overflow]]")

        assert run.final["is_error"]
        assert run.final["result"].startswith("Prompt is too long")


@attrs.define
class Narrow(httpx.AsyncBaseTransport):
    """An upstream that refuses what is too long for it.

    Attributes:
        inner: answers the rest.
        most: bytes of the longest body that it takes.
        first: bytes of the first body it got.
    """

    inner: httpx.AsyncBaseTransport
    most: float = math.inf
    first: int = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer in OpenAI's words where the request is too long."""
        size = len(await request.aread())
        self.first = self.first or size
        if size <= self.most:
            return await self.inner.handle_async_request(request)
        error = {
            "message": "Your input exceeds the context window of this model. Please adjust your input and try again.",
            "type": "invalid_request_error",
            "param": "input",
            "code": "context_length_exceeded",
        }
        return httpx.Response(400, json={"error": error})


async def test_a_full_window_is_compacted_and_the_task_goes_on() -> None:
    """When the upstream refuses a long conversation, today's client makes it shorter and finishes what was asked."""
    try:
        install("latest")
    except Unavailable as reason:
        pytest.skip(str(reason))
    narrow = Narrow(EmulatorTransport(delay=0))
    async with harness("latest", SETTINGS, narrow) as here:
        await here.desk.ask("First. [[long 4000]]")
        await here.desk.ask("Second, plainly.", "-c")
        await here.desk.ask("Third, as plainly.", "-c")
        narrow.most = narrow.first + 20_000  # less than the first answer alone
        run = await here.desk.ask(f"Fourth. [{bash('echo resumed > proof.txt')}]", "-c")

        assert (here.desk.work / "proof.txt").read_text() == "resumed\n"
        assert run.final["result"] == "Done. 1 tool result came back."
        statuses = [exchange.status for exchange in here.upstream.messages]
        assert statuses[:4] == [200, 200, 200, 400]
        assert statuses[-2:] == [200, 200]
        assert any(event.get("subtype") == "compact_boundary" for event in run.events)
        here.judge()
