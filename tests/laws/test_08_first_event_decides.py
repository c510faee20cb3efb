"""Law 8. The first upstream event decides the HTTP status: an upstream error before any content is a real HTTP error.

After the commit point (content, or silence of `commit_after` seconds) the same error is the stream's one `error` event.
"""
# ruff: noqa: ARG001 - a clock that jumps need not be spoken to

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
import trio
import trio.testing
from hypothesis import given
from hypothesis import strategies as st

from pipeline.settings import Timing
from tests.support import grammar
from tests.support.cases import cases
from tests.support.client import Reply
from tests.support.running import REQUEST, TIGHT, answer, client_of
from tests.support.upstream import ScriptedUpstream, Step, events, json_script
from tests.support.upstream_events import CREATED, KEEPALIVE, call, completed, error, failed, text, thought

Clock = trio.testing.MockClock

STATUSES = {
    400: (400, "invalid_request_error"),
    401: (401, "authentication_error"),
    403: (403, "permission_error"),
    404: (500, "api_error"),
    413: (413, "request_too_large"),
    422: (400, "invalid_request_error"),
    429: (429, "rate_limit_error"),
    500: (500, "api_error"),
    503: (529, "overloaded_error"),
    504: (504, "timeout_error"),
}
"""The upstream's status, and what the client must see; written down here again, so that the table has a judge."""

CODES = {
    "server_error": (500, "api_error"),
    "rate_limit_exceeded": (429, "rate_limit_error"),
    "insufficient_quota": (429, "rate_limit_error"),
    "server_is_overloaded": (529, "overloaded_error"),
    "invalid_prompt": (400, "policy_blocked"),
    "context_length_exceeded": (400, "invalid_request_error"),
}
"""The same for codes inside a stream."""

QUIET = (CREATED, KEEPALIVE, events({"type": "response.some_future_event"}), b": a comment\n\n")
"""What an upstream may say without saying anything."""


def _flat(code: str) -> bytes:
    return events({"type": "error", "code": code, "message": "It broke.", "param": None})


def _untyped(code: str) -> bytes:
    return b'data: {"error": {"code": "%b", "message": "It broke."}}\n\n' % code.encode()


ERRORS: dict[str, Callable[[str], bytes]] = {
    "nested": error,
    "failed": failed,
    "flat": _flat,
    "untyped": _untyped,
}
"""Ways to say an error in a stream."""

CONTENTS = {"text": text("hi"), "reasoning": thought("hm"), "call": call('{"a"')}


def _refused(reply: Reply, status: int, kind: str) -> None:
    """Assert that a reply is an HTTP error, whole and nothing else."""
    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
    body = reply.json()
    assert (body["type"], body["error"]["type"]) == ("error", kind)
    assert body["request_id"] == reply.headers["request-id"]
    assert reply.ended
    assert reply.headers["content-length"] == str(len(reply.body))


