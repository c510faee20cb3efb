"""A prompt that cannot fit is refused in Anthropic's words, and no other is, and none that is small is held up."""

from __future__ import annotations

from typing import Any

import attrs
import httpx
import pytest
from structlog.testing import CapturingLogger

from pipeline.aside import Aside
from pipeline.endpoints import context_window
from pipeline.endpoints.application import application
from pipeline.endpoints.context import Context
from pipeline.endpoints.counting import upstream_count
from pipeline.tokenizer import Tokenizer
from stages.tables.model_registry import Described, ModelRegistry
from stages.tables.profiles import PROFILES
from tests.support.client import MemoryClient, Reply
from tests.support.running import context_of
from tests.support.upstream import Script, ScriptedUpstream, json_script
from tests.support.upstream_events import CREATED, completed, text

RESPONSES, COUNT = "/v1/responses", "/v1/responses/input_tokens"
GOOD = Script([CREATED, text("fine"), completed()])


def counted(tokens: Any) -> Script:
    """The upstream's word about a number of tokens."""
    return json_script({"object": "response.input_tokens", "input_tokens": tokens})


def failing(status: int, **error: Any) -> Script:
    """An upstream that will not count."""
    return json_script({"error": {"message": "No.", **error}}, status)


def prompt(tokens: int, model: str, **fields: Any) -> dict[str, Any]:
    """A prompt of about so many tokens, by the estimate and by any vocabulary."""
    sizes = [*[10_000] * (tokens // 10_000), tokens % 10_000]
    content = [{"type": "text", "text": " hello" * size} for size in sizes if size]
    said = [{"role": "user", "content": content}]
    return {"model": model, "max_tokens": 1000, "stream": True, "messages": said, **fields}


@pytest.fixture(autouse=True)
def _words(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vocabulary in which words are tokens."""
    monkeypatch.setattr("pipeline.tokenizer.SOURCES", {"words": lambda: lambda text: text.count(" hello")})


def with_words(context: Context) -> Context:
    """Give a service that vocabulary, in this process."""
    return attrs.evolve(context, tokenizer=Tokenizer("words", Aside(inline=2**40)))


async def ask(
    request: dict[str, Any],
    *scripts: Script | Exception,
    tokenizer: bool = False,
    profile: str = "openai",
    models: ModelRegistry | None = None,
) -> tuple[Reply, ScriptedUpstream, list[dict[str, Any]]]:
    """Ask; return the reply, the upstream, and the lines of the log."""
    upstream, log = ScriptedUpstream(*scripts), CapturingLogger()
    context = context_of(upstream, log=log)
    target = attrs.evolve(context.target, profile=PROFILES[profile], models=models or ModelRegistry())
    context = attrs.evolve(context, target=target)
    if tokenizer:
        context = with_words(context)
    reply = await MemoryClient(application(context)).messages(request)
    assert upstream.open == 0
    return reply, upstream, [call.kwargs for call in log.calls if "outcome" in call.kwargs]


def refused(reply: Reply, sentence: str) -> None:
    """Assert that a reply is the 400 on which Claude Code compacts, word for word."""
    assert reply.status == 400
    error = reply.json()["error"]
    assert (error["type"], error["message"]) == ("invalid_request_error", sentence)
    assert "x-should-retry" not in reply.headers


async def test_our_own_count_is_certain_where_the_vocabulary_is_the_models() -> None:
    """The texts alone are too many: refused, logged, and the upstream hears nothing."""
    reply, upstream, lines = await ask(prompt(300_000, "gpt-5"), GOOD, tokenizer=True)

    refused(reply, "prompt is too long: 300006 tokens > 272000 maximum")
    assert upstream.paths == []
    assert [line["outcome"] for line in lines] == ["invalid_request"]


@pytest.mark.parametrize("tokenizer", [True, False])
async def test_the_upstreams_count_is_certain(*, tokenizer: bool) -> None:
    """Where we cannot be sure, with another vocabulary or none, the upstream is asked to count, and not to answer."""
    reply, upstream, _ = await ask(prompt(930_000, "gpt-6.2-sol"), counted(931_234), tokenizer=tokenizer)

    refused(reply, "prompt is too long: 931234 tokens > 922000 maximum")
    assert upstream.paths == [COUNT]
    assert set(upstream.requests[0]) <= {"model", "input", "reasoning", "parallel_tool_calls"}


async def test_what_the_upstream_counts_as_fitting_goes_on() -> None:
    """The estimate said too long, the upstream says it fits; its number is then told in `message_start`."""
    reply, upstream, _ = await ask(prompt(930_000, "gpt-6.2-sol"), counted(900_001), GOOD)

    assert (reply.status, upstream.paths) == (200, [COUNT, RESPONSES])
    assert reply.events()[0]["message"]["usage"]["input_tokens"] == 900_001


@pytest.mark.parametrize("tokens", [10, 200_000, 800_000])
@pytest.mark.parametrize("tokenizer", [True, False])
async def test_a_prompt_that_is_not_near_is_not_held_up(
    tokens: int, monkeypatch: pytest.MonkeyPatch, *, tokenizer: bool
) -> None:
    """No request to count, and no count of ours: the estimate is all it costs."""

    async def count(*_: object) -> int:
        raise AssertionError("counted")

    monkeypatch.setattr(context_window, "own_count", count)
    reply, upstream, _ = await ask(prompt(tokens, "gpt-6.2-sol"), GOOD, tokenizer=tokenizer)

    assert (reply.status, upstream.paths) == (200, [RESPONSES])


async def test_our_own_count_spares_the_upstreams() -> None:
    """Near by the estimate, but well inside the window by a vocabulary: nobody else is asked."""
    reply, upstream, _ = await ask(prompt(850_000, "gpt-6.2-sol"), GOOD, tokenizer=True)

    assert (reply.status, upstream.paths) == (200, [RESPONSES])
    assert reply.events()[0]["message"]["usage"]["input_tokens"] == 850_006


@pytest.mark.parametrize(
    "script",
    [
        failing(404),
        failing(429, code="rate_limit_exceeded"),
        failing(500),
        failing(400),
        failing(401),
        counted("many"),
        counted(1.5),
        json_script({"input_tokens": True}),
        json_script([]),
        Script([b"<html>"]),
        Script([b"{", *[b" " * 2**18] * 5]),
        Script([httpx.ReadError("no")]),
        httpx.ConnectError("no"),
    ],
)
async def test_an_upstream_that_cannot_count_answers_itself(script: Script | Exception) -> None:
    """Nothing is certain then, so the request goes on, once, and the upstream says what it thinks of it."""
    reply, upstream, _ = await ask(prompt(930_000, "gpt-6.2-sol"), script, GOOD)

    assert (reply.status, upstream.paths) == (200, [COUNT, RESPONSES])


async def test_a_count_has_little_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A precaution has ten seconds, whatever a message may take, and one attempt."""
    asked: list[tuple[float, int]] = []

    async def count(*args: Any, **limits: Any) -> Any:
        asked.append((limits["first_byte_timeout"], limits["retries"]))
        return await upstream_count(*args, **limits)

    monkeypatch.setattr("pipeline.endpoints.context_window.upstream_count", count)
    await ask(prompt(930_000, "gpt-6.2-sol"), counted(1), GOOD)

    assert asked == [(context_window.COUNT_TIMEOUT, 0)]


async def test_an_upstream_that_refuses_to_count_what_is_too_long() -> None:
    """Its own word for too long is as good as a number."""
    message = "This model's maximum context length is 922000 tokens. However, your messages resulted in 950000 tokens."
    script = json_script({"error": {"message": message, "code": "context_length_exceeded"}}, 400)
    reply, upstream, _ = await ask(prompt(930_000, "gpt-6.2-sol"), script)

    refused(reply, "prompt is too long: 950000 tokens > 922000 maximum")
    assert upstream.paths == [COUNT]


@pytest.mark.parametrize("tokenizer", [True, False])
@pytest.mark.parametrize("model", ["a-model-of-tomorrow", "llama-3"])
async def test_a_model_of_unknown_window_is_never_refused(model: str, *, tokenizer: bool) -> None:
    """What is not known cannot be exceeded: the server itself knows best."""
    reply, upstream, _ = await ask(prompt(930_000, model), GOOD, tokenizer=tokenizer)

    assert (reply.status, upstream.paths) == (200, [RESPONSES])


@pytest.mark.parametrize("tokenizer", [True, False])
async def test_a_server_that_does_not_count_is_asked_to_answer(*, tokenizer: bool) -> None:
    """Without its own count and a vocabulary that is the model's, nothing is certain."""
    reply, upstream, _ = await ask(prompt(930_000, "gpt-6.2-sol"), GOOD, tokenizer=tokenizer, profile="compatible")

    assert (reply.status, upstream.paths) == (200, [RESPONSES])


@pytest.mark.parametrize(
    ("tokens", "asked", "sentence"),
    [
        (120_000, 10_000, "input length and `max_tokens` exceed context limit: 120006 + 10000 > 128000"),
        (120_000, 100_000, "input length and `max_tokens` exceed context limit: 120006 + 16384 > 128000"),
        (130_000, 1_000, "prompt is too long: 130006 tokens > 128000 maximum"),
        (120_000, 1_000, None),
        (100_000, 10_000, None),
    ],
)
async def test_a_window_that_the_answer_shares(tokens: int, asked: int, sentence: str | None) -> None:
    """There the sum must fit: Claude Code asks for fewer tokens on the one sentence, and compacts on the other."""
    reply, upstream, _ = await ask(prompt(tokens, "gpt-4o", max_tokens=asked), GOOD, tokenizer=True, profile="vllm")

    if sentence is None:
        assert (reply.status, upstream.paths) == (200, [RESPONSES])
    else:
        refused(reply, sentence)
        assert upstream.paths == []


async def test_a_window_for_input_alone_is_not_shared() -> None:
    """A long answer to a prompt that fits is no overflow where the answer has room of its own."""
    request = prompt(240_000, "gpt-5", max_tokens=128_000)
    reply, upstream, _ = await ask(request, GOOD, tokenizer=True)

    assert (reply.status, upstream.paths) == (200, [RESPONSES])


# -- windows that the server or the settings tell ------------------------------------------------------

ENGINE = ModelRegistry(served={"tiny": 65_536}, local=True)


def room(window: int, tokens: int) -> range:
    """What may be asked for behind a prompt of so many tokens: all that fits, but for a fifth of the prompt at most."""
    return range(window - tokens * 6 // 5, window - tokens + 1)


@pytest.mark.parametrize(
    ("tokens", "asked", "sent"),
    [
        (10_000, 1_000, range(1_000, 1_001)),
        (10_000, 32_000, range(32_000, 32_001)),
        (10_000, 128_000, room(65_536, 10_000)),
        (50_000, 32_000, room(65_536, 50_000)),
    ],
)
async def test_an_answer_is_asked_for_that_fits(tokens: int, asked: int, sent: range) -> None:
    """No more than the room that is left, by the estimate and its margin; less than asked for is said."""
    reply, upstream, _ = await ask(prompt(tokens, "tiny", max_tokens=asked), GOOD, profile="vllm", models=ENGINE)

    assert (reply.status, upstream.paths) == (200, [RESPONSES])
    assert upstream.requests[0]["max_output_tokens"] in sent
    assert ("max_tokens" in reply.headers["dragoman-mapping"]) is (asked not in sent)


async def test_little_room_is_divided_by_the_servers_own_count() -> None:
    """Where the estimate leaves too little, a server that counts is asked to."""
    asked = prompt(55_000, "tiny", max_tokens=32_000)
    reply, upstream, _ = await ask(asked, counted(60_000), GOOD, profile="llama.cpp", models=ENGINE)

    assert (reply.status, upstream.paths) == (200, [COUNT, RESPONSES])
    assert upstream.requests[1]["max_output_tokens"] == 5_536


@pytest.mark.parametrize(
    ("count", "sentence"),
    [
        (65_537, "prompt is too long: 65537 tokens > 65536 maximum"),
        (65_500, "input length and `max_tokens` exceed context limit: 65500 + 32000 > 65536"),
    ],
)
async def test_no_room_is_refused_where_that_is_certain(count: int, sentence: str) -> None:
    """In the words on which clients compact; nothing is asked for that the server would cut."""
    asked = prompt(64_000, "tiny", max_tokens=32_000)
    reply, upstream, _ = await ask(asked, counted(count), GOOD, profile="llama.cpp", models=ENGINE)

    refused(reply, sentence)
    assert upstream.paths == [COUNT]


async def test_a_server_that_does_not_count_decides_itself() -> None:
    """It gets the least that can be asked for, and says what it thinks of the prompt."""
    reply, upstream, _ = await ask(prompt(70_000, "tiny"), GOOD, profile="vllm", models=ENGINE)

    assert (reply.status, upstream.requests[0]["max_output_tokens"]) == (200, PROFILES["vllm"].min_output_tokens)


async def test_a_window_of_the_settings() -> None:
    """It counts as the server's own word."""
    models = ModelRegistry.of({"mine": Described(model_info={"window": 8_192})})
    _, upstream, _ = await ask(prompt(2_000, "mine", max_tokens=128_000), GOOD, models=models)

    assert upstream.requests[0]["max_output_tokens"] in room(8_192, 2_000)


async def test_strict_mode_asks_for_what_was_asked_or_not_at_all() -> None:
    """A shorter answer is not what the client wants."""
    upstream = ScriptedUpstream(GOOD)
    context = context_of(upstream)
    context = attrs.evolve(context, target=attrs.evolve(context.target, models=ENGINE))
    request = prompt(50_000, "tiny", max_tokens=32_000)
    reply = await MemoryClient(application(context)).messages(request, headers={"dragoman-mode": "strict"})

    assert (reply.status, upstream.paths) == (400, [])
    assert reply.json()["error"]["message"].startswith("max_tokens: approximated: ")
