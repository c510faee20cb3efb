"""Every request leaves one line in the log, also those that are refused, and no line quotes what a client said."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
import structlog.testing
import trio.testing

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.settings.client_keys import client_keys
from pipeline.telemetry.session_marks import session_mark
from stages.wire import json
from tests.support.canaries import MARK
from tests.support.client import MemoryClient
from tests.support.running import REQUEST, context_of
from tests.support.upstream import Script, ScriptedUpstream
from tests.support.upstream_events import CREATED, completed, text

KEY = {"x-api-key": "sk-of-a-client"}
STRICTLY = {"dragoman-mode": "strict"}
BODY = json.encode(REQUEST)
STRICT = json.encode(REQUEST | {"top_k": 5})

ASKED: list[tuple[str, str, bytes, dict[str, str], tuple[str, str, int, str]]] = [
    ("POST", "/v1/messages", BODY, KEY, ("POST", "/v1/messages", 200, "ok")),
    ("POST", "/v1/messages", b"{" + MARK.encode(), KEY, ("POST", "/v1/messages", 400, "invalid_request")),
    ("POST", "/v1/messages", BODY, {"x-api-key": MARK}, ("POST", "/v1/messages", 401, "authentication")),
    ("GET", f"/{MARK}?{MARK}", b"", KEY, ("GET", "other", 404, "not_found")),
    ("GET", "/v1/messages", b"", KEY, ("GET", "/v1/messages", 405, "method_not_allowed")),
    (MARK, "/v1/messages", b"", KEY, ("other", "/v1/messages", 405, "method_not_allowed")),
    (
        "POST",
        "/v1/messages",
        STRICT,
        KEY | {"dragoman-mode": "strict"},
        ("POST", "/v1/messages", 400, "invalid_request"),
    ),
    ("POST", "/v1/messages/count_tokens", BODY, KEY, ("POST", "/v1/messages/count_tokens", 200, "ok")),
    ("POST", "/v1/messages/explain", BODY, KEY, ("POST", "/v1/messages/explain", 200, "ok")),
    ("GET", "/v1/models", b"", KEY, ("GET", "/v1/models", 200, "ok")),
    ("GET", f"/v1/models/{MARK}", b"", KEY, ("GET", "/v1/models/{id}", 404, "not_found")),
]
"""What is asked, and what its line says: method, route, status, outcome."""


async def test_one_line_each() -> None:
    """In the order in which they ended; a client's words stand in none of them."""
    log = structlog.testing.CapturingLogger()
    context = context_of(EmulatorTransport(delay=0), log=log)
    keyed = attrs.evolve(context.settings, client_keys=client_keys({"alice": KEY["x-api-key"]}))
    client = MemoryClient(application(attrs.evolve(context, settings=keyed)))
    for method, path, body, headers, _ in ASKED:
        await client.request(method, path, body, headers)

    lines: list[dict[str, Any]] = [call.kwargs for call in log.calls if call.args == ("request",)]
    told = [(line["method"], line["route"], line["status"], line["outcome"]) for line in lines]
    assert told == [wanted for *_, wanted in ASKED]
    assert len({line["request_id"] for line in lines}) == len(ASKED)
    assert all(0 <= line["first_byte_seconds"] <= line["seconds"] for line in lines)
    assert {line["client"] for line in lines if line["status"] == 200} == {"alice"}
    assert not any("client" in line for line in lines if line["status"] == 401)
    about = [(line.get("asked_model"), line.get("cause")) for line in lines if line["method"] == "POST"]
    model = REQUEST["model"]
    assert about == [(model, None), *[(None, None)] * 2, (model, "strict"), (model, None), (model, None)]
    assert MARK not in repr(log.calls)


async def test_a_model_that_nobody_knows() -> None:
    """Is a word of its client's, also where nothing is sent."""
    log = structlog.testing.CapturingLogger()
    client = MemoryClient(application(context_of(EmulatorTransport(delay=0), log=log)))
    for body in (REQUEST | {"model": MARK}, REQUEST | {"model": [MARK]}):
        await client.request("POST", "/v1/messages/count_tokens", json.encode(body))

    lines = [call.kwargs for call in log.calls if call.args == ("request",)]
    assert [line.get("asked_model") for line in lines] == ["other", None]
    assert MARK not in repr(log.calls)


GOOD = Script([CREATED, text("hi"), completed()])
SESSION = "0d5ac1d8-7a6e-4b0f-9f5e-1f2a3b4c5d6e"
CLAUDE_CODE = {"x-claude-code-session-id": SESSION}
USER_ID = json.encode({"device_id": "d", "session_id": SESSION}).decode()


async def line_of(*scripts: Script, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> Any:
    """The line of one message request, after whose upstream's answer it is."""
    log = structlog.testing.CapturingLogger()
    client = MemoryClient(application(context_of(ScriptedUpstream(*scripts), retries=2, log=log)))
    await client.messages(REQUEST | {"stream": False} | (body or {}), headers)
    return next(call.kwargs for call in log.calls if call.args == ("request",))


@pytest.mark.parametrize(
    ("body", "headers", "told"),
    [
        ({}, CLAUDE_CODE, session_mark(SESSION)),
        ({"metadata": {"user_id": USER_ID}}, {}, session_mark(SESSION)),
        ({"metadata": {"user_id": f"user_x_session_{SESSION}"}}, {}, session_mark(SESSION)),
        ({"metadata": {"user_id": "user_x_session_alice@example.com"}}, {}, ""),  # a hash of it could be guessed
        ({"metadata": {"user_id": "alice"}}, {}, ""),
        ({}, {}, ""),
    ],
)
async def test_requests_of_one_session_are_known_by_its_mark(
    body: dict[str, Any], headers: dict[str, str], told: str
) -> None:
    """A hash of what the client tells, if that is an id."""
    line = await line_of(GOOD, body=body, headers=headers)

    assert line["session"] == told
    assert SESSION not in repr(line)


async def test_what_became_of_the_request(autojump_clock: trio.testing.MockClock) -> None:
    """The gravest thing that the mapping did, how often the upstream was asked, and what it said last."""
    began = autojump_clock.current_time()
    well = await line_of(GOOD)
    cut = await line_of(GOOD, body={"top_k": 5})
    down = await line_of(*[Script((b"no",), 503, {})] * 3)

    assert (well["mapping"], well["attempts"], well["upstream_status"]) == ("faithful", 1, 200)
    assert cut["mapping"] == "dropped"
    assert (down["attempts"], down["upstream_status"], down["status"]) == (3, 503, 529)
    assert down["seconds"] == round(autojump_clock.current_time() - began, 3) > 0
