"""What independent servers of the Responses API have said, whole and cut: a message, or a proper error, always."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from tests.conftest import SHARED
from tests.support.cases import cases
from tests.support.client import Reply
from tests.support.judges import judge_body, judge_stream
from tests.support.running import REQUEST, client_of
from tests.support.spread import share, spread
from tests.support.upstream import Script, ScriptedUpstream

ENDINGS = ("response.completed", "response.incomplete", "response.failed", "error")
"""Events after which nothing is missing."""

HALF = "hex escape"
# One engine cuts a surrogate pair into two deltas, and each half goes on as it came: JavaScript joins them, JSON may
# hold them, only the judge's own reader of JSON (pydantic's) takes no halves.

TOO_LONG = 60
"""Seconds, on a clock that jumps, within which every answer must be over: far more than any stream needs to play."""


def _recordings() -> list[Path]:
    found = sorted((SHARED / "recordings").glob("engines/*/responses_*.json"))
    return [path.relative_to(SHARED) for path in found if _load(path)["path"] == "/v1/responses"]


def _load(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((SHARED / path).read_bytes())
    return record


def _body(record: dict[str, Any]) -> bytes:
    body = record["body"]
    return body.encode() if isinstance(body, str) else json.dumps(body).encode()


async def _play(record: dict[str, Any], body: bytes, *, stream: bool) -> Reply:
    upstream = ScriptedUpstream(Script([body], record["status"], record["headers"]))
    with trio.fail_after(TOO_LONG):
        reply = await client_of(upstream).messages(REQUEST | {"stream": stream})
    assert upstream.open == 0
    assert reply.ended
    return reply


def _ended_well(reply: Reply, *, stream: bool) -> bool:
    """Have a reply judged; whether it is a whole message, rather than an error."""
    if reply.status != 200 or not stream:
        assert judge_body(reply.json(), reply.status) == []
        return reply.status == 200
    findings, message = judge_stream(reply.body)
    assert [finding for finding in findings if HALF not in finding] == []
    return bool(message)


def _is_told(body: bytes) -> bool:
    """Whether a stream's bytes hold the event that ends it, up to the end of its line."""
    lines = body.split(b"\n")[:-1]
    return any(line.startswith(b"data:") and _type(line[5:]) in ENDINGS for line in lines)


def _type(payload: bytes) -> str | None:
    try:
        event = json.loads(payload)
    except ValueError:
        return None
    return event.get("type") if isinstance(event, dict) else None


CUTS = [(part, stream) for part in range(10) for stream in (True, False)]
"""After how many tenths a stream is cut, and whether the client streams."""

RECORDINGS = _recordings()
STREAMS = [path for path in RECORDINGS if _load(path)["stream"] and _load(path)["status"] == 200]


@cases(("path", "stream"), spread(RECORDINGS, (True, False)), parts=3)
async def test_played_again(shared: Path, autojump_clock: MockClock, path: Path, *, stream: bool) -> None:
    """A good answer becomes a message, a status above 400 an error with a status of the same kind.

    But for what a client cannot mend, or can: a 404 that is not about a model, and a picture refused with a 500.
    """
    record = _load(shared / path)
    reply = await _play(record, _body(record), stream=stream)
    well = _ended_well(reply, stream=stream)

    if record["status"] >= 400:
        cured = {404: 500, 500: 400 if b"image input" in _body(record) else 500}
        assert reply.status // 100 == cured.get(record["status"], record["status"]) // 100
    else:
        assert well == _is_sound(record), autojump_clock


def _is_sound(record: dict[str, Any]) -> bool:
    """Whether an answer is JSON throughout, has an ending, and no call in it has arguments that are none."""
    if not record["stream"]:
        return _calls_are_sound(record["body"])
    lines = [line[5:] for line in _body(record).splitlines() if line.startswith(b"data:")]
    if any(_type(line) is None for line in lines if b"[DONE]" not in line):
        return False
    last = next((json.loads(line) for line in lines if _type(line) in ENDINGS[:2]), None)
    return last is not None and _calls_are_sound(last["response"])


def _calls_are_sound(response: dict[str, Any]) -> bool:
    """Whether all arguments are objects; those of an unfinished answer may be anything."""
    try:
        return all(isinstance(json.loads(item.get("arguments") or "{}"), dict) for item in response["output"])
    except ValueError:
        return str(response["status"]) == "incomplete"


@cases("path", STREAMS)
async def test_cut(shared: Path, autojump_clock: MockClock, path: Path) -> None:
    """Cut anywhere before its own ending, a stream never ends well; cut after it, nothing is missing."""
    record = _load(shared / path)
    body = _body(record)
    for part, stream in share(path, CUTS, count=2):
        cut = body[: len(body) * part // 10]
        well = _ended_well(await _play(record, cut, stream=stream), stream=stream)
        assert not well or _is_told(cut), (len(cut), autojump_clock)


@pytest.mark.parametrize("path", STREAMS[::5], ids=str)
async def test_silent_for_ever(shared: Path, autojump_clock: MockClock, path: Path) -> None:
    """A connection that stays open in the middle of a stream, and says nothing more, is given up with an error."""
    record = _load(shared / path)
    body = _body(record)
    half = body[: body.index(b"\n\n") + 2]
    upstream = ScriptedUpstream(Script([half, trio.Event()], record["status"], record["headers"]))
    with trio.fail_after(1000):
        reply = await client_of(upstream).messages(REQUEST)

    assert judge_stream(reply.body)[1] == {}, autojump_clock
    assert reply.events()[-1]["error"]["type"] == "timeout_error"
    assert upstream.open == 0


def test_there_are_recordings(shared: Path) -> None:
    """A folder that was moved must not pass for one without mistakes."""
    assert len(RECORDINGS) > 150, shared
    assert len(STREAMS) > 60
