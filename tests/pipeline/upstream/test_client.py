"""The upstream as the program sees it: what goes out, what comes back, what is tried again, and every way to fail."""

from __future__ import annotations

import random

import attrs
import httpx
import pytest
import trio
import trio.testing

from pipeline.settings import Secret, Timing
from pipeline.upstream.client import FIRST_PAUSE, UpstreamClient, fingerprint
from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import AnswerPlan
from tests.pipeline.upstream.asked import body_of, client, upstream
from tests.support.upstream import Script, Step, json_script

PLAN = AnswerPlan("msg_1", "claude", "gpt", input_tokens=1_000, window=900)
NOT_FOUND = json_script({"error": {"message": "No such model.", "code": "model_not_found"}}, 404)


async def failed(of: UpstreamClient) -> Failure:
    """Post something, which must fail."""
    outcome = await of.post("/responses", b"{}", PLAN)
    assert isinstance(outcome, Failure)
    return outcome


@attrs.define
class Recorder(httpx.AsyncBaseTransport):
    """Keeps the requests, and answers each with an empty success."""

    requests: list[httpx.Request] = attrs.field(factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Keep the request."""
        self.requests.append(request)
        return httpx.Response(200)


# -- what goes out ----------------------------------------------------------------------------------


async def test_a_request_carries_body_key_and_deadlines() -> None:
    """The request goes to the base URL's path, with bearer token and the deadlines of the settings."""
    recorder = Recorder()
    timing = Timing(connect=1, first_byte=2, silence=3)
    await UpstreamClient("https://up.example/v1", Secret("sk-1"), recorder, timing).post("/responses", b'{"a":1}')

    (request,) = recorder.requests
    assert (request.method, str(request.url), request.read()) == (
        "POST",
        "https://up.example/v1/responses",
        b'{"a":1}',
    )
    assert request.headers["authorization"] == "Bearer sk-1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["content-length"] == "7"
    assert request.extensions["timeout"] == {"connect": 1, "read": 2, "write": 3}


async def test_without_a_key_nothing_is_authorized() -> None:
    """A local server is not sent an empty token."""
    recorder = Recorder()
    await UpstreamClient("http://localhost:1/v1", None, recorder, Timing()).post("/responses", b"{}")

    assert "authorization" not in recorder.requests[0].headers


def test_a_key_never_shows_itself() -> None:
    """Whoever prints the client does not print its key."""
    assert "sk-secret" not in repr(client(Script()))


def test_a_fingerprint_names_the_account() -> None:
    """Same address and key, same name; another of either, another name; the key is not in it."""
    names = {fingerprint(url, key) for url in ("http://a", "http://b") for key in (None, Secret("k-1"), Secret("k-2"))}

    assert len(names) == 6
    assert fingerprint("http://a", Secret("k-1")) == fingerprint("http://a", Secret("k-1"))
    assert not any("k-" in name for name in names)


# -- failing and trying again -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "first", [httpx.ConnectError("x"), Script([b"Bad"], 502, {}), Script([], 503), Script([], 504)]
)
async def test_a_transient_failure_is_tried_again(
    first: Script | Exception, autojump_clock: trio.testing.MockClock
) -> None:
    """What failed before any byte is asked again after a short pause."""
    made = client(first, Script([b"fine"]))
    began = autojump_clock.current_time()

    assert await body_of(await made.post("/responses", b"{}")) == [b"fine"]
    assert 0 < autojump_clock.current_time() - began <= 1.5 * FIRST_PAUSE
    assert upstream(made).open == 0


async def test_attempts_end(autojump_clock: trio.testing.MockClock) -> None:
    """After the last attempt the failure is the client's, and the pauses have grown."""
    random.seed(1)
    made = client(httpx.ConnectError("x"), retries=3)
    began = autojump_clock.current_time()

    assert (await failed(made)).kind is Kind.UNAVAILABLE
    assert len(upstream(made).requests) == 4
    assert 0.5 * 7 * FIRST_PAUSE <= autojump_clock.current_time() - began <= 1.5 * 7 * FIRST_PAUSE


@pytest.mark.parametrize(
    ("only", "kind"),
    [
        (httpx.ReadTimeout("x"), Kind.TIMEOUT),
        (httpx.ConnectTimeout("x"), Kind.TIMEOUT),
        (httpx.ReadError("x"), Kind.UPSTREAM),
        (json_script({"error": {"message": "Busy."}}, 503), Kind.OVERLOADED),
        (json_script({"error": {"message": "Slow down."}}, 429), Kind.RATE_LIMIT),
        (Script([b"<html>"], 500, {"content-type": "text/html"}), Kind.UPSTREAM),
        (NOT_FOUND, Kind.NOT_FOUND),
    ],
)
async def test_what_is_not_transient_is_told_at_once(only: Script | Exception, kind: Kind) -> None:
    """An answer with a body, or a request that may have been read, is not repeated: the client decides."""
    made = client(only)

    assert (await failed(made)).kind is kind
    assert len(upstream(made).requests) == 1
    assert upstream(made).open == 0


async def test_an_error_is_read_from_its_body() -> None:
    """Code, message and waiting time come out of the answer."""
    made = client(
        json_script({"error": {"message": "Too fast.", "code": "rate_limit_exceeded"}}, 429, **{"retry-after": "9"})
    )

    failure = await failed(made)
    assert (failure.message, failure.retry_after, failure.cause) == ("Too fast.", 9, "rate_limit_exceeded")


@pytest.mark.parametrize("body", [b"", b"<html>secret", b"{}", b"[]", b'{"error":{}}', b"null"])
async def test_an_error_without_a_message_tells_its_status(body: bytes) -> None:
    """A body that says nothing still gives a sentence, which quotes nothing."""
    failure = await failed(client(Script([body], 418, {})))

    assert failure == Failure(Kind.INVALID_REQUEST, "The upstream answered with status 418.")


async def test_an_error_body_that_breaks_off_is_an_error_all_the_same() -> None:
    """The status is known even if the rest never came."""
    failure = await failed(client(Script([b'{"err', httpx.ReadError("gone")], 401)))

    assert failure.kind is Kind.AUTHENTICATION


async def test_an_endless_error_body_is_not_read_to_its_end() -> None:
    """A megabyte of error is enough."""
    made = client(Script([b"x" * 2**20] * 50, 400))
    await failed(made)

    assert upstream(made).bodies[0].reads < 5


async def test_an_overflow_is_told_without_numbers_of_ours() -> None:
    """Where the upstream tells none, its words stand instead."""
    failure = await failed(
        client(json_script({"error": {"code": "context_length_exceeded", "message": "Too long."}}, 400))
    )

    assert failure.message == "prompt is too long: Too long."


@pytest.mark.parametrize("begun", [b"", b'{"error": {"message": "No more."', b'{"error": {"message": "No more."}}'])
async def test_an_error_body_that_stalls(begun: bytes, autojump_clock: trio.testing.MockClock) -> None:
    """After five seconds what was read counts: the status at least, and the sentence if it was whole."""
    steps: list[Step] = [begun, 3600.0] if begun else [3600.0]
    failure = await failed(client(Script(steps, 400, {"content-type": "application/json"})))

    assert autojump_clock.current_time() == pytest.approx(5)
    assert failure.kind is Kind.INVALID_REQUEST
    assert failure.message == ("No more." if begun.endswith(b"}}") else "The upstream answered with status 400.")
