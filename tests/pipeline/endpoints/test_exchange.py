"""One exchange over ASGI: bodies in every form and size, and every way to answer."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from typing import Any

import pytest
import trio
import trio.testing

from pipeline.endpoints.exchange import LINGER, Exchange, keep
from pipeline.server.cycle import STALLED
from stages.canonical.failure import Failure, Kind
from stages.wire import json
from tests.pipeline.endpoints.wire import DISCONNECT, Wire, exchange, log
from tests.support.cases import cases

TOO_LARGE = Failure(Kind.TOO_LARGE, "Request exceeds the maximum size")


def test_the_head_is_known() -> None:
    """Method, path, query and headers are there before the body; the last of a repeated header counts."""
    made, _ = exchange(headers=[(b"x-a", b"1"), (b"x-a", b"2"), (b"x-b", b"\xe9")])

    assert (made.method, made.path, made.query) == ("POST", "/v1/messages", b"beta=true")
    assert made.headers == {"x-a": "2", "x-b": "é"}
    assert (made.started, made.streaming) == (False, False)


def test_lists_are_one_however_they_are_sent() -> None:
    """A client may say each beta in a header of its own; all of them count."""
    said = [(b"anthropic-beta", b"a-1, b-2"), (b"x-api-key", b"k"), (b"anthropic-beta", b"c-3")]

    assert exchange(headers=said)[0].headers == {"anthropic-beta": "a-1, b-2, c-3", "x-api-key": "k"}


def test_a_query_may_be_missing() -> None:
    """ASGI allows its absence."""
    wire = Wire([])
    scope = {"method": "GET", "path": "/", "headers": []}

    assert Exchange(scope, wire.receive, wire.send, log()).query == b""


@pytest.mark.parametrize("pause", [LINGER - 0.5, LINGER + 0.5])
async def test_an_answer_ends_once(pause: float, autojump_clock: trio.testing.MockClock) -> None:
    """A client that is refused early sends its last bytes when it is nearly too late, and a server takes its time."""
    assert autojump_clock.current_time() == 0
    made, wire = exchange(b"a", b"b")

    async def receive() -> Any:
        await trio.sleep(pause if len(wire.says) == 2 else 0)
        return wire.says.pop(0)

    async def send(event: Any) -> None:
        wire.told.append(event)  # from here on it is said, whatever becomes of the wait
        await trio.sleep(2 if event.get("more_body") is False else 0)

    slow = Exchange({"method": "POST", "path": "/", "headers": []}, receive, send, made.log)
    await slow.fail(TOO_LARGE)

    assert [event.get("more_body") for event in wire.told] == [None, True, False]
    assert slow.answered


# -- bodies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("pieces", [(b"hello",), (b"hel", b"", b"lo"), (b"h", b"e", b"l", b"l", b"o")])
@pytest.mark.parametrize("limit", [5, 100])
async def test_pieces_add_up(pieces: tuple[bytes, ...], limit: int) -> None:
    """However a body is cut, it is the same; exactly the limit still fits."""
    made, _ = exchange(*pieces)

    assert await made.body(limit) == b"hello"


def test_tiny_pieces_are_kept_together() -> None:
    """A piece of two bytes takes more than forty: who sends nothing else must not cost twenty times its bytes."""
    pieces, kept = [bytes((at % 256, at // 256)) for at in range(20_000)], list[bytes]()
    for piece in pieces:
        keep(kept, piece)
    assert b"".join(kept) == b"".join(pieces)
    assert len(kept) < len(pieces) / 100


async def test_an_announced_size_is_refused_unread() -> None:
    """Who says that it is too much need not send it."""
    made, wire = exchange(b"hello", headers=[(b"content-length", b"5")])

    assert await made.body(4) == TOO_LARGE
    assert len(wire.says) == 2


@pytest.mark.parametrize("announced", [b"", b"3", b"many"])
async def test_a_size_that_was_not_told_is_noticed(announced: bytes) -> None:
    """The limit counts what comes, and reading stops there."""
    made, wire = exchange(b"abc", b"def", b"ghi", headers=[(b"content-length", announced)])

    assert await made.body(5) == TOO_LARGE
    assert len(wire.says) == 2


async def test_a_client_that_leaves_early_has_no_body() -> None:
    """Half a body is none."""
    made, _ = exchange(says=[{"type": "http.request", "body": b"half", "more_body": True}, DISCONNECT])

    assert await made.body(100) is None


async def test_an_event_may_lack_its_fields() -> None:
    """ASGI's defaults: no body, and no more of it."""
    made, _ = exchange(says=[{"type": "http.request"}])

    assert await made.body(100) == b""


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress), ("identity", bytes)],
)
async def test_encodings_are_undone(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    """SDKs may compress large bodies."""
    made, _ = exchange(pack(b"hello"), headers=[(b"content-encoding", encoding.encode())])

    assert await made.body(100) == b"hello"


@pytest.mark.parametrize(
    ("encoding", "body", "kind", "code"),
    [
        ("br", b"x", Kind.INVALID_REQUEST, "request_body_encoding_unsupported"),
        ("gzip", b"no gzip", Kind.INVALID_REQUEST, "request_body_encoding_invalid"),
        ("deflate", b"no zlib", Kind.INVALID_REQUEST, "request_body_encoding_invalid"),
        ("gzip", gzip.compress(b"x" * 101, mtime=0), Kind.TOO_LARGE, "request_body_too_large_after_decoding"),
        ("gzip", gzip.compress(bytes(2**24), mtime=0), Kind.TOO_LARGE, "request_body_too_large_after_decoding"),
    ],
)
async def test_what_cannot_be_undone(encoding: str, body: bytes, kind: Kind, code: str) -> None:
    """Each reason has the code that SDKs branch on; a bomb is not unpacked."""
    made, _ = exchange(body, headers=[(b"content-encoding", encoding.encode())])

    failure = await made.body(20_000 if kind is not Kind.TOO_LARGE or len(body) > 100 else 100)
    assert isinstance(failure, Failure)
    assert (failure.kind, failure.error_code) == (kind, code)


async def test_half_a_packed_body_is_invalid() -> None:
    """What was cut on its way is said to be that, not to be bad JSON."""
    made, _ = exchange(gzip.compress(b"hello" * 100, mtime=0)[:-12], headers=[(b"content-encoding", b"gzip")])

    failure = await made.body(10_000)
    assert isinstance(failure, Failure)
    assert failure.error_code == "request_body_encoding_invalid"


async def test_leaving_is_waited_for() -> None:
    """Whatever else the client may say, only its leaving counts."""
    made, wire = exchange(says=[{"type": "http.request"}, {"type": "http.request"}, DISCONNECT, {"type": "never"}])

    await made.left()
    assert wire.says == [{"type": "never"}]


# -- answers ----------------------------------------------------------------------------------------


async def test_a_stream_is_head_pieces_and_end() -> None:
    """Each write is one piece, and the state is known at every step."""
    made, wire = exchange()
    await made.begin_stream()
    assert (made.started, made.streaming) == (True, True)
    await made.write(b"one")
    await made.write(b"two")
    await made.end_stream()

    assert made.streaming is False
    assert wire.statuses == [200]
    assert wire.head == {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "x-accel-buffering": "no",
        "request-id": "req_1",
    }
    assert [(event["body"], event["more_body"]) for event in wire.told[1:]] == [
        (b"one", True),
        (b"two", True),
        (b"", False),
    ]


async def test_a_whole_answer_is_json() -> None:
    """Type and length are right, the request's id is there."""
    made, wire = exchange()
    await made.answer({"a": "é"})

    assert wire.statuses == [200]
    assert wire.body == '{"a":"é"}'.encode()
    assert wire.head == {"content-type": "application/json", "content-length": "10", "request-id": "req_1"}


async def test_a_head_request_gets_the_head_alone() -> None:
    """The length is that of the body it would have been."""
    made, wire = exchange(method="HEAD")
    await made.answer({})

    assert (wire.head["content-length"], wire.body) == ("2", b"")


@cases("kind", list(Kind))
async def test_every_failure_is_an_envelope_with_its_hints(kind: Kind) -> None:
    """Status, type, message, code and both hints come from the kind and the failure."""
    made, wire = exchange()
    await made.fail(Failure(kind, "Why.", error_code="code", retry_after=7, cause="secret"))

    assert wire.statuses == [kind.status]
    assert json.decode(wire.body) == {
        "type": "error",
        "error": {"type": kind.error_type, "message": "Why.", "details": {"error_code": "code"}},
        "request_id": "req_1",
    }
    assert wire.head.get("x-should-retry") == {None: None, True: "true", False: "false"}[kind.should_retry]
    assert wire.head["retry-after"] == "7"


async def test_without_hints_there_are_none() -> None:
    """A failure that knows no waiting time names none."""
    made, wire = exchange()
    await made.fail(Failure(Kind.INVALID_REQUEST, "Why."))

    assert not {"retry-after", "x-should-retry"} & set(wire.head)


async def test_breaking_off_before_the_answer_has_a_status() -> None:
    """Nothing was said yet, so all can be said."""
    made, wire = exchange()
    await made.break_off(Failure(Kind.OVERLOADED, "Why."))

    assert wire.statuses == [529]


async def test_breaking_off_a_stream_is_its_last_event() -> None:
    """The 200 is out; the failure is an event, and the stream ends."""
    made, wire = exchange()
    await made.begin_stream()
    await made.break_off(Failure(Kind.INTERNAL, "Why."))

    assert wire.statuses == [200]
    assert wire.body.startswith(b"event: error\ndata: ")
    assert wire.told[-1]["more_body"] is False
    assert made.streaming is False


async def test_breaking_off_after_the_answer_says_nothing() -> None:
    """What is over cannot fail any more."""
    made, wire = exchange()
    await made.answer({})
    told = list(wire.told)
    await made.break_off(Failure(Kind.INTERNAL, "Why."))

    assert wire.told == told


async def test_rate_limits_are_handed_on() -> None:
    """The upstream's limits are in the headers of whatever comes next."""
    made, wire = exchange()
    made.inform({"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "59", "x-other": "1"})
    await made.answer({})

    assert wire.head["anthropic-ratelimit-requests-limit"] == "60"
    assert wire.head["anthropic-ratelimit-requests-remaining"] == "59"
    assert "x-other" not in wire.head


async def test_a_head_is_sent_whole_though_cancelled() -> None:
    """A cancelled answer has either both head and body or nothing of either."""
    made, wire = exchange(method="GET")
    with trio.CancelScope() as scope:
        scope.cancel()
        await made.answer({"a": 1})

    assert [event["type"] for event in wire.told] == ["http.response.start", "http.response.body"]


async def test_the_head_of_a_stream_is_sent_though_cancelled() -> None:
    """Only then is the cancellation noticed."""
    made, wire = exchange()
    with trio.CancelScope() as scope:
        scope.cancel()
        await made.begin_stream()
        await made.write(b"never")

    assert scope.cancelled_caught
    assert [event["type"] for event in wire.told] == ["http.response.start"]


async def test_a_packed_body_may_have_several_members() -> None:
    """As any file that was appended to (RFC 1952), however they are cut; the limit is for all of them together."""
    whole = bytes(100)
    packed = b"".join(gzip.compress(piece) for piece in (whole[:50], b"", whole[50:]))
    headers = [(b"content-encoding", b"gzip")]

    for at in range(1, len(packed)):
        made, _ = exchange(packed[:at], packed[at:], headers=headers)
        assert await made.body(100) == whole
    made, _ = exchange(packed, headers=headers)
    assert isinstance(await made.body(99), Failure)


@pytest.mark.parametrize(("event", "outcome"), [(DISCONNECT, "client_left"), (STALLED, "client_stalled")])
@pytest.mark.parametrize("when", ["in the body", "behind it"])
async def test_why_a_client_is_gone(event: dict[str, Any], outcome: str, when: str) -> None:
    """Whoever was cut because it read nothing did not leave by itself; both servers say so where they know."""
    made, _ = exchange(says=[dict(event)])
    if when == "in the body":
        assert await made.body(10) is None
    else:
        await made.left()

    assert made.log.write()["outcome"] == outcome
