"""A server that breaks on purpose, and judges how its client takes it: llmock (PyPI, none of ours). `make engines`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import attrs
import pytest
from anthropic.types import MessageParam

from pipeline.settings import Settings, Timing, UpstreamSettings
from tests.support.grammar import read
from tests.support.plain_client import BASH, ask, client, question
from tests.support.serving import serving

pytestmark = pytest.mark.engine

STREAMED = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])

STATUSES: dict[int, tuple[int, str, str | None]] = {
    400: (400, "invalid_request_error", None),
    401: (401, "authentication_error", "false"),
    402: (402, "billing_error", "false"),
    403: (403, "permission_error", "false"),
    404: (500, "api_error", "false"),
    408: (504, "timeout_error", None),
    409: (409, "conflict_error", None),
    413: (413, "request_too_large", "false"),
    422: (400, "invalid_request_error", None),
    429: (429, "rate_limit_error", "true"),
    500: (500, "api_error", None),
    502: (500, "api_error", None),
    503: (529, "overloaded_error", "true"),
    504: (504, "timeout_error", None),
    529: (529, "overloaded_error", "true"),
}
"""The upstream's status: our status, the error's type, and `x-should-retry`."""

FAULTS = ("disconnect", "truncate", "malformed", "stall")
"""What may happen to a stream: reset, ended early, broken JSON, silence."""

SILENCE = 0.5
"""Seconds of silence that are too many here."""

STORY = "Once there was a word, and another word, and then so many words that nobody counted them. " * 5


@attrs.frozen
class Broken:
    """An upstream that breaks to order, and dragoman before it.

    Attributes:
        url: dragoman's.
        upstream: llmock's.
    """

    url: str
    upstream: str

    async def verdict(self) -> dict[str, Any]:
        """Ask what llmock thinks of its client."""
        async with client() as http:
            answer: dict[str, Any] = (await http.get(f"{self.upstream}/_llmock/verdict")).json()
        return answer


@asynccontextmanager
async def broken(llmock: str, *behaviors: dict[str, Any]) -> AsyncIterator[Broken]:
    """Serve before an upstream that will behave so."""
    upstream = UpstreamSettings(url=f"{llmock}/v1", api_key=None)
    settings = Settings(upstream=upstream, timing=Timing(silence=SILENCE), log_level="error")
    async with serving(settings) as url, client() as http:
        await http.get(f"{url}/v1/models")  # waits for the look at the upstream, which must not meet what is ordered
        await http.post(f"{llmock}/_llmock/reset")
        ordered = await http.post(f"{llmock}/_llmock/scenario", json={"behaviors": behaviors})
        assert ordered.is_success, ordered.text
        yield Broken(url, llmock)


@STREAMED
@pytest.mark.parametrize("status", STATUSES)
async def test_statuses(llmock: str, status: int, *, stream: bool) -> None:
    """Each status of the upstream becomes one of Anthropic's, and nobody retries behind the client's back."""
    async with broken(llmock, {"type": "fail", "status": status}) as here:
        said = await ask(here.url, question("hello"), stream=stream)
        verdict = await here.verdict()

    assert said.error is not None
    assert (said.status, said.error["type"], said.headers.get("x-should-retry")) == STATUSES[status]
    assert said.headers["request-id"].startswith("req_")
    assert not said.streamed
    assert verdict["attempts"] == 1
    assert verdict["passed"]


@STREAMED
async def test_the_wait_that_is_asked_for_is_told(llmock: str, *, stream: bool) -> None:
    """`retry-after` of a 429 reaches the client."""
    async with broken(llmock, {"type": "fail", "status": 429, "retry_after": 7}) as here:
        said = await ask(here.url, question("hello"), stream=stream)

    assert said.status == 429
    assert said.headers["retry-after"] == "7"


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_stream_that_breaks_before_any_content_is_an_http_error(llmock: str, fault: str) -> None:
    """While nothing was said, the client gets a status on which it retries."""
    async with broken(llmock, {"type": "stream_fault", "kind": fault, "after_chunks": 0}) as here:
        said = await ask(here.url, question("hello"), stream=True)

    assert said.error is not None
    assert (said.status, said.error["type"]) == ((504, "timeout_error") if fault == "stall" else (500, "api_error"))


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_stream_that_breaks_later_never_ends_cleanly(llmock: str, fault: str) -> None:
    """What was said before stays; then there is one error, and no end that looks like one."""
    story = {"type": "reply", "text": STORY}
    async with broken(llmock, story, {"type": "stream_fault", "kind": fault, "after_chunks": 12}) as here:
        said = await ask(here.url, question("tell"), stream=True)

    assert said.status == 200
    assert said.streamed
    assert said.stop_reason is None
    assert said.error is not None
    assert said.error["type"] == ("timeout_error" if fault == "stall" else "api_error")
    assert STORY.startswith(said.texts()[0])
    assert 0 < len(said.texts()[0]) < len(STORY)


async def test_arguments_that_are_no_json_are_an_error(llmock: str) -> None:
    """A call that no client could run ends as an error, streamed and not."""
    asked = question("run it", tools=[BASH])
    fault = {"type": "tool_fault", "kind": "malformed_arguments", "times": 2}
    async with broken(llmock, fault) as here:
        whole = await ask(here.url, asked, stream=False)
        async with client() as http:
            told = read((await http.post(f"{here.url}/v1/messages", json=asked | {"stream": True})).content)

    assert (whole.status, whole.error and whole.error["type"]) == (500, "api_error")
    assert told.state == "FAILED"
    assert told.error is not None
    assert told.error["type"] == "api_error"


@STREAMED
async def test_a_tool_that_nobody_offered_is_called_all_the_same(llmock: str, *, stream: bool) -> None:
    """It is the client's to say that there is no such tool: from that the model learns."""
    async with broken(llmock, {"type": "tool_fault", "kind": "unknown_tool"}) as here:
        said = await ask(here.url, question("run it", tools=[BASH]), stream=stream)

    ((name, arguments),) = said.calls()
    assert name != "Bash"
    assert isinstance(arguments, dict)
    assert said.stop_reason == "tool_use"


RETRIED: dict[str, dict[str, Any]] = {
    "rate limit": {"type": "fail", "status": 429, "retry_after": 1},
    "overloaded": {"type": "fail", "status": 503},
    "server error": {"type": "fail", "status": 500},
    **{fault: {"type": "stream_fault", "kind": fault, "after_chunks": 0} for fault in FAULTS},
}
"""Failures that pass by."""


@pytest.mark.parametrize("fault", RETRIED)
async def test_an_official_client_gets_over_it(llmock: str, fault: str) -> None:
    """Anthropic's SDK, led by our statuses and hints, tries again, and llmock finds no fault with the two of us."""
    reply = {"type": "reply", "text": "At last.", "times": 2}  # a broken stream uses one up
    async with broken(llmock, RETRIED[fault], reply) as here:
        async with anthropic.AsyncAnthropic(base_url=here.url, api_key="sk-ant-nobody") as sdk:
            asked: MessageParam = {"role": "user", "content": "hello"}
            async with sdk.messages.stream(model="claude-sonnet-5-5", max_tokens=100, messages=[asked]) as stream:
                message = await stream.get_final_message()
        verdict = await here.verdict()

    assert [block.text for block in message.content if block.type == "text"] == ["At last."]
    assert verdict["passed"]
    assert verdict["attempts"] == 2
    # llmock can have sent all of so short a stream before we close it; then it takes the second try for another call.
    misjudged = {"malformed_chunk_ignored"} if fault == "malformed" else set()
    assert {finding["code"] for finding in verdict["findings"]} <= misjudged
