"""What the headers about versions and betas change, and fields that must go no further than here."""

from __future__ import annotations

from typing import Any

import pytest
import structlog.testing

from pipeline.emulator import EmulatorTransport
from stages.tables.versions import VERSIONS
from stages.wire import json
from tests.support.canaries import MARK
from tests.support.client import Reply
from tests.support.running import REQUEST, client_of

BODY = REQUEST | {"stream": False}
MESSAGES, COUNT, EXPLAIN = "/v1/messages", "/v1/messages/count_tokens", "/v1/messages/explain"
ENDPOINTS = (MESSAGES, COUNT, EXPLAIN)
OLD, NEW = VERSIONS
SAFEGUARDS = [{"type": "dangerous_tool_use", "classifier_context": {"v": 1, "live_cwd": MARK, "rules": [MARK]}}]


async def ask(
    endpoint: str, body: dict[str, Any], headers: dict[str, str] | None = None, log: Any = None
) -> tuple[Reply, list[dict[str, Any]]]:
    """Send a body somewhere; return the answer and everything that went upstream."""
    upstream = EmulatorTransport(delay=0)
    client = client_of(upstream, log=log, log_level="debug")
    reply = await client.request("POST", endpoint, json.encode(body), headers)
    return reply, [*upstream.requests, *upstream.counted]


def version(value: str) -> dict[str, str]:
    """The header."""
    return {"anthropic-version": value}


def told(reply: Reply) -> tuple[int, str]:
    """Status and message of a refusal."""
    return reply.status, reply.json()["error"]["message"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_the_version_of_the_header_counts(endpoint: str) -> None:
    """The new one refuses what the old one takes; without the header, the old one counts."""
    body = BODY | {"temperature": 0.5}
    new, sent = await ask(endpoint, body, version(NEW))

    assert told(new) == (400, "temperature: Extra inputs are not permitted")
    assert sent == []
    for headers in ({}, version(OLD), version("")):
        assert (await ask(endpoint, body, headers))[0].status == 200


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_both_versions_take_an_ordinary_request(endpoint: str) -> None:
    """Unknown fields and unknown betas are no mistake under either."""
    for known in VERSIONS:
        headers = version(known) | {"anthropic-beta": "interleaved-thinking-2025-05-14, never-heard-of-2031-01-01,"}
        assert (await ask(endpoint, BODY | {"never_heard_of": 1}, headers))[0].status == 200


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_an_unknown_version_is_refused(endpoint: str) -> None:
    """In a sentence that the client's text cannot break out of."""
    reply, sent = await ask(endpoint, BODY, version('2030-01-01" \x07' + "x" * 9_000))
    status, message = told(reply)

    assert (status, sent) == (400, [])
    assert message == f'anthropic-version: "2030-01-01" ?{"x" * 27}" is not a valid version'


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("known", VERSIONS)
async def test_threads_are_refused_by_code(endpoint: str, known: str) -> None:
    """Tool runners go on without them when they read this code."""
    reply, sent = await ask(endpoint, BODY | {"thread": {"type": "create"}}, version(known))

    assert reply.status == 400
    assert reply.json()["error"]["details"] == {"error_code": "thread_unsupported_request"}
    assert sent == []


async def test_the_interleaved_beta_frees_the_budget() -> None:
    """It is a header's word that a rule about the body depends on."""
    body = BODY | {"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 4000}}

    assert told((await ask(MESSAGES, body))[0])[0] == 400
    assert (await ask(MESSAGES, body, {"anthropic-beta": "interleaved-thinking-2025-05-14"}))[0].status == 200


@pytest.mark.parametrize("stream", [True, False])
async def test_safeguards_stay_here(*, stream: bool) -> None:
    """What a check would look at is neither sent on nor logged, and no verdict is made up; the report says so."""
    log = structlog.testing.CapturingLogger()
    reply, sent = await ask(
        MESSAGES,
        BODY | {"stream": stream, "safeguards": SAFEGUARDS},
        {"anthropic-beta": "dangerous-tool-use-2026-09-03"},
        log,
    )

    assert reply.status == 200
    assert MARK.encode() not in json.encode(sent)
    assert "safeguards" not in sent[0]
    assert log.calls
    assert MARK not in repr(log.calls)
    assert MARK.encode() not in reply.body
    assert b"safeguard_results" not in reply.body
    assert "dropped=" in reply.headers["dragoman-mapping"]
    assert "safeguards" in reply.headers["dragoman-mapping"]


async def test_safeguards_are_not_counted_either() -> None:
    """A count is of what would be sent."""
    plain, (without,) = await ask(COUNT, BODY)
    checked, (with_them,) = await ask(COUNT, BODY | {"safeguards": SAFEGUARDS})

    assert with_them == without
    assert checked.json() == plain.json()
