"""What an upstream answers when it is asked: for its list of models, and one short question to each model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import httpx
import trio

from pipeline.settings import ConfigurationError
from pipeline.upstream.address import base_url
from pipeline.upstream.client import UpstreamClient
from pipeline.upstream.response import UpstreamResponse
from stages.canonical.failure import Failure, Kind
from stages.tables.error_shapes import is_error, parsed
from stages.tables.errors import failure_of
from stages.wire import json, sse

if TYPE_CHECKING:
    from pipeline.settings import Settings

TOKENS = 16
"""Output tokens of a question: the least that the API takes."""

TIMEOUT = 30.0
"""Seconds for one question, from its first byte to the end of its answer."""

_AT_ONCE = 4
_MOST_READ = 2**18  # bytes of an answer of 16 tokens; it may repeat the request and seal some reasoning
_BAD_ENDS = frozenset({"error", "response.failed"})
_OK = 200
_NO_LIST = Failure(Kind.MISCONFIGURED, "What answers is no list of models", cause="no list")
_NO_ANSWER = Failure(Kind.MISCONFIGURED, "What answers is no answer of the Responses API", cause="no answer")


@attrs.frozen
class Listed:
    """What `GET /models` brought: names, or why there are none."""

    models: tuple[str, ...] = ()
    failure: Failure | None = None


@attrs.frozen
class Asked:
    """What one model answered.

    Attributes:
        model: its name upstream.
        failure: what was wrong; None when it answered.
        seconds: from the question to the first byte of the answer.
        summaries: whether it takes the wish for summaries of its reasoning.
    """

    model: str
    failure: Failure | None = None
    seconds: float = 0.0
    summaries: bool = False


@attrs.frozen
class Reply:
    """All that was asked of an upstream."""

    listed: Listed = attrs.field(factory=Listed)
    asked: tuple[Asked, ...] = ()

    @property
    def failures(self) -> list[Failure]:
        """Why questions were not answered."""
        return [each.failure for each in self.asked if each.failure is not None]


Choice = Callable[[Sequence[str]], Sequence[str]]
"""From the models that an upstream lists to those that are to be asked."""


def ask_upstream(settings: Settings, choose: Choice, transport: httpx.AsyncBaseTransport | None = None) -> Reply:
    """Ask for the list of models, and then each chosen model one question.

    Args:
        settings: of the setup that is asked.
        choose: picks the models.
        transport: stands in for the network.
    """
    return trio.run(_ask_all, settings, choose, transport)


async def _ask_all(settings: Settings, choose: Choice, given: httpx.AsyncBaseTransport | None) -> Reply:
    """Wait for all answers; cancelled, the connections are closed."""
    from pipeline.named_upstream import client_of, target_of, transport_of

    try:
        transport = given or transport_of(settings)
    except ConfigurationError as error:
        return Reply(Listed(failure=Failure(Kind.MISCONFIGURED, error.mistakes[0], cause="package")))
    target = target_of(settings)
    client = client_of(settings, target, transport)
    try:
        listed = await _list(client, base_url(settings.upstream.url), settings.timing.connect)
        models = list(choose(listed.models))
        answers: dict[str, Asked] = {}
        room = trio.CapacityLimiter(_AT_ONCE)

        async def ask(model: str) -> None:
            async with room:
                answers[model] = await ask_model(client, model, summaries=target.profile.summaries)

        async with trio.open_nursery() as nursery:
            for model in models:
                nursery.start_soon(ask, model)
        return Reply(listed, tuple(answers[model] for model in models))
    finally:
        with trio.CancelScope(shield=True):
            await transport.aclose()


async def _list(client: UpstreamClient, url: str, seconds: float) -> Listed:
    """Wait for `GET /models`, for so many seconds."""
    answer = await client.get(f"{url}/models", seconds)
    if isinstance(answer, Failure):
        return Listed(failure=answer)
    status, _, body = answer
    if status != _OK:
        return Listed(failure=failure_of(parsed(body), status=status))
    names = _names(body)
    return Listed(failure=_NO_LIST) if names is None else Listed(tuple(names))


def _names(body: bytes) -> list[str] | None:
    try:
        document = json.decode(body)
    except ValueError:
        return None
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, list):
        return None
    return [model["id"] for model in data if isinstance(model, dict) and isinstance(model.get("id"), str)]


async def ask_model(client: UpstreamClient, model: str, *, summaries: bool) -> Asked:
    """Ask one question, first with the wish for summaries, then without where that is refused; waits for the answer."""
    outcome = Asked(model, Failure(Kind.TIMEOUT, "The upstream took too long to answer.", cause="timeout"))
    for wish in (True, False) if summaries else (False,):
        with trio.move_on_after(TIMEOUT) as scope:
            outcome = await _ask(client, model, summaries=wish)
        refused = outcome.failure is not None and outcome.failure.kind is Kind.INVALID_REQUEST
        if scope.cancelled_caught or not refused:
            break
    return outcome


async def _ask(client: UpstreamClient, model: str, *, summaries: bool) -> Asked:
    began = trio.current_time()
    answer = await client.post("/responses", json.encode(_body(model, summaries=summaries)), retries=0)
    if isinstance(answer, Failure):
        return Asked(model, answer)
    async with answer:
        body, first_byte_at = await _read(answer)
    failure = body if isinstance(body, Failure) else failure_in(body)
    return Asked(model, failure, first_byte_at - began, summaries and failure is None)


def _body(model: str, *, summaries: bool) -> dict[str, Any]:
    body = {"model": model, "input": [{"role": "user", "content": "Say OK."}], "max_output_tokens": TOKENS}
    return body | {"stream": True, "store": False} | ({"reasoning": {"summary": "auto"}} if summaries else {})


async def _read(answer: UpstreamResponse) -> tuple[bytes | Failure, float]:
    """Wait for the whole answer; return it, and when its first byte came."""
    body, first_byte_at = bytearray(), 0.0
    async for chunk in answer:
        first_byte_at = first_byte_at or trio.current_time()
        if isinstance(chunk, Failure):
            return chunk, first_byte_at
        body += chunk
        if len(body) > _MOST_READ:
            break
    return bytes(body), first_byte_at or trio.current_time()


def failure_in(body: bytes) -> Failure | None:
    """Find what is wrong with an answer that began well: an error in the stream, or something else than an answer."""
    documents = [document for document in _documents(body) if isinstance(document, dict)]
    for document in documents:
        if document.get("type") in _BAD_ENDS or ("type" not in document and is_error(document)):
            return failure_of(parsed(json.encode(document)), status=_OK)
    is_answer = any(_is_of_the_api(document) for document in documents)
    return None if is_answer else _NO_ANSWER


def _documents(body: bytes) -> Iterator[Any]:
    decoder = sse.Decoder()
    payloads = [*decoder.feed(body), *decoder.finish()] if not body.lstrip().startswith(b"{") else [body]
    for payload in payloads:
        try:
            yield json.decode(payload)
        except ValueError:
            continue


def _is_of_the_api(document: Mapping[str, Any]) -> bool:
    return document.get("object") == "response" or str(document.get("type", "")).startswith("response.")
