"""The emulator as an httpx transport."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import openai
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from pipeline.emulator import EmulatorTransport
from pipeline.emulator.scenarios import GREETING
from tests.pipeline.emulator.talk import asked

_URL = "https://upstream.example/base/v1"


@pytest.fixture
def transport() -> EmulatorTransport:
    """Make an emulator that tells without delay."""
    return EmulatorTransport(delay=0)


@pytest.fixture
async def client(transport: EmulatorTransport) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client on it."""
    async with httpx.AsyncClient(transport=transport, base_url=_URL) as client:
        yield client


async def test_a_stream_comes_event_by_event(client: httpx.AsyncClient, transport: EmulatorTransport) -> None:
    """Each chunk is one event, the stream is open while it is read, and closed after it."""
    async with client.stream("POST", "responses", json=asked("[[text]]", stream=True)) as response:
        assert transport.open_streams == 1
        chunks = [chunk async for chunk in response.aiter_raw()]

    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert all(chunk.startswith(b"event: response.") and chunk.count(b"\n\n") == 1 for chunk in chunks)
    assert transport.open_streams == 0


async def test_a_reader_who_leaves_closes_the_stream(transport: EmulatorTransport) -> None:
    """Left in the middle, nothing stays open, and nothing more comes."""
    request = httpx.Request("POST", f"{_URL}/responses", json=asked("[[long]]", stream=True))
    response = await transport.handle_async_request(request)
    assert isinstance(response.stream, httpx.AsyncByteStream)
    stream = aiter(response.stream)
    assert await anext(stream)
    assert transport.open_streams == 1
    await response.stream.aclose()

    assert transport.open_streams == 0
    assert await anext(stream, None) is None


async def test_a_cancelled_reader_closes_the_stream(client: httpx.AsyncClient, transport: EmulatorTransport) -> None:
    """Cancelled while it waits for a silent upstream, nothing stays open."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: client.post("responses", json=asked("[[silence 900]]", stream=True)))
        await wait_all_tasks_blocked()
        assert transport.open_streams == 1
        nursery.cancel_scope.cancel()

    assert transport.open_streams == 0


@pytest.mark.parametrize(
    ("prompt", "seconds"), [("[[long 50]]", 0.5), ("[[slow 2]]", 2.0 * len(GREETING.split())), ("[[silence 30]]", 30.0)]
)
@pytest.mark.parametrize("stream", [True, False])
async def test_pauses(prompt: str, seconds: float, *, stream: bool, autojump_clock: MockClock) -> None:
    """Deltas come at the sender's pace or at the cue's; silence is kept; a plain answer waits for cues only."""
    assert autojump_clock.autojump_threshold == 0
    begun = trio.current_time()
    async with httpx.AsyncClient(transport=EmulatorTransport(delay=0.01)) as client:
        await client.post(f"{_URL}/responses", json=asked(prompt, stream=stream))

    passed = trio.current_time() - begun
    expected = 0.0 if not stream and prompt.startswith("[[long") else seconds
    assert passed == pytest.approx(expected, abs=0.6 if prompt.startswith("[[silence") else 0.01)


async def test_requests_are_remembered(client: httpx.AsyncClient, transport: EmulatorTransport) -> None:
    """Bodies stay for whoever tests what was sent: answers and counts apart, refused ones too."""
    await client.post("responses", json=asked("one"))
    await client.post("responses", json={"model": "m"})
    await client.post("responses/input_tokens", json={"model": "m", "input": "two"})

    assert [request.get("input") for request in transport.requests] == [asked("one")["input"], None]
    assert transport.counted == [{"model": "m", "input": "two"}]


async def test_the_official_client_is_served() -> None:
    """The openai SDK streams, asks, counts and lists models as it does with the real thing."""
    http = httpx.AsyncClient(transport=EmulatorTransport(delay=0))
    async with openai.AsyncOpenAI(api_key="k", base_url=_URL, http_client=http, max_retries=0) as client:  # type: ignore[arg-type,unused-ignore]
        async with client.responses.stream(model="gpt-6.2-sol", input="[[think]]") as stream:
            async for _ in stream:
                pass
            final = await stream.get_final_response()
        with pytest.raises(openai.RateLimitError):
            await client.responses.create(model="gpt-6.2-sol", input="[[error 429]]")
        count = await client.responses.input_tokens.count(model="gpt-6.2-sol", input="hello")
        models = [model.id async for model in client.models.list()]

    assert final.output_text == GREETING
    assert count.input_tokens > 0
    assert "gpt-6.2-sol" in models
