"""Why a cache was missed, in words that Anthropic's own clients understand."""

from __future__ import annotations

from typing import Any

import pytest

from stages.prompt_fingerprint import FINGERPRINTED
from stages.tables.diagnostics import REASONS, UNKNOWN_MESSAGE, reason
from tests.support.cases import cases

anthropic = pytest.importorskip("anthropic.types")


@cases(
    ("name", "index", "kind", "told"),
    [
        *((name, None, "", told) for name, told in REASONS.items()),
        ("input", 0, "developer message", "system_changed"),
        ("input", 0, "user message", "messages_changed"),
        ("input", 1, "developer message", "messages_changed"),
        ("input", 7, "function_call", "messages_changed"),
    ],
)
def test_every_change_has_a_reason(name: str, index: int | None, kind: str, told: str) -> None:
    """And the official client can read it."""
    body = reason(name, index, kind, 7)

    assert body["type"] == told
    assert read(body).type == told
    assert body.get("cache_missed_input_tokens") == (None if told == "unavailable" else 7)


def test_the_unknown_message() -> None:
    """A message of another process, or of long ago."""
    assert read(UNKNOWN_MESSAGE).type == "previous_message_not_found"


def test_every_setting_that_is_compared_has_a_reason() -> None:
    """A new one fails here until somebody has decided what to call it."""
    assert REASONS.keys() == FINGERPRINTED.keys()


def read(body: dict[str, Any]) -> Any:
    """Read a reason strictly, as the official client types it."""
    return anthropic.Diagnostics.model_validate({"cache_miss_reason": body}, strict=True).cache_miss_reason
