"""A real engine behind dragoman: llama.cpp, with a tokenizer, slots and cancellation of its own. `make engines`."""

from __future__ import annotations

import signal
from functools import partial
from typing import Any

import pytest
import trio

from pipeline.upstream.http1.transport import HttptoolsTransport
from tests.support.claude import VERSIONS
from tests.support.in_front import OLDER, desk_or_skip, dragoman
from tests.support.plain_client import BASH, ask, client, question
from tests.support.recorder import Recorder

pytestmark = pytest.mark.engine

HELLO = "Hello from the Markov model."

AT_ONCE = 10.0
"""Seconds within which the engine must have stopped for a client that has left; its answer would take longer."""

STREAMED = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])


@STREAMED
async def test_text(markov: str, *, stream: bool) -> None:
    """The engine's words arrive, with its own count of tokens."""
    async with dragoman(markov) as url:
        said = await ask(url, question("Hi"), stream=stream)

    assert said.streamed is stream
    assert said.texts() == [HELLO]
    assert said.stop_reason == "end_turn"
    assert said.usage["output_tokens"] > 5


@STREAMED
async def test_a_tool_loop(markov: str, *, stream: bool) -> None:
    """A call arrives with arguments that fit, and its result may be sent back."""
    async with dragoman(markov) as url:
        first = await ask(url, question("[[call]] please", tools=[BASH]), stream=stream)
        (call,) = [block for block in first.content if block["type"] == "tool_use"]
        result = {"type": "tool_result", "tool_use_id": call["id"], "content": "a.txt"}
        answered = question("[[call]] please", tools=[BASH])
        answered["messages"] += [_assistant(first.content), {"role": "user", "content": [result]}]
        second = await ask(url, answered, stream=stream)

    assert first.calls() == [("Bash", {"command": "ls"})]
    assert first.stop_reason == "tool_use"
    assert second.texts() == [HELLO]


@STREAMED
async def test_thinking_is_shown_and_goes_back(markov: str, *, stream: bool) -> None:
    """Reasoning becomes a thinking block, and the engine, which wants its text, takes it back."""
    async with dragoman(markov) as url:
        asked = question("[[think]] hard", thinking={"type": "adaptive"})
        first = await ask(url, asked, stream=stream)
        asked["messages"] += [_assistant(first.content), {"role": "user", "content": "And?"}]
        second = await ask(url, asked, stream=stream)

    assert [block["type"] for block in first.content] == ["thinking", "text"]
    assert first.texts("thinking")[0]
    assert second.status == 200
    assert second.texts() == [HELLO]
    assert second.usage["input_tokens"] + second.usage["cache_read_input_tokens"] > 0


def _assistant(content: list[dict[str, Any]]) -> dict[str, Any]:
    known = ("type", "text", "thinking", "signature", "id", "name", "input")
    return {"role": "assistant", "content": [{k: b[k] for k in known if k in b} for b in content]}


async def test_tokens_are_counted_by_the_engine(markov: str) -> None:
    """The count before a request is the engine's own number after it."""
    request = question("How many tokens are there in this sentence, and in the tool?", tools=[BASH])
    counted = {name: request[name] for name in ("model", "messages", "tools")}
    async with dragoman(markov) as url:
        async with client() as http:
            count = (await http.post(f"{url}/v1/messages/count_tokens", json=counted)).json()
        said = await ask(url, request, stream=False)

    usage = said.usage
    told = usage["input_tokens"] + usage["cache_read_input_tokens"] + usage["cache_creation_input_tokens"]
    assert count == {"input_tokens": told}


async def test_a_full_context_is_an_error_that_clients_know(markov: str) -> None:
    """The engine's own words for it become the sentence on which Claude Code compacts, with the engine's numbers."""
    async with dragoman(markov) as url:
        said = await ask(url, question("word " * 70_000), stream=True)

    assert said.status == 400
    assert said.error is not None
    assert said.error["type"] == "invalid_request_error"
    assert said.error["message"].startswith("prompt is too long: 7")
    assert said.error["message"].endswith(" tokens > 65536 maximum")


async def test_leaving_without_a_stream_stops_the_engine(endless: str) -> None:
    """A client that waits for a whole answer and goes away frees the slot as well.

    The engine itself (b10434) computes an answer that is asked for whole to its end, so it is asked for a stream.
    """
    request = question("Go on for ever", max_tokens=60_000)
    async with dragoman(endless) as url, client() as http, trio.open_nursery() as nursery:
        nursery.start_soon(partial(http.post, f"{url}/v1/messages", json=request))
        with trio.fail_after(AT_ONCE):
            while not await working(endless):  # noqa: ASYNC110 - another program's state
                await trio.sleep(0.02)
        nursery.cancel_scope.cancel()
    await freed(endless)


async def test_leaving_stops_the_engine(endless: str) -> None:
    """A client that goes away in the middle of a stream frees the engine's slot at once."""
    request = question("Go on for ever", max_tokens=60_000, stream=True)
    async with dragoman(endless) as url, client() as http, trio.open_nursery() as nursery:

        async def read_on() -> None:
            async with http.stream("POST", f"{url}/v1/messages", json=request) as answer:
                async for chunk in answer.aiter_bytes():
                    if b"text_delta" in chunk:
                        reading.set()

        reading = trio.Event()
        nursery.start_soon(read_on)
        await reading.wait()
        assert await working(endless) == 1
        nursery.cancel_scope.cancel()
    await freed(endless)


@pytest.mark.client
async def test_interrupting_the_real_client_stops_the_engine(endless: str) -> None:
    """Ctrl-C in Claude Code, in the middle of an answer, frees the engine's slot at once.

    Older clients make side calls that do not stream, and those the engine computes to the end.
    """
    upstream = Recorder(HttptoolsTransport())
    async with dragoman(endless, upstream) as url:
        with desk_or_skip("latest", url) as seat:
            async with seat.started("Go on for ever") as process:
                with trio.fail_after(60):
                    while not _speaking(upstream):  # noqa: ASYNC110 - the recorder only records
                        await trio.sleep(0.02)
                assert await working(endless) >= 1
                process.send_signal(signal.SIGINT)
                await freed(endless)


@pytest.mark.client
@pytest.mark.parametrize("version", VERSIONS)
async def test_the_real_client_runs_a_tool_loop(markov: str, version: str) -> None:
    """Claude Code runs the command that the engine's model asks for, and tells what it says then."""
    async with dragoman(markov) as url:
        with desk_or_skip(version, url) as seat:
            (seat.work / "a file.txt").write_text("x")
            run = await seat.ask("[[call]] please", "--model", OLDER)

    results = {block["tool_use_id"]: str(block["content"]) for block in run.blocks("user", "tool_result")}
    calls = run.blocks("assistant", "tool_use")
    # With the tools of 1.0.128 the engine's model calls a neighbour of Bash as well, and Bash in the background.
    assert any("a file.txt" in results[call["id"]] for call in calls if call["name"] == "Bash")
    assert {call["id"] for call in calls} == set(results)
    assert run.final["result"] == HELLO


async def working(engine: str) -> int:
    """Count the engine's slots that are at work."""
    async with client() as http:
        slots = (await http.get(f"{engine}/slots")).json()
    return sum(slot["is_processing"] for slot in slots)


async def freed(engine: str) -> None:
    """Wait until no slot is at work: it must be at once."""
    with trio.fail_after(AT_ONCE):
        while await working(engine):  # noqa: ASYNC110 - another program's state
            await trio.sleep(0.02)


def _speaking(upstream: Recorder) -> bool:
    return any(b"output_text.delta" in exchange.answer for exchange in upstream.messages)
