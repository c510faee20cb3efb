"""Anthropic's own client, unchanged, over a real socket: what it asks is answered, and its types hold the answers.

The client is the synchronous one, in a thread, because that is the one whose sockets and retries are its own.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import anthropic
import pytest
import trio

from pipeline.emulator import EmulatorTransport
from pipeline.emulator.scenarios import GREETING, THOUGHTS
from pipeline.settings import Settings, UpstreamSettings
from pipeline.settings.client_keys import client_keys
from tests.support.process import PATIENCE
from tests.support.serving import serving
from tests.support.waiting import until

T = TypeVar("T")
KEY = "sk-of-a-client"
SETTINGS = Settings(
    upstream=UpstreamSettings(url="emulator", retries=0), client_keys=client_keys([KEY]), log_level="error"
)
MODEL = "claude-sonnet-5-5"
PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()
WEATHER: Any = {
    "name": "get_weather",
    "description": "Tell the weather of a place.",
    "input_schema": {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]},
}

Sdk = Callable[[Callable[[anthropic.Anthropic], T]], Any]
"""Runs a function with a client in a thread, and gives what it returns."""


@asynccontextmanager
async def sdk(
    key: str = KEY, transport: EmulatorTransport | None = None, settings: Settings = SETTINGS
) -> AsyncIterator[Sdk[Any]]:
    """Serve the emulator, and give a way to use the client on it; it retries nothing."""
    async with serving(settings, transport or EmulatorTransport(delay=0)) as url:

        async def use(talk: Callable[[anthropic.Anthropic], T]) -> T:
            def talking() -> T:
                with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=PATIENCE) as client:
                    return talk(client)

            return await trio.to_thread.run_sync(talking)

        yield use


def said(words: Any) -> Any:
    """A conversation of one message."""
    return [{"role": "user", "content": words}]


async def test_create() -> None:
    """A whole message, with usage and its request's id."""
    async with sdk() as use:
        message = await use(lambda c: c.messages.create(model=MODEL, max_tokens=500, messages=said("[[text]]")))

    assert message.content[-1].text == GREETING
    assert message.stop_reason == "end_turn"
    assert message.model == MODEL
    usage = message.usage
    assert usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens > 0
    assert usage.output_tokens > 0
    assert message._request_id.startswith("req_")


async def test_stream() -> None:
    """A stream: its text as it comes, and the message that it adds up to."""

    def talk(client: anthropic.Anthropic) -> tuple[list[str], anthropic.types.Message]:
        with client.messages.stream(model=MODEL, max_tokens=500, messages=said("[[text]]")) as stream:
            return list(stream.text_stream), stream.get_final_message()

    async with sdk() as use:
        texts, message = await use(talk)

    assert len(texts) > 5
    assert "".join(texts) == message.content[-1].text == GREETING
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens > 0


async def test_raw_events() -> None:
    """The events themselves, with `stream=True`: a start, an end, blocks between them."""

    def talk(client: anthropic.Anthropic) -> list[str]:
        events = client.messages.create(model=MODEL, max_tokens=500, messages=said("[[unicode]]"), stream=True)
        return [event.type for event in events]

    async with sdk() as use:
        kinds = await use(talk)

    assert kinds[0] == "message_start"
    assert kinds[-2:] == ["message_delta", "message_stop"]
    assert kinds.count("content_block_start") == kinds.count("content_block_stop") > 0


@pytest.mark.parametrize("stream", [True, False])
async def test_tools(*, stream: bool) -> None:
    """A call, its result, and the answer that follows; the reasoning before the call travels along."""
    prompt = said('[[think]+[call:get_weather {"place": "Zürich 🙂"}]]')

    def turn(client: anthropic.Anthropic, messages: Any) -> anthropic.types.Message:
        asked: dict[str, Any] = {"model": MODEL, "max_tokens": 4000, "messages": messages, "tools": [WEATHER]}
        if not stream:
            whole: anthropic.types.Message = client.messages.create(**asked)
            return whole
        with client.messages.stream(**asked) as answer:
            message: anthropic.types.Message = answer.get_final_message()
            return message

    def talk(client: anthropic.Anthropic) -> tuple[anthropic.types.Message, anthropic.types.Message]:
        first = turn(client, prompt)
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": "sunny"}
            for block in first.content
            if block.type == "tool_use"
        ]
        after = [*prompt, {"role": "assistant", "content": first.content}, {"role": "user", "content": results}]
        return first, turn(client, after)

    async with sdk() as use:
        first, second = await use(talk)

    thought, *_, call = first.content
    assert thought.thinking == "\n\n".join(THOUGHTS)
    assert thought.signature
    assert (call.name, call.input) == ("get_weather", {"place": "Zürich 🙂"})
    assert first.stop_reason == "tool_use"
    assert second.content[-1].text == "Done. 1 tool result came back."
    assert second.stop_reason == "end_turn"


