"""Every request leaves one line in the log, also those that are refused, and no line quotes what a client said."""

from __future__ import annotations

from typing import Any

import attrs
import structlog.testing

from pipeline.emulator import EmulatorTransport
from pipeline.endpoints.application import application
from pipeline.settings import KeyHash
from stages.wire import json
from tests.support.canaries import MARK
from tests.support.client import MemoryClient
from tests.support.running import REQUEST, context_of

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
    keyed = attrs.evolve(context.settings, client_keys=(KeyHash.of(KEY["x-api-key"]),))
    client = MemoryClient(application(attrs.evolve(context, settings=keyed)))
    for method, path, body, headers, _ in ASKED:
        await client.request(method, path, body, headers)

    lines: list[dict[str, Any]] = [call.kwargs for call in log.calls if call.args == ("request",)]
    told = [(line["method"], line["route"], line["status"], line["outcome"]) for line in lines]
    assert told == [wanted for *_, wanted in ASKED]
    assert len({line["request_id"] for line in lines}) == len(ASKED)
    assert all(0 <= line["first_byte_seconds"] <= line["seconds"] for line in lines)
    assert MARK not in repr(log.calls)
