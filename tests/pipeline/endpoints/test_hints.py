"""What a client is told to do about a failure, and how often the upstream is asked because of one request."""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

from typing import Any

import attrs
import httpx
import pytest
import trio
import trio.testing

from tests.support import grammar
from tests.support.cases import cases
from tests.support.client import Reply
from tests.support.running import REQUEST, client_of
from tests.support.upstream import Script, ScriptedUpstream, json_script
from tests.support.upstream_events import CREATED, error, failed, text

Clock = trio.testing.MockClock


@attrs.frozen
class Hint:
    """What a client reads off an error: its status and type, whether to retry, and after how many seconds."""

    status: int
    type: str
    retry: str | None
    after: str | None


LIMITED = Hint(429, "rate_limit_error", "true", "5")
SPENT = Hint(429, "rate_limit_error", "false", None)
OVERLOADED = Hint(529, "overloaded_error", "true", None)
POLICY = Hint(400, "policy_blocked", "false", None)
WRONG = Hint(400, "invalid_request_error", None, None)
UNKNOWN_KEY = Hint(401, "authentication_error", "false", None)
UNPAID = Hint(402, "billing_error", "false", None)
BROKEN = Hint(500, "api_error", None, None)

BY_CODE: dict[str, tuple[int, Hint]] = {
    "rate_limit_exceeded": (429, LIMITED),
    "slow_down": (503, LIMITED),
    "insufficient_quota": (429, SPENT),
    "credit_balance_exhausted": (429, SPENT),
    "billing_hard_limit_reached": (400, SPENT),
    "billing_not_active": (429, UNPAID),
    "server_is_overloaded": (503, OVERLOADED),
    "invalid_api_key": (401, UNKNOWN_KEY),
    "invalid_prompt": (400, POLICY),
    "bio_policy": (400, POLICY),
    "cyber_policy": (400, POLICY),
    "content_filter": (400, POLICY),
    "misalignment_policy_violation": (400, POLICY),
    "image_content_policy_violation": (400, POLICY),
    "invalid_image": (400, WRONG),
    "server_error": (500, BROKEN),
}
"""The upstream's codes: the status they come with over HTTP, and what a client must be told."""


def hint_of(reply: Reply) -> Hint:
    """Read an HTTP error as a client does."""
    kind = reply.json()["error"]["type"]
    return Hint(reply.status, kind, reply.headers.get("x-should-retry"), reply.headers.get("retry-after"))


async def asked(*scripts: Script | Exception, **fields: Any) -> tuple[Reply, int]:
    """Ask once, of an upstream with the default retries; return the reply, and how often the upstream was asked."""
    upstream = ScriptedUpstream(*scripts)
    reply = await client_of(upstream, retries=2).messages(REQUEST | fields)
    return reply, len(upstream.requests)


@pytest.mark.parametrize("stream", [True, False])
@cases("code", BY_CODE)
async def test_a_code_over_http(code: str, *, stream: bool) -> None:
    """Each with its own hint, and the upstream is asked once: whoever waits, it is the client."""
    status, hint = BY_CODE[code]
    reply, times = await asked(json_script({"error": {"message": "No.", "code": code}}, status), stream=stream)

    assert (hint_of(reply), times) == (hint, 1)


@pytest.mark.parametrize("say", [error, failed])
@cases("code", BY_CODE)
async def test_a_code_inside_a_stream_before_content(code: str, say: Any) -> None:
    """The same, although the upstream had said 200: a real error with a status, not the beginning of a stream."""
    reply, times = await asked(Script([CREATED, say(code)]))

    assert (hint_of(reply), times) == (BY_CODE[code][1], 1)


@cases("code", BY_CODE)
async def test_a_code_after_content(code: str) -> None:
    """Nothing can be taken back then: the same type, as the one `error` event."""
    reply, times = await asked(Script([CREATED, text("hi"), failed(code)]))

    told = grammar.read(reply.body)
    assert told.error is not None
    assert (reply.status, told.error["type"], times) == (200, BY_CODE[code][1].type, 1)


