"""What the server itself says: Anthropic's envelope, with the type that goes with the status."""

from __future__ import annotations

from pipeline.server.refusal import BROKEN, CROWDED, SILENT, Refusal
from stages.canonical.failure import Kind
from stages.wire import json
from tests.support.cases import cases

TYPES = {kind.status: kind.error_type for kind in reversed(Kind)}


@cases(
    "refusal", [BROKEN, CROWDED, SILENT, *(Refusal(status, "No.") for status in (400, 413, 414, 417, 431, 501, 505))]
)
def test_an_envelope(refusal: Refusal) -> None:
    """It has the length that it says, one id, and the type that the API has for this status, if it has one."""
    headers, body = refusal.answer()
    told, known = json.decode(body), dict(headers)

    assert known[b"content-length"] == str(len(body)).encode()
    assert known[b"request-id"].decode() == told["request_id"]
    assert told["error"]["type"] == TYPES.get(refusal.status, "invalid_request_error")
    assert told["error"]["message"] == refusal.sentence


def test_each_has_an_id_of_its_own() -> None:
    """Two refusals are two requests."""
    assert SILENT.answer()[1] != SILENT.answer()[1]
