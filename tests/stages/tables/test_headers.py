"""Rate limits and waits, from OpenAI's headers to Anthropic's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stages.tables.headers import rate_limits, retry_after, seconds_of
from tests.support.cases import cases

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)


@cases(
    ("span", "expected"),
    [
        ("6ms", 0.006),
        ("1m26.4s", 86.4),
        ("0s", 0.0),
        ("2h3m", 7380.0),
        ("", None),
        ("soon", None),
        ("5", 5.0),
        ("0.5", 0.5),
        ("5x", None),
        ("1s!", None),
    ],
)
def test_spans_are_read_or_refused_whole(span: str, expected: float | None) -> None:
    """A span is units in a row; anything else is no span, and not half of one."""
    assert seconds_of(span) == (None if expected is None else pytest.approx(expected))


def test_limits_become_anthropics_with_a_time_of_reset() -> None:
    """Numbers stay, and "in how long" becomes "when"."""
    headers = {
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "499",
        "x-ratelimit-reset-requests": "1m26.4s",
        "x-ratelimit-limit-tokens": "many",
    }

    assert rate_limits(headers, NOW) == [
        ("anthropic-ratelimit-requests-limit", "500"),
        ("anthropic-ratelimit-requests-remaining", "499"),
        ("anthropic-ratelimit-requests-reset", "2026-11-24T12:01:26Z"),
    ]


@cases(
    ("headers", "expected"),
    [
        ({"retry-after": "3"}, 3),
        ({"retry-after": "2.1"}, 3),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 2),
        ({"retry-after": "300"}, 300),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Tue, 24 Nov 2026 12:00:30 -0000"}, 30),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1e999"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "6h"}, 60),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "later"}, None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6.2s"}, 7),
        ({"x-ratelimit-remaining-tokens": "5", "x-ratelimit-reset-tokens": "6.2s"}, None),
        ({"x-ratelimit-reset-tokens": "6.2s"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795521613"}, 13),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795521612500"}, 13),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1700000000"}, 0),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "13"}, 13),
        (
            {"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2026-11-24T12:00:13Z"},
            13,
        ),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "2026-11-24T12:00:13"}, None),
        ({}, None),
    ],
)
def test_waits_are_whole_seconds_rounded_up(headers: dict[str, str], expected: int | None) -> None:
    """Claude Code understands whole seconds alone, and coming back too early is another refusal."""
    assert retry_after(headers, NOW) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x-ratelimit-reset-requests": "13s", "x-ratelimit-reset-tokens": "1m"}, 60),
        (
            {
                "x-ratelimit-reset-requests": "13s",
                "x-ratelimit-reset-tokens": "1m",
                "x-ratelimit-remaining-tokens": "5",
            },
            13,
        ),
        ({"x-ratelimit-reset-after": "13"}, 13),
        ({}, None),
    ],
)
def test_a_limit_that_was_exceeded_need_not_tell_what_is_left(headers: dict[str, str], expected: int | None) -> None:
    """One that tells that something is left is another limit."""
    assert retry_after(headers, NOW, limited=True) == expected


def test_one_budget_of_tokens_limits_both_directions() -> None:
    """OpenAI counts what goes in and what comes out together: clients that read either find the whole."""
    fields = {"limit": "30000", "remaining": "12", "reset": "9"}
    headers = {f"x-ratelimit-{field}-tokens": value for field, value in fields.items()}

    told = dict(rate_limits(headers, NOW))
    assert len(told) == 9
    for name in ("tokens", "input-tokens", "output-tokens"):
        assert told[f"anthropic-ratelimit-{name}-limit"] == "30000"
        assert told[f"anthropic-ratelimit-{name}-remaining"] == "12"
        assert told[f"anthropic-ratelimit-{name}-reset"] == "2026-11-24T12:00:09Z"


def test_a_reset_beyond_all_dates_is_none() -> None:
    """A mistake of the upstream's is not handed on, and is no error."""
    assert rate_limits({"x-ratelimit-reset-requests": "99999999999999d"}, NOW) == []