async def test_everything_that_goes_in() -> None:
    """Pictures, documents, system prompts, cache marks, thinking, a forced tool, stop sequences."""
    content = [
        {"type": "text", "text": "[[call]]", "cache_control": {"type": "ephemeral"}},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PICTURE}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "words"}, "title": "T"},
    ]
    async with sdk() as use:
        message = await use(
            lambda c: c.messages.create(
                model=MODEL,
                max_tokens=4000,
                system=[{"type": "text", "text": "Be brief."}],
                messages=said(content),
                tools=[WEATHER],
                tool_choice={"type": "any", "disable_parallel_tool_use": True},
                thinking={"type": "adaptive"},
                stop_sequences=["STOP"],
                metadata={"user_id": "somebody"},
            )
        )

    assert message.content[-1].type == "tool_use"
    assert message.content[-1].name == "get_weather"


async def test_count_tokens() -> None:
    """A number, which grows with the prompt."""

    def talk(client: anthropic.Anthropic) -> list[int]:
        prompts = ("one word", "one word " * 50)
        return [client.messages.count_tokens(model=MODEL, messages=said(p)).input_tokens for p in prompts]

    async with sdk() as use:
        few, many = await use(talk)

    assert 0 < few < few + 50 < many


async def test_models() -> None:
    """The list, page by page, holds each model once, and each can be asked for by itself."""

    def talk(client: anthropic.Anthropic) -> tuple[list[str], str]:
        ids = [model.id for model in client.models.list(limit=5)]
        return ids, client.models.retrieve(ids[-1]).id

    async with sdk() as use:
        ids, last = await use(talk)

    assert MODEL in ids
    assert len(ids) == len(set(ids)) > 10
    assert last == ids[-1]


FAILURES: dict[str, type[anthropic.APIStatusError]] = {
    "[[error 400]]": anthropic.BadRequestError,
    "[[error 401]]": anthropic.AuthenticationError,
    "[[error 403]]": anthropic.PermissionDeniedError,
    "[[error 404]]": anthropic.InternalServerError,  # a path that is not there; no model is missing
    "[[error 429]]": anthropic.RateLimitError,
    "[[error 500]]": anthropic.InternalServerError,
    "[[error 503]]": anthropic.InternalServerError,
}
"""What the upstream does, and the client's own exception for it."""


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("cue", FAILURES)
async def test_errors(cue: str, *, stream: bool) -> None:
    """Each is raised as the class that programs catch, with an id to quote, before any event of a stream."""

    def talk(client: anthropic.Anthropic) -> anthropic.APIStatusError:
        with pytest.raises(anthropic.APIStatusError) as caught:
            client.messages.create(model=MODEL, max_tokens=500, messages=said(cue), stream=stream)
        return caught.value

    async with sdk() as use:
        error = await use(talk)

    assert isinstance(error, FAILURES[cue])
    assert str(error.request_id).startswith("req_")
    assert isinstance(error.body, dict)
    assert error.body["error"]["message"]


async def test_a_wrong_key() -> None:
    """The client's own key is checked before anything else."""

    def talk(client: anthropic.Anthropic) -> None:
        with pytest.raises(anthropic.AuthenticationError):
            client.messages.create(model=MODEL, max_tokens=500, messages=said("hi"))

    async with sdk("sk-of-nobody") as use:
        await use(talk)


async def test_an_error_in_a_stream() -> None:
    """After the first words an error can only be an event; the client raises it all the same."""

    def talk(client: anthropic.Anthropic) -> list[str]:
        words: list[str] = []
        with (
            client.messages.stream(model=MODEL, max_tokens=500, messages=said("[[cut]]")) as stream,
            pytest.raises(anthropic.APIError, match="before the response was complete"),
        ):
            words.extend(stream.text_stream)
        return words

    async with sdk() as use:
        assert await use(talk)