def _broken_off(reply: Reply, kind: str) -> grammar.Told:
    """Assert that a reply is a stream that ended in an error; return what it said before."""
    assert (reply.status, reply.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    told = grammar.read(reply.body)
    assert told.error is not None
    assert told.error["type"] == kind
    assert reply.ended
    return told


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("status", STATUSES)
async def test_an_upstream_status_is_our_status(status: int, *, stream: bool) -> None:
    """An upstream that refuses with a status makes us refuse with its counterpart."""
    upstream = ScriptedUpstream(json_script({"error": {"message": "No."}}, status))
    reply = await client_of(upstream).messages(REQUEST | {"stream": stream})

    _refused(reply, *STATUSES[status])
    assert upstream.open == 0


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        (httpx.ConnectError("no"), 503, "api_error"),
        (httpx.ConnectTimeout("no"), 504, "timeout_error"),
        (httpx.ReadTimeout("no"), 504, "timeout_error"),
        (httpx.RemoteProtocolError("no"), 500, "api_error"),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_an_upstream_that_is_not_there(fault: Exception, status: int, kind: str) -> None:
    """A connection that fails before an answer is an HTTP error too."""
    _refused(await client_of(ScriptedUpstream(fault)).messages(REQUEST), status, kind)


@pytest.mark.parametrize("capacity", TIGHT)
@cases("form", ERRORS)
@cases("code", CODES)
async def test_an_error_before_content(code: str, form: str, capacity: int) -> None:
    """An error in the stream before any content, whatever quiet events came before it, is an HTTP error."""
    reply = await answer(*QUIET, ERRORS[form](code), capacity=capacity)

    _refused(reply, *CODES[code])


@pytest.mark.parametrize("form", ERRORS)
async def test_an_error_before_content_in_one_read(form: str) -> None:
    """The same if all of it comes in one read."""
    _refused(await answer(b"".join(QUIET) + ERRORS[form]("server_error") + text("late")), 500, "api_error")


@pytest.mark.parametrize("quiet", [(), QUIET], ids=["nothing", "quiet events"])
async def test_a_cut_before_content(quiet: tuple[bytes, ...]) -> None:
    """A stream that ends before it said anything is an HTTP error."""
    _refused(await answer(*quiet), 500, "api_error")


@pytest.mark.parametrize("capacity", TIGHT)
@cases("content", CONTENTS)
@cases("code", CODES)
async def test_an_error_after_content(code: str, content: str, capacity: int) -> None:
    """After content, the error is the stream's one `error` event, and what was said before it stays said."""
    reply = await answer(CREATED, CONTENTS[content], error(code), capacity=capacity)

    told = _broken_off(reply, CODES[code][1])
    assert len(told.content) == 1


@pytest.mark.parametrize("content", CONTENTS)
async def test_content_and_error_in_one_read(content: str) -> None:
    """What comes first counts, not what comes together."""
    told = _broken_off(await answer(CREATED + CONTENTS[content] + error()), "api_error")

    assert [block["type"] for block in told.content] == [
        {"reasoning": "thinking", "call": "tool_use"}.get(content, content)
    ]


@pytest.mark.parametrize("code", CODES)
async def test_clients_that_do_not_stream_get_a_status_in_any_case(code: str) -> None:
    """Nothing is sent before a whole message is whole, so an error after content is an HTTP error as well."""
    _refused(await answer(CREATED, text("hi"), error(code), stream=False), *CODES[code])


@pytest.mark.parametrize("form", ERRORS)
async def test_silence_shorter_than_the_commit_point(form: str, autojump_clock: Clock) -> None:
    """An error that comes before the commit point still has its status."""
    _refused(await answer(CREATED, 4.9, ERRORS[form]("server_error")), 500, "api_error")


@pytest.mark.parametrize("form", ERRORS)
async def test_silence_longer_than_the_commit_point(form: str, autojump_clock: Clock) -> None:
    """An error that comes after it is an event of a stream that has begun with nothing in it."""
    told = _broken_off(await answer(CREATED, 5.1, ERRORS[form]("server_error")), "api_error")

    assert told.content == []
    assert told.names[0] == "message_start"


async def test_a_refusal_that_takes_its_time_has_its_status(autojump_clock: Clock) -> None:
    """The commit point is counted from a good head: an upstream that thinks long before it refuses is not cut short."""

    class Late(ScriptedUpstream):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await trio.sleep(60)
            return await super().handle_async_request(request)

    reply = await client_of(Late(json_script({"error": {"message": "No."}}, 400))).messages(REQUEST)

    _refused(reply, 400, "invalid_request_error")


_DELAYS = st.sampled_from((0.5, 1.5, 2.0, 4.0))


@given(
    before=st.lists(st.sampled_from(QUIET) | _DELAYS, max_size=8),
    content=st.none() | st.sampled_from(sorted(CONTENTS)),
    code=st.sampled_from(sorted(CODES)),
    form=st.sampled_from(sorted(ERRORS)),
    capacity=st.sampled_from(TIGHT),
)
def test_what_came_first_decides(before: list[Step], content: str | None, code: str, form: str, capacity: int) -> None:
    """Whatever comes before an error, content or `commit_after` seconds make it an event, and nothing else does."""
    said = [] if content is None else [CONTENTS[content]]
    waited = sum(step for step in before if isinstance(step, float))
    if waited == 5:
        before = [*before, 0.5]
        waited += 0.5

    async def run() -> Reply:
        return await answer(*before, *said, ERRORS[form](code), completed(), capacity=capacity, timing=Timing())

    reply = trio.run(run, clock=trio.testing.MockClock(autojump_threshold=0))
    if said or waited > 5:
        _broken_off(reply, CODES[code][1])
    else:
        _refused(reply, *CODES[code])
