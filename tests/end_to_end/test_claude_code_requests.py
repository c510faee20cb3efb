"""Every recorded request of the real Claude Code, through the whole application, onto the emulator.

The emulator refuses what the Responses API would refuse, so being answered already says much; what went upstream is
judged once more by the checker that lies beside the recordings.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from pipeline.emulator import EmulatorTransport
from tests.conftest import SHARED
from tests.end_to_end.pieces import pieces_of_request, pieces_of_upstream
from tests.support.cases import cases
from tests.support.client import Reply
from tests.support.judges import judge_body, judge_stream, judge_upstream_request
from tests.support.running import client_of

SCENARIOS = sorted(path.relative_to(SHARED) for path in (SHARED / "recordings/claude_code").glob("*.json"))
NOBODY = "00000000-0000-4000-8000-000000000000"
"""What stands in the recordings for every session's id."""


def _to_anthropic() -> list[Path]:
    """List what was recorded of other clients with a request to a model."""
    found = sorted((SHARED / "recordings/anthropic").glob("*/*.json"))
    requests = ((path, json.loads(path.read_bytes())["request"]) for path in found)
    return [path.relative_to(SHARED) for path, body in requests if isinstance(body, dict) and "messages" in body]


ANTHROPIC = _to_anthropic()


@attrs.frozen
class Sent:
    """A request of the client, what it was answered, and what went upstream for it."""

    record: dict[str, Any]
    reply: Reply
    upstream: dict[str, Any]

    @property
    def body(self) -> dict[str, Any]:
        """The client's body."""
        body: dict[str, Any] = self.record["body"]
        return body


_SENT: dict[tuple[Path, str], list[Sent]] = {}


async def _sent(path: Path, kind: str = "/v1/messages") -> list[Sent]:
    """Send a scenario's requests once, for all tests that look at what became of them."""
    if (path, kind) not in _SENT:
        _SENT[path, kind] = await _send(path, kind)
    return _SENT[path, kind]


async def _send(path: Path, kind: str) -> list[Sent]:
    """Send a scenario's requests to one path, query apart, in order; each scenario has a session of its own.

    Left out are those that their own API version refuses, which a test below sends.
    """
    transport = EmulatorTransport(delay=0)
    client, sent = client_of(transport), list[Sent]()
    session = str(uuid.uuid5(uuid.NAMESPACE_URL, path.name))
    for record in json.loads((SHARED / path).read_text("utf-8").replace(NOBODY, session))["requests"]:
        if record["method"] == "POST" and record["path"].partition("?")[0] == kind and not _samples_in_vain(record):
            headers = dict(record["headers"])
            reply = await client.request("POST", record["path"], json.dumps(record["body"]).encode(), headers)
            sent.append(Sent(record, reply, (transport.requests or transport.counted)[-1]))
    assert transport.open_streams == 0
    return sent


def _samples_in_vain(record: dict[str, Any]) -> bool:
    """Whether a request chooses how to sample under an API version that does not let it."""
    version = {name.lower(): value for name, value in record["headers"]}.get("anthropic-version", "")
    return version >= "2026-10-21" and not {"temperature", "top_p", "top_k"}.isdisjoint(record["body"])


async def test_refused_by_its_own_version(shared: Path) -> None:
    """A request that says how to sample, under the version that does not take it, is told so as Anthropic does."""
    client = client_of(EmulatorTransport(delay=0))
    records = [record for path in SCENARIOS for record in json.loads((shared / path).read_bytes())["requests"]]
    posted = [each for each in records if each["method"] == "POST" and isinstance(each["body"], dict)]
    refused = [record for record in posted if _samples_in_vain(record)]
    assert refused
    for record in refused:
        body = json.dumps(record["body"]).encode()
        reply = await client.request("POST", record["path"], body, dict(record["headers"]))
        assert reply.status == 400
        assert reply.json()["error"]["message"].endswith(": Extra inputs are not permitted")


