"""Errors that upstreams were seen to send, and what a client gets: `fixtures/errors`, one file each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stages.wire import json
from tests.support import grammar, samples
from tests.support.cases import cases
from tests.support.running import REQUEST, client_of
from tests.support.upstream import Script, ScriptedUpstream, events, json_script

FIXTURES = sorted((Path(__file__).parents[2] / "fixtures" / "errors").glob("*.json"))

ASKS: dict[str, list[dict[str, Any]]] = {
    "text": [{"role": "user", "content": "Go on."}],
    "picture": [{"role": "user", "content": [{"type": "image", "source": samples.SOURCES["image base64"]}]}],
    "document": [{"role": "user", "content": [{"type": "document", "source": samples.SOURCES["document base64"]}]}],
    "late system": [{"role": "user", "content": "Hi."}, {"role": "system", "content": "News."}],
}
"""What a client asks, by the word that a fixture uses for it."""


def _read(path: Path) -> Any:
    return json.decode(path.read_bytes())


def _script(told: dict[str, Any]) -> Script:
    status = told.get("status", 200)
    if "json" in told:
        return json_script(told["json"], status)
    if "events" in told:
        return Script([events(*told["events"])], status)
    return Script([told["text"].encode()], status, {"content-type": "text/plain"})


@pytest.mark.parametrize("stream", [True, False])
@cases("path", FIXTURES, ids=lambda path: path.stem)
async def test_what_a_client_gets(path: Path, *, stream: bool) -> None:
    """The status, the type and the sentence; asked once where nothing heals, and as often as a fixture says else."""
    case = _read(path)
    upstream = ScriptedUpstream(_script(case["upstream"]))
    request = {**REQUEST, "model": "some-model", "messages": ASKS[case["asks"]], "stream": stream}

    reply = await client_of(upstream).messages(request)

    error = reply.json()["error"]
    wait = reply.headers.get("retry-after") if "retry_after" in case["client"] else None
    told = {"status": reply.status, "type": error["type"], "message": error["message"]}
    assert {**told, **({"retry_after": wait} if wait else {})} == case["client"]
    assert len(upstream.requests) == case.get("attempts", 1)


async def test_an_error_behind_the_first_word() -> None:
    """The head is out, so it is the stream's one `error` event, read as any other."""
    delta = {"type": "response.output_text.delta", "item_id": "m", "output_index": 0, "delta": "Hi"}
    failing = {
        "message": "The input (9000 tokens) is longer than the model's context length (8000 tokens).",
        "code": 400,
    }
    reply = await client_of(
        ScriptedUpstream(Script([events(delta), b"data: " + json.encode(failing) + b"\n\n"]))
    ).messages(REQUEST)

    error = grammar.read(reply.body).error
    assert error is not None
    assert error["message"] == "prompt is too long: 9000 tokens > 8000 maximum"
