"""The real Claude Code, from npm, works through dragoman: `make client`.

The upstream is the emulator, in process, so that all the client made of its answers can be looked at: the files it
changed, what it says of the run, and what it sent next.
"""

from __future__ import annotations

import base64
import signal
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs
import httpx
import pytest
import trio

from pipeline.config import Settings, UpstreamSettings
from pipeline.emulator import EmulatorTransport
from stages.wire import json
from tests.support.claude import VERSIONS, Desk, Unavailable, desk
from tests.support.conversations import Conversation, conversations
from tests.support.recorder import Recorder
from tests.support.serving import serving

pytestmark = [pytest.mark.client, pytest.mark.filterwarnings("ignore::ResourceWarning")]

THINK = {"MAX_THINKING_TOKENS": "4096"}
"""Old clients think only when they are told to."""


@attrs.frozen
class Station:
    """A client at its desk, and the upstream behind dragoman."""

    desk: Desk
    upstream: Recorder
    emulator: EmulatorTransport

    def main(self, prompt: str) -> Conversation:
        """Find the one conversation with tools that began with a prompt: there must not be two."""
        first = json.encode(prompt).decode()[1:-1]
        found = [talk for talk in conversations(self.upstream.messages) if talk.tools and first in talk.beginning]
        assert len(found) == 1, "the prompt was sent as the beginning of more than one conversation"
        return found[0]


@asynccontextmanager
async def station(version: str, *, delay: float = 0) -> AsyncIterator[Station]:
    """Set all up for one version; at the end nothing may be left of any request, and none may have broken the law."""
    emulator = EmulatorTransport(delay)
    upstream = Recorder(emulator)
    async with serving(Settings(upstream=UpstreamSettings(url="emulator"), log_level="error"), upstream) as url:
        try:
            with desk(version, url) as seat:
                yield Station(seat, upstream, emulator)
        except Unavailable as reason:
            pytest.skip(str(reason))
    assert emulator.open_streams == upstream.open == 0
    for talk in conversations(upstream.messages):
        assert talk.breach is None, f"{version}: {talk.breach}"


def step(tool: str, **arguments: Any) -> str:
    """Write one step of a cue: a call of a tool."""
    return f"[call:{tool} {json.encode(arguments).decode()}]"


def turns(*groups: list[str]) -> str:
    """Write a prompt of several turns, each a group of steps."""
    return " ".join(f"[{'+'.join(group)}]" for group in groups)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_task_with_tools(version: str) -> None:
    """Write, Read, Edit and two parallel calls of Bash really happen, and the upstream is told what came of them."""
    async with station(version) as at:
        path = at.desk.work / "poem.txt"
        prompt = turns(
            [step("Write", file_path=str(path), content="roses\nviolets\n")],
            [step("Read", file_path=str(path))],
            [step("Edit", file_path=str(path), old_string="violets", new_string="tulips ✿")],
            [step("Bash", command="wc -l poem.txt"), step("Bash", command="cat poem.txt; exit 3")],
        )
        run = await at.desk.ask(prompt, environment=THINK)

        called = [block["name"] for block in run.blocks("assistant", "tool_use")]
        failed = [str(block["content"]) for block in run.blocks("user", "tool_result") if block.get("is_error")]
        outputs = [str(item["output"]) for item in at.main(prompt).last("function_call_output")]
        assert path.read_text() == "roses\ntulips ✿\n"
        assert called == ["Write", "Read", "Edit", "Bash", "Bash"]
        assert run.final["result"] == "Done. 5 tool results came back."
        assert len(failed) == 1
        assert "roses\ntulips ✿" in failed[0]
        assert len(outputs) == 5
        assert sum("2 poem.txt" in output for output in outputs) == 1
        assert sum(output.startswith("[error]") for output in outputs) == 1
        assert [len(exchange.output) for exchange in at.main(prompt).requests] == [2, 2, 2, 3, 2]


ALONE = turns([step("Bash", command="echo one")], [step("Bash", command="echo two")])
PARALLEL = turns([step("Bash", command="echo one"), step("Bash", command="echo two")])


@pytest.mark.parametrize(
    ("version", "prompt"),
    # 2.0.77 forgets all but the last of parallel calls when it reads its own transcript again: its loss, not ours.
    [("latest", PARALLEL), ("latest", ALONE), ("2.0.77", ALONE), ("1.0.128", PARALLEL), ("1.0.128", ALONE)],
)
async def test_a_continuation(version: str, prompt: str) -> None:
    """With `-c` another process goes on: what it sends begins with all that was sent before, reasoning as it was."""
    async with station(version) as at:
        await at.desk.ask(prompt, environment=THINK)
        before = at.main(prompt).requests[-1]
        run = await at.desk.ask("And now [[think]]", "-c", environment=THINK)

        talk = at.main(prompt)
        reasoned = [item for exchange in talk.requests[:-1] for item in exchange.output if item["type"] == "reasoning"]
        assert run.final["result"].startswith("Hello from dragoman's emulator.")
        assert len(run.blocks("assistant", "thinking")) == 1
        assert talk.requests[-1].input[: len(before.input)] == before.input
        assert len(talk.requests[-1].input) == len(before.input) + len(before.output) + 1
        assert len(reasoned) == len(talk.requests) - 1
        assert [_kept(item) for item in talk.last("reasoning")] == [_kept(item) for item in reasoned]


