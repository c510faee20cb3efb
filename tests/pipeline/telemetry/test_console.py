"""What a person reads of a request."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.telemetry.console import for_people, request_line

WHEN = {"event": "request", "timestamp": "2026-11-28T12:03:41.5", "request_id": "req_1", "level": "info"}


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        (
            {
                "outcome": "ok",
                "status": 200,
                "seconds": 3.24,
                "method": "POST",
                "route": "/v1/messages",
                "asked_model": "claude-opus-5-5",
                "upstream_model": "gpt-6.2-astra",
                "cost_usd": 0.1823,
                "input_tokens": 700,
                "cache_read_input_tokens": 11_600,
                "output_tokens": 410,
                "healed": "summary",
                "client": "alice",
                "session": "0123456789ab",
                "attempts": 1,
                "upstream_status": 200,
                "mapping": "faithful",
            },
            (
                "12:03:41  claude-opus-5-5 → gpt-6.2-astra  ok  3.2 s  12.3k (94 % cached) + 410 tokens  $0.1823"
                "  req_1  healed=summary  client=alice"
            ),
        ),
        (
            {"outcome": "rate_limit", "status": 429, "seconds": 0, "asked_model": "gpt-5", "upstream_model": "gpt-5"},
            "12:03:41  gpt-5  rate_limit 429  0.0 s  req_1",
        ),
        (
            {
                "outcome": "overloaded",
                "status": 529,
                "seconds": 1,
                "attempts": 3,
                "upstream_status": 503,
            },
            "12:03:41  overloaded 529  1.0 s  req_1  attempts=3  upstream_status=503",
        ),
        (
            {"outcome": "not_found", "status": 404, "seconds": 0.01, "method": "GET", "route": "other"},
            "12:03:41  GET other  not_found 404  0.0 s  req_1",
        ),
        (
            {
                "outcome": "invalid_request",
                "status": 400,
                "method": "POST",
                "route": "/v1/messages",
                "asked_model": "claude-opus-5-5",
                "cause": "strict",
            },
            "12:03:41  POST /v1/messages  claude-opus-5-5  invalid_request 400  0.0 s  req_1  cause=strict",
        ),
        (
            {"outcome": "client_left", "seconds": 9.96, "method": "POST", "route": "/v1/messages", "cause": "dns"},
            "12:03:41  POST /v1/messages  client_left  10.0 s  req_1  cause=dns",
        ),
    ],
)
def test_a_line(fields: dict[str, Any], line: str) -> None:
    """Time, models, how it ended, seconds, tokens, cost, id, and what is unusual."""
    assert request_line({**WHEN, **fields}) == line


def test_other_events() -> None:
    """Are said as they were."""
    render = for_people(lambda _, __, event: f"as it was: {event['event']}")
    assert render(None, "info", {"event": "started"}) == "as it was: started"
