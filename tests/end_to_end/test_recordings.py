"""Every recorded answer of the Responses API, through the whole application: a valid message that says the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stages.wire import carrier
from tests.end_to_end.recorded import Seen, expected, load, recordings, script, seen, whole_response
from tests.support.cases import cases
from tests.support.client import Reply
from tests.support.judges import judge_body, judge_stream
from tests.support.running import client_of
from tests.support.spread import spread
from tests.support.upstream import ScriptedUpstream

REQUEST: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 128_000,  # more than any of them has, so that none seems to have hit the limit
    "messages": [{"role": "user", "content": "hi"}],
}

CONTRADICTS_ITSELF = "ai__openai_shell_container_1"
# Its deltas and its whole response tell two different texts. What was streamed cannot be taken back, so the deltas win.

STREAMED, WHOLE = "streamed", "whole"
PLAYED = spread(recordings(), (STREAMED, STREAMED, WHOLE))
"""Each recording in one way: the whole answer is what the stream adds up to (law 3), so most are streamed."""


async def _play(record: dict[str, Any], *, stream: bool) -> Reply:
    upstream = ScriptedUpstream(script(record))
    reply = await client_of(upstream).messages(REQUEST | {"stream": stream})
    assert upstream.open == 0
    return reply


def _unseal(signature: str) -> str:
    sealed = carrier.decode(signature)
    assert sealed is not None
    return sealed.encrypted_content


def _check_seen(name: str, record: dict[str, Any], message: dict[str, Any]) -> None:
    response = whole_response(record)
    assert response is not None
    ours, theirs = seen(message, _unseal), expected(record, response)
    if name.startswith(CONTRADICTS_ITSELF):
        ours, theirs = _without_texts(ours), _without_texts(theirs)
    assert ours == theirs


def _without_texts(answer: Seen) -> Seen:
    kinds = [(kind,) if kind == "text" else (kind, *rest) for kind, *rest in answer.content]
    return Seen(kinds, answer.stop_reason, answer.usage)


@cases("path", [path for path, way in PLAYED if way is STREAMED], parts=3)
async def test_streamed(shared: Path, path: Path) -> None:
    """Streamed: the judges find nothing, and text, calls, reasoning, stop reason and usage are the recorded ones."""
    record = load(shared / "recordings" / path)
    reply = await _play(record, stream=True)

    if reply.status != 200:
        assert whole_response(record) is None
        assert judge_body(reply.json(), reply.status) == []
        return
    findings, message = judge_stream(reply.body, REQUEST)
    assert findings == []
    if message:
        _check_seen(path.name, record, message)
    else:
        assert whole_response(record) is None


@cases("path", [path for path, way in PLAYED if way is WHOLE])
async def test_whole(shared: Path, path: Path) -> None:
    """Not streamed: the same, as one body."""
    record = load(shared / "recordings" / path)
    reply = await _play(record, stream=False)

    assert judge_body(reply.json(), reply.status) == []
    if reply.status == 200:
        _check_seen(path.name, record, reply.json())
    else:
        assert whole_response(record) is None


def test_there_are_recordings(shared: Path) -> None:
    """A folder that was moved must not pass for one without mistakes."""
    assert len(PLAYED) > 600, shared