async def test_a_client_that_stops_in_the_middle() -> None:
    """Leaving a stream early ends the upstream's answer as well, and the next request works."""
    transport = EmulatorTransport(delay=0)

    def talk(url: str) -> str:
        with anthropic.Anthropic(base_url=url, api_key=KEY, max_retries=0, timeout=PATIENCE) as client:
            with client.messages.stream(model=MODEL, max_tokens=500, messages=said("[[long 5000]]")) as stream:
                next(iter(stream.text_stream))
            return str(client.messages.create(model=MODEL, max_tokens=500, messages=said("[[text]]")).stop_reason)

    async with serving(SETTINGS, transport) as url:
        assert await trio.to_thread.run_sync(talk, url) == "end_turn"
        await until(lambda: transport.open_streams == 0)


def looked(place: str) -> str:
    """Look at a place.

    Args:
        place: where.
    """
    return f"It rains in {place}."


async def test_a_runner_that_compacts() -> None:
    """The SDK's own runner has the conversation summed up between two turns, and goes on from the summary."""

    def talk(client: anthropic.Anthropic) -> list[Any]:
        runner = client.beta.messages.tool_runner(
            model=MODEL,
            max_tokens=500,
            tools=[anthropic.beta_tool(looked)],
            messages=said('[[call:looked {"place": "Ulm"}]]'),
            betas=["compact-2026-09-04"],
        )
        told = []
        for message in runner:
            told.append(message)
            if len(told) == 1:
                runner.compact_before_next_turn({"type": "summarize", "instructions": "[[say It rains in Ulm.]]"})
        return told

    async with sdk() as use:
        called, summed_up, *rest = await use(talk)

    assert called.stop_reason == "tool_use"
    assert summed_up.stop_reason == "compaction"
    assert [block.type for block in summed_up.content] == ["compaction"]
    assert summed_up.content[0].content == "It rains in Ulm."
    assert [message.stop_reason for message in rest] == ["end_turn"]


def measured(place: str) -> str:
    """Measure the rain.

    Args:
        place: where.
    """
    return f"9 mm in {place}."


@pytest.mark.parametrize("model", [MODEL, "gpt-5.4"])  # one takes tools in the middle, the other does not
async def test_a_runner_that_adds_and_removes_tools(model: str) -> None:
    """The SDK's own runner gives the model a tool that it calls, and takes one away that is called no more."""

    def talk(client: anthropic.Anthropic) -> list[list[str]]:
        runner = client.beta.messages.tool_runner(
            model=model,
            max_tokens=500,
            tools=[anthropic.beta_tool(looked)],
            messages=said('[[call:looked {"place": "Ulm"}]] [[call:measured {"place": "Ulm"}]] [[call]]'),
            betas=["inline-tools-2026-09-15"],
        )
        told = []
        for message in runner:
            told.append([block.name for block in message.content if block.type == "tool_use"])
            if len(told) == 1:
                runner.add_tools(anthropic.beta_tool(measured))
            if len(told) == 2:
                runner.remove_tools("looked")
        return told

    async with sdk() as use:
        told = await use(talk)

    assert told[:3] == [["looked"], ["measured"], ["measured"]]


@pytest.mark.parametrize(
    "model", [MODEL, "gpt-5.4"]
)  # one prepares its cache when it is asked to, the other must answer
async def test_a_cache_that_is_warmed(model: str) -> None:
    """Nothing is said, and the next answer finds the prompt in the cache."""

    def talk(client: anthropic.Anthropic) -> list[anthropic.types.Message]:
        asked: Any = {"model": model, "messages": said("[[text]] " + "word " * 400)}
        return [client.messages.create(max_tokens=most, **asked) for most in (0, 500)]

    async with sdk() as use:
        warming, real = await use(talk)

    assert (warming.content, warming.stop_reason) == ([], "max_tokens")
    assert warming.usage.output_tokens <= (0 if model == MODEL else 16)
    assert not warming.usage.cache_read_input_tokens
    assert (real.usage.cache_read_input_tokens or 0) > 300
    assert real.content[-1].text == GREETING
