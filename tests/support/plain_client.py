"""A plain HTTP client of the Messages API, and what one answer of it says, streamed or not."""

from __future__ import annotations

import json
from typing import Any

import attrs
import httpx

from tests.support.grammar import read

BASH: dict[str, Any] = {
    "name": "Bash",
    "description": "Runs a command.",
    "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}, "required": ["command"]},
}
"""A tool as every client has one."""


@attrs.frozen
class PlainAnswer:
    """An answer.

    Attributes:
        status: the HTTP status.
        headers: the answer's headers.
        content: the blocks; calls have their arguments as `input`.
        stop_reason: why it ended; None for an error.
        usage: the last word about tokens.
        error: the `error` object, of a body or of an `error` event.
        streamed: whether it came as a stream.
    """

    status: int
    headers: httpx.Headers
    content: list[dict[str, Any]]
    stop_reason: str | None
    usage: dict[str, Any]
    error: dict[str, Any] | None
    streamed: bool

    def texts(self, kind: str = "text") -> list[str]:
        """The texts of all blocks of one type, `text` or `thinking`."""
        return [block[kind] for block in self.content if block["type"] == kind]

    def calls(self) -> list[tuple[str, Any]]:
        """The calls: name and arguments."""
        return [(block["name"], block["input"]) for block in self.content if block["type"] == "tool_use"]


def client() -> httpx.AsyncClient:
    """Make an HTTP client that uses no proxy of the environment's."""
    return httpx.AsyncClient(trust_env=False, timeout=60)


def question(prompt: str, **fields: Any) -> dict[str, Any]:
    """Write a request with one user message."""
    base = {"model": "claude-sonnet-5-5", "max_tokens": 1000, "messages": [{"role": "user", "content": prompt}]}
    return base | fields


async def ask(url: str, request: dict[str, Any], *, stream: bool) -> PlainAnswer:
    """Send a message request; a stream is read by a reader that forgives nothing."""
    async with client() as http:
        answer = await http.post(
            f"{url}/v1/messages",
            json=request | {"stream": stream},
            headers={"anthropic-version": "2023-06-01", "x-api-key": "sk-ant-nobody"},
        )
    if not answer.headers["content-type"].startswith("text/event-stream"):
        return _whole(answer)
    told = read(answer.content)
    content = [_called(block) for block in told.content]
    reason = told.delta.get("stop_reason")
    return PlainAnswer(answer.status_code, answer.headers, content, reason, told.usage, told.error, streamed=True)


def _whole(answer: httpx.Response) -> PlainAnswer:
    body = answer.json()
    content, usage = body.get("content", []), body.get("usage", {})
    reason, error = body.get("stop_reason"), body.get("error")
    return PlainAnswer(answer.status_code, answer.headers, content, reason, usage, error, streamed=False)


def _called(block: dict[str, Any]) -> dict[str, Any]:
    if block["type"] != "tool_use":
        return block
    return block | {"input": json.loads(block["partial_json"] or "{}")}
