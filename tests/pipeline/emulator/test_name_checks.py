"""Function names that the real API refuses are refused in its words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.pipeline.emulator.talk import BASH, refusal, refuses


@pytest.mark.parametrize(
    ("request_", "message", "param", "code"),
    [
        (
            {"tools": [{**BASH, "name": "a.b"}]},
            (
                "Invalid 'tools[0].name': string does not match pattern. "
                "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
            ),
            "tools[0].name",
            "invalid_value",
        ),
        (
            {"tools": [BASH, {**BASH, "name": "a" * 70}]},
            (
                "Invalid 'tools[1].name': string too long. Expected a string with maximum length 64, "
                "but got a string with length 70 instead."
            ),
            "tools[1].name",
            "string_above_max_length",
        ),
    ],
)
def test_refused(request_: dict[str, Any], message: str, param: str | None, code: str | None) -> None:
    """Each mistake gets its message, the parameter it is about, and its code."""
    refuses(request_, message, param, code)


def test_a_function_without_a_name() -> None:
    """A name is required."""
    assert refusal(tools=[{"type": "function"}])["code"] == "missing_required_parameter"