@cases("path", SCENARIOS, parts=2)
async def test_answered(shared: Path, path: Path) -> None:
    """Every request is answered with a message that the judge has nothing to say against."""
    for sent in await _sent(shared / path):
        assert sent.reply.status == 200, (sent.record["n"], sent.reply.body)
        if sent.body.get("stream"):
            findings, message = judge_stream(sent.reply.body, sent.body)
            assert message
        else:
            findings = judge_body(sent.reply.json(), 200)
        assert findings == [], sent.record["n"]


@cases("path", SCENARIOS)
async def test_understood_upstream(shared: Path, path: Path) -> None:
    """What went upstream is a request of the Responses API, unstored, without billing header, `strict` always said."""
    for sent in await _sent(shared / path):
        assert judge_upstream_request(sent.upstream) == [], sent.record["n"]
        assert "x-anthropic-billing-header" not in json.dumps(sent.upstream)
        assert sent.upstream["store"] is False
        assert all(isinstance(function["strict"], bool) for function in _functions(sent.upstream))


def _functions(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    added = [tool for item in body["input"] if item["type"] == "additional_tools" for tool in item["tools"]]
    return (tool for tool in [*body.get("tools", ()), *added] if tool["type"] == "function")


@cases("path", SCENARIOS)
async def test_nothing_is_lost(shared: Path, path: Path) -> None:
    """Every text, image, document, call and result of the conversation is upstream, in the same order.

    A picture's data follows its media type there, and the text of a failed call the mark that says so.
    """
    for sent in await _sent(shared / path):
        upstream = iter(pieces_of_upstream(sent.upstream))
        for piece in pieces_of_request(sent.body):
            assert any(found.endswith(piece) for found in upstream), (sent.record["n"], piece)


async def test_a_session_has_one_cache_key(shared: Path) -> None:
    """Requests of one session and agent share their `prompt_cache_key`, and no others do."""
    keys: dict[tuple[str, str], set[str]] = {}
    for path in SCENARIOS:
        for sent in await _sent(shared / path):
            if (session := _session(sent.record)) is not None:
                keys.setdefault(session, set()).add(sent.upstream["prompt_cache_key"])

    assert len(keys) > 30
    assert all(len(found) == 1 for found in keys.values())
    assert len(set.union(*keys.values())) == len(keys)


def _session(record: dict[str, Any]) -> tuple[str, str] | None:
    """The session and the agent of a request: told in headers today, in `metadata` by older versions."""
    headers = {name.lower(): value for name, value in record["headers"]}
    user = (record["body"].get("metadata") or {}).get("user_id") or ""
    told = json.loads(user).get("session_id") if user.startswith("{") else user.partition("_session_")[2]
    session = headers.get("x-claude-code-session-id") or told
    return (session, headers.get("x-claude-code-agent-id", "")) if session else None


@cases("path", SCENARIOS)
async def test_counted(shared: Path, path: Path) -> None:
    """Every request to count tokens is answered with a number."""
    for sent in await _sent(shared / path, "/v1/messages/count_tokens"):
        assert sent.reply.status == 200
        assert judge_body(sent.reply.json(), 200) == []
        assert sent.reply.json()["input_tokens"] > 0


@cases("path", ANTHROPIC, parts=2)
async def test_requests_to_anthropic(shared: Path, path: Path) -> None:
    """What others have sent to Anthropic is answered, or refused with a reason; never is it our fault."""
    record = json.loads((shared / path).read_bytes())
    request = record["request"]
    endpoint = "/v1/messages" + ("/count_tokens" if "count_tokens" in record["url"] else "")
    client = client_of(EmulatorTransport(delay=0))
    reply = await client.request("POST", endpoint, json.dumps(request).encode())

    if reply.status == 200 and request.get("stream"):
        assert judge_stream(reply.body)[0] == []
    else:
        assert judge_body(reply.json(), reply.status) == []
        assert reply.status < 500
    if reply.status >= 400:
        assert reply.json()["error"]["message"], "a refusal without a reason"
