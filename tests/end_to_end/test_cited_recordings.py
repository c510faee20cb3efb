"""Recorded answers with annotations, for a client that searches: cut into cited blocks, and put together again.

What a client is told must be one valid message, streamed or not, whose texts add up to the recorded ones; and what it
sends back in the next turn must be the recorded text again, with its annotations.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stages.canonical.request import Caller, Request
from stages.decoder import decode_request
from stages.mapper import Target, map_request
from stages.wire import json
from tests.end_to_end.recorded import load, recordings, script, whole_response
from tests.support.client import Reply
from tests.support.items import parts_of
from tests.support.judges import judge_body, judge_stream, judge_upstream_request
from tests.support.running import client_of
from tests.support.spread import spread
from tests.support.upstream import ScriptedUpstream

REQUEST: dict[str, Any] = {
    "model": "claude-sonnet-5-5",
    "max_tokens": 128_000,
    "messages": [{"role": "user", "content": "hi"}],
    "tools": [{"type": "web_search_20250305", "name": "web_search"}],
}


def _parts(record: dict[str, Any]) -> list[dict[str, Any]]:
    """The recorded texts with their annotations."""
    items = (whole_response(record) or {"output": []})["output"]
    return [
        part
        for item in items
        if item["type"] == "message"
        for part in item["content"]
        if part["type"] == "output_text" and part["text"].strip()
    ]


def _web(part: dict[str, Any]) -> list[dict[str, Any]]:
    return [note for note in part["annotations"] if note["type"] == "url_citation"]


def _annotated() -> list[Path]:
    return [path for path in recordings() if any(part.get("annotations") for part in _parts(load(path)))]


RECORDINGS = _annotated()


async def _play(record: dict[str, Any], *, stream: bool) -> Reply:
    upstream = ScriptedUpstream(script(record))
    return await client_of(upstream).messages(REQUEST | {"stream": stream})


def _texts(message: dict[str, Any]) -> str:
    return "".join(block["text"] for block in message["content"] if block["type"] == "text")


def _sent_back(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The texts of the next turn's input that the model had said."""
    said = {"role": "assistant", "content": message["content"]}
    turns = [*REQUEST["messages"], said, {"role": "user", "content": "more"}]
    request = decode_request(json.encode(REQUEST | {"messages": turns}))
    assert isinstance(request, Request)
    body = map_request(request, Caller(), Target(), message_id="msg_1").body
    assert judge_upstream_request(body) == []
    messages = [item for item in body["input"] if item.get("role") == "assistant"]
    return [part for item in messages for part in parts_of(item)]


def _check(record: dict[str, Any], message: dict[str, Any]) -> None:
    expected = [{"text": part["text"], "annotations": _web(part)} for part in _parts(record)]
    assert _texts(message) == "".join(part["text"] for part in expected)
    told = [citation for block in message["content"] for citation in block.get("citations") or ()]
    assert sorted(one["url"] for one in told) == sorted(
        note["url"] for part in expected for note in part["annotations"]
    )
    sent = [{"text": part["text"], "annotations": part["annotations"]} for part in _sent_back(message)]
    assert sent == expected


@pytest.mark.parametrize(("path", "stream"), spread(RECORDINGS, (True, False)), ids=str)
async def test_cited_answers(shared: Path, path: Path, stream: bool) -> None:
    """The judges find nothing, no text is lost, each source of the web is cited once, and all of it goes back."""
    record = load(shared / "recordings" / path)
    reply = await _play(record, stream=stream)

    if stream:
        findings, message = judge_stream(reply.body, REQUEST)
        assert findings == []
    else:
        message = reply.json()
        assert judge_body(message, reply.status) == []
    _check(record, message)


async def test_streamed_or_not_is_the_same_message(shared: Path) -> None:
    """The same upstream stream becomes the same blocks for both kinds of client."""
    for path in RECORDINGS:
        record = load(shared / "recordings" / path)
        streamed = judge_stream((await _play(record, stream=True)).body, REQUEST)[1]
        whole = (await _play(record, stream=False)).json()
        assert streamed["content"] == whole["content"], path


def test_there_are_recordings(shared: Path) -> None:
    """A folder that was moved must not pass for one without mistakes."""
    assert len(RECORDINGS) > 40, shared


async def test_a_structured_answer_stays_one_text(shared: Path) -> None:
    """A client that wants JSON reads one block; what it cites is left out."""
    cited = [path for path in RECORDINGS if any(_web(part) for part in _parts(load(path)))]
    for path in cited:
        record = load(shared / "recordings" / path)
        schema = {"type": "object", "properties": {}, "additionalProperties": False}
        asked = {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
        upstream = ScriptedUpstream(script(record))
        message = (await client_of(upstream).messages(REQUEST | asked | {"stream": False})).json()
        assert not any(block.get("citations") for block in message["content"])
        assert [block["text"] for block in message["content"] if block["type"] == "text"] == [
            part["text"] for part in _parts(record)
        ]
