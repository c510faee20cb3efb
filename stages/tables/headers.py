"""Headers of an upstream's answer, in Anthropic's words.

Source: OpenAI's rate limit headers as recorded (`x-ratelimit-reset-tokens: 1m26.4s`), Anthropic's as documented
(integers and RFC 3339 times).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

RATE_LIMITS = {"requests": "requests", "tokens": "tokens"}
"""What OpenAI limits, and what Anthropic calls it."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def rate_limits(headers: Mapping[str, str], now: datetime) -> list[tuple[str, str]]:
    """Translate `x-ratelimit-*` into `anthropic-ratelimit-*`.

    Args:
        headers: the upstream's, names in lower case.
        now: the present in UTC, since Anthropic tells when a limit resets and OpenAI in how long.
    """
    told: list[tuple[str, str]] = []
    for theirs, ours in RATE_LIMITS.items():
        for field in ("limit", "remaining"):
            value = headers.get(f"x-ratelimit-{field}-{theirs}", "")
            if value.isdigit():
                told.append((f"anthropic-ratelimit-{ours}-{field}", value))
        span = seconds(headers.get(f"x-ratelimit-reset-{theirs}", ""))
        if span is not None:
            reset = now + timedelta(seconds=span)
            told.append((f"anthropic-ratelimit-{ours}-reset", f"{reset:%Y-%m-%dT%H:%M:%SZ}"))
    return told


def seconds(span: str) -> float | None:
    """Read a span such as `6ms`, `1m26.4s` or `0s`; None when it is none."""
    pieces = _SPAN.findall(span)
    if not pieces or "".join(number + unit for number, unit in pieces) != span:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in pieces)


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Read how long an upstream asks to wait, in whole seconds, rounded up; None if it does not say.

    `retry-after-ms` is more precise where it is sent; without either, an exhausted limit says when it resets. A date in
    `retry-after` is not understood by our clients either.
    """
    for name, scale in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            return max(0, math.ceil(float(headers[name]) / scale))
        except (KeyError, ValueError, OverflowError):
            continue
    spans = [
        seconds(headers.get(f"x-ratelimit-reset-{limited}", ""))
        for limited in RATE_LIMITS
        if headers.get(f"x-ratelimit-remaining-{limited}") == "0"
    ]
    known = [span for span in spans if span is not None]
    return math.ceil(max(known)) if known else None
