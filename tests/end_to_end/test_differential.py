"""One server, two roads: our Messages over aimock's Responses, against aimock's own Messages. `make engines`.

One file of fixtures answers on both of its APIs, so whatever differs is the translation. Every difference is either
listed here with its reason, or a failure.
"""

from __future__ import annotations

import json
from typing import Any

import attrs
import httpx
import pytest

from pipeline.settings import Settings, UpstreamSettings
from stages.wire import carrier
from tests.support.plain_client import BASH, client, question
from tests.support.serving import serving

pytestmark = pytest.mark.engine

READ = BASH | {
    "name": "Read",
    "input_schema": {"type": "object", "properties": {"file_path": {"type": "string"}}, "required": ["file_path"]},
}
CUES = (
    *("[[text]]", "[[unicode]]", "[[json]]", "[[long]]", "[[think]]", "[[call]]", "[[calls]]", "[[think]] [[call]]"),
    *("[[textcall]]", "[[blocks]]", "[[err400]]", "[[err429]]", "[[err500]]", "[[err529]]", "[[nothing that matches]]"),
)
"""What the fixtures of `start_aimock.sh` answer to."""


@attrs.frozen
class Difference:
    """Something that is not the same on both roads.

    Attributes:
        field: of `Answer`.
        theirs: what aimock's Messages says.
        ours: what our Messages says.
        why: the reason for which ours is right.
    """

    field: str
    theirs: Any
    ours: Any
    why: str = attrs.field(eq=False)


DIFFERENCES: dict[str, list[Difference]] = {
    "[[err400]]": [
        Difference(
            "message",
            "Your input exceeds the context window of this model.",
            "prompt is too long: Your input exceeds the context window of this model.",
            "aimock repeats its fixture's OpenAI words; Claude Code compacts on Anthropic's own",
        )
    ],
    "[[err500]]": [
        Difference(
            "error",
            "server_error",
            "api_error",
            "aimock repeats its fixture's OpenAI type; Anthropic knows no `server_error`",
        )
    ],
    "[[nothing that matches]]": [
        Difference("status", 404, 500, "Claude Code takes any 404 for a missing model"),
        Difference(
            "error",
            "invalid_request_error",
            "api_error",
            "aimock has one body, of OpenAI's shape, for both APIs; a 404 about no model is the gateway's fault",
        ),
        Difference(
            "message",
            "No fixture matched",
            "The upstream answered 404, and not about a model; "
            "upstream.url may name the wrong path: No fixture matched",
            "Claude Code takes any 404 for a missing model",
        ),
    ],
}
"""By cue; what differs in every answer is left out by `normal`, which says why."""


@attrs.frozen
class Answer:
    """What an answer means to a client.

    Attributes:
        status: the HTTP status.
        content: blocks in order: type and text, or `tool_use`, name and input.
        stop_reason: why it ended.
        error: the error's type.
        message: the error's sentence.
        retry_after: how long to wait.
    """

    status: int
    content: list[tuple[Any, ...]]
    stop_reason: str | None
    error: str | None
    message: str | None
    retry_after: str | None


def normal(status: int, headers: httpx.Headers, message: dict[str, Any], error: dict[str, Any]) -> Answer:
    """Leave out what always differs.

    Ids, because they are random. Signatures, because ours carries the upstream's reasoning item and theirs is a
    placeholder; for the same reason a thought without words that carries one, which aimock adds as reasoning models
    do. Usage, because aimock's is zero in one API and partly absent in the other. `details`, `request_id`, `caller`
    and `stop_details`, because ours has all of today's fields and theirs has fewer.
    """
    blocks = [_block(block) for block in message.get("content", []) if not _only_carries(block)]
    return Answer(
        status,
        blocks,
        message.get("stop_reason"),
        error.get("type"),
        error.get("message"),
        headers.get("retry-after"),
    )


def _block(block: dict[str, Any]) -> tuple[Any, ...]:
    kind = block["type"]
    return (kind, block["name"], block["input"]) if kind == "tool_use" else (kind, _joined(block[kind]))


def _joined(text: str) -> str:
    """Put characters together that aimock cuts in halves, as a client in JavaScript does."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


def _only_carries(block: dict[str, Any]) -> bool:
    if block["type"] != "thinking" or block["thinking"]:
        return False
    sealed = carrier.decode(block["signature"])
    assert sealed is not None
    assert sealed.encrypted_content
    return True


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("cue", CUES)
async def test_both_roads_lead_to_the_same_answer(aimock: str, cue: str, *, stream: bool) -> None:
    """Text, calls, thinking, stop reason, status, error and waiting time are the same, or the difference is argued."""
    request = question(cue, tools=[BASH, READ], thinking={"type": "adaptive"}, stream=stream)
    settings = Settings(upstream=UpstreamSettings(url=f"{aimock}/v1"), log_level="error")
    async with serving(settings) as url:
        ours = await _ask(url, request)
    theirs = await _ask(aimock, request)

    found = [
        Difference(field.name, there, here, "")
        for field in attrs.fields(Answer)
        if (there := getattr(theirs, field.name)) != (here := getattr(ours, field.name))
    ]
    assert found == DIFFERENCES.get(cue, [])
    assert (ours.status == 200) == bool(ours.content)


async def _ask(url: str, request: dict[str, Any]) -> Answer:
    async with client() as http:
        answer = await http.post(f"{url}/v1/messages", json=request, headers={"x-api-key": "sk-ant-nobody"})
    if answer.headers["content-type"].startswith("text/event-stream"):
        return normal(answer.status_code, answer.headers, _folded(answer.content), {})
    body = answer.json()
    return normal(answer.status_code, answer.headers, body, body.get("error", {}))


def _folded(body: bytes) -> dict[str, Any]:
    """Add a stream up, by code that knows neither of the two servers."""
    blocks: list[dict[str, Any]] = []
    reason: str | None = None
    for line in body.decode().splitlines():
        event: dict[str, Any] = json.loads(line[5:]) if line.startswith("data:") else {"type": "none"}
        if event["type"] == "content_block_start":
            blocks.append(event["content_block"] | {"partial_json": ""})
        elif event["type"] == "content_block_delta":
            delta = event["delta"]
            field = delta["type"].removesuffix("_delta").replace("input_json", "partial_json")
            blocks[-1][field] += delta[field]
        elif event["type"] == "content_block_stop" and blocks[-1]["type"] == "tool_use":
            blocks[-1]["input"] = json.loads(blocks[-1]["partial_json"])
        elif event["type"] == "message_delta":
            reason = event["delta"]["stop_reason"]
    return {"content": blocks, "stop_reason": reason}
