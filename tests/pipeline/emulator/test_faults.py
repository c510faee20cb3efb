"""Errors over HTTP."""

from __future__ import annotations

from pipeline.emulator.answer import answer
from tests.pipeline.emulator.talk import asked


def test_errors_over_http() -> None:
    """Every status from 400 to 599 has an OpenAI error body, and ones outside are brought inside."""
    for status in range(400, 600):
        told = answer(asked(f"[[error {status}]]", stream=True))
        assert (told.status, set(told.body["error"])) == (status, {"message", "type", "param", "code"})
    assert answer(asked("[[error 200]]")).status == 400
    assert answer(asked("[[error]]")).status == 500


def test_a_rate_limit_says_when_to_come_back() -> None:
    """429 has `retry-after` and the rate limit headers, and an exhausted quota has not."""
    limited, quota = answer(asked("[[error 429]]")), answer(asked("[[error 429 insufficient_quota]]"))

    assert int(limited.headers["retry-after"]) > 0
    assert limited.headers["x-ratelimit-remaining-tokens"] == "200"
    assert (limited.body["error"]["code"], quota.body["error"]["code"]) == ("rate_limit_exceeded", "insufficient_quota")
    assert "retry-after" not in quota.headers


def test_overflow() -> None:
    """Too much input is a 400 with its own code."""
    told = answer(asked("[[overflow]]"))

    assert (told.status, told.body["error"]["code"]) == (400, "context_length_exceeded")