def _kept(item: dict[str, Any]) -> dict[str, Any]:
    return {name: item[name] for name in ("summary", "encrypted_content")}


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_subagent(version: str) -> None:
    """A subagent runs its own conversation, with tools, and its answer comes back to the main one."""
    async with station(version) as at:
        errand = f"[{step('Bash', command='echo from the agent')}]"
        run = await at.desk.ask(f"Please [[agent {errand}]]")

        results = run.blocks("user", "tool_result")
        assert any(block["content"] == "from the agent" for block in results)
        agents = [block["id"] for block in run.blocks("assistant", "tool_use") if block["name"] in ("Agent", "Task")]
        assert len(agents) == 1
        assert agents[0] in [block["tool_use_id"] for block in results]
        assert not any(exchange.status != 200 for exchange in at.upstream.exchanges)
        errands = [talk for talk in conversations(at.upstream.messages) if "Please" not in talk.beginning]
        assert max(len(talk.requests) for talk in errands) == 2
        keys = {talk.requests[0].request["prompt_cache_key"] for talk in conversations(at.upstream.messages)}
        assert len(keys) >= (2 if version == "latest" else 1)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_picture(version: str) -> None:
    """A picture that the client reads reaches the upstream, byte for byte."""
    async with station(version) as at:
        path = at.desk.work / "picture.png"
        path.write_bytes(_png(40, 30))
        prompt = f"[{step('Read', file_path=str(path))}]"
        run = await at.desk.ask(prompt)

        assert run.final["result"] == "Done. 1 tool result came back."
        (output,) = at.main(prompt).last("function_call_output")
        (part,) = [part for part in output["output"] if part["type"] == "input_image"]
        head, _, data = part["image_url"].partition(",")
        assert head == "data:image/png;base64"
        assert base64.b64decode(data) == _png(40, 30)


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xff\x00\x7f" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("cue", ["[[slow 1]]", "[[silence 60]]"])
async def test_interrupting_frees_the_upstream(version: str, cue: str) -> None:
    """Ctrl-C in the middle of an answer, or before its first word, closes the upstream's stream at once."""
    async with station(version) as at:
        async with at.desk.started(cue) as process:
            with trio.fail_after(60):
                while not any(cue in exchange.input.__repr__() for exchange in _flowing(at.upstream)):
                    await trio.sleep(0.02)
            process.send_signal(signal.SIGINT)
            with trio.fail_after(2):
                while at.emulator.open_streams:
                    await trio.sleep(0.01)
                await process.wait()


def _flowing(upstream: Recorder) -> list[Any]:
    return [exchange for exchange in upstream.messages if exchange.open and exchange.answer]


@pytest.mark.parametrize(
    ("cue", "words", "requests"),
    [
        ("[[error 401]]", "Incorrect API key provided", 1),
        ("[[error 529]]", "Overloaded", 3),
        ("[[overflow]]", "Prompt is too long", 1),
        ("[[midstream-error]]", "Rate limit reached", 1),
        ("[[refuse]]", "safeguards flagged", 2),
    ],
)
async def test_errors_as_the_client_knows_them(cue: str, words: str, requests: int) -> None:
    """The client says what went wrong, and asks again no more often than it does with Anthropic's own errors."""
    async with station("latest") as at:
        run = await at.desk.ask(cue)

        assert run.final["is_error"] is True
        assert words in run.final["result"]
        assert len(at.upstream.messages) == requests


class OnceTooLong(EmulatorTransport):
    """An emulator whose window is full once: the first request that says `more` is refused for its length."""

    full = True

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Refuse, or answer as always."""
        if self.full and b"tell me more" in await request.aread():
            self.full = False
            error = {
                "message": "Your input exceeds the context window of this model.",
                "type": "invalid_request_error",
                "param": "input",
                "code": "context_length_exceeded",
            }
            return httpx.Response(400, json={"error": error})
        return await super().handle_async_request(request)


async def test_a_full_window_is_compacted() -> None:
    """When the upstream's window is full the client sums the conversation up by itself, and goes on."""
    emulator = OnceTooLong(0)
    upstream = Recorder(emulator)
    async with serving(Settings(upstream=UpstreamSettings(url="emulator"), log_level="error"), upstream) as url:
        try:
            with desk("latest", url) as seat:
                await seat.ask(f"Begin [[long 3000]] [{step('Bash', command='seq 2000')}]")
                await seat.ask("Go on", "-c")
                run = await seat.ask("Please tell me more", "-c")
        except Unavailable as reason:
            pytest.skip(str(reason))

    assert [exchange.status for exchange in upstream.messages if exchange.status != 200] == [400]
    assert run.final["result"].startswith("Hello from dragoman's emulator.")
    assert any(event.get("subtype") == "compact_boundary" for event in run.events)