@pytest.mark.parametrize(
    ("headers", "message", "after"),
    [
        ({}, "No.", "5"),
        ({}, "Rate limit reached. Please try again in 6.2s.", "7"),
        ({"retry-after": "12"}, "Please try again in 6.2s.", "12"),
        ({"retry-after-ms": "300"}, "No.", "1"),
        ({"retry-after": "300"}, "No.", "300"),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, "No.", "60"),
        ({"x-ratelimit-remaining-tokens": "9", "x-ratelimit-reset-tokens": "6m0s"}, "No.", "5"),
    ],
)
async def test_a_rate_limit_says_how_long(headers: dict[str, str], message: str, after: str) -> None:
    """Always; above a minute, on which Claude Code gives up, only if the upstream itself says so."""
    script = json_script({"error": {"message": message, "code": "rate_limit_exceeded"}}, 429, **headers)
    reply, _ = await asked(script)

    assert hint_of(reply) == attrs.evolve(LIMITED, after=after)


TRANSIENT: dict[str, Script | Exception] = {
    "connection refused": httpx.ConnectError("no"),
    **{f"a gateway's {n}": Script([b"<html>"], n, {"content-type": "text/html"}) for n in (502, 503, 504)},
}
FINAL: dict[str, Script | Exception] = {
    **{f"the API's {n}": json_script({"error": {"message": "No."}}, n) for n in (408, 409, 429, 500, 502, 503, 504)},
    "a slow connection": httpx.ConnectTimeout("no"),
    "a silent upstream": httpx.ReadTimeout("no"),
    "a broken connection": httpx.RemoteProtocolError("no"),
}


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("cases", "times"), [(TRANSIENT, 3), (FINAL, 1)], ids=["transient", "final"])
async def test_one_request_asks_three_times_at_most(
    cases: dict[str, Script | Exception], times: int, autojump_clock: Clock, *, stream: bool
) -> None:
    """What nobody can have answered is tried again twice; everything else is the client's to try again."""
    for name, script in cases.items():
        reply, tried = await asked(script, stream=stream)
        assert (reply.status >= 400, tried) == (True, times), name


async def test_many_limited_requests_make_no_storm(autojump_clock: Clock) -> None:
    """Fifty clients that are all refused ask the upstream fifty times."""
    upstream = ScriptedUpstream(json_script({"error": {"message": "slow", "code": "rate_limit_exceeded"}}, 429))
    client = client_of(upstream, retries=2)
    replies: list[Reply] = []

    async def ask() -> None:
        replies.append(await client.messages(REQUEST))

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(ask)

    assert {hint_of(reply) for reply in replies} == {LIMITED}
    assert (len(replies), len(upstream.requests)) == (50, 50)


async def test_good_answers_tell_the_limits() -> None:
    """In all the forms that clients read."""
    limits = {"limit-requests": "500", "remaining-requests": "499", "limit-tokens": "30000", "reset-tokens": "6ms"}
    headers = {f"x-ratelimit-{name}": value for name, value in limits.items()}
    body = {"id": "r", "status": "completed", "output": []}
    reply, _ = await asked(json_script(body, 200, **headers), stream=False)

    told = {name.removeprefix("anthropic-ratelimit-") for name in reply.headers if name.startswith("anthropic-rate")}
    assert told == {
        "requests-limit",
        "requests-remaining",
        *(f"{name}-{field}" for name in ("tokens", "input-tokens", "output-tokens") for field in ("limit", "reset")),
    }


async def test_a_rate_limit_comes_with_the_limits() -> None:
    """A refused client reads how much is left of what, as an answered one does."""
    limits = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0"}
    refused = json_script({"error": {"code": "rate_limit_exceeded", "message": "Too much."}}, 429, **limits)
    reply = await client_of(ScriptedUpstream(refused)).messages(REQUEST)

    assert reply.status == 429
    assert reply.headers["anthropic-ratelimit-requests-limit"] == "60"
    assert reply.headers["anthropic-ratelimit-requests-remaining"] == "0"
