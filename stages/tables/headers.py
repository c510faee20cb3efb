"""Headers of an upstream's answer, in Anthropic's words.

Source: OpenAI's rate limit headers as recorded (`x-ratelimit-reset-tokens: 1m26.4s`), Anthropic's as documented
(integers and RFC 3339 times).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

RATE_LIMITS = {"requests": ("requests",), "tokens": ("tokens", "input-tokens", "output-tokens")}
"""What OpenAI limits, and what Anthropic calls it: one budget for both directions is the limit of each of them."""

RESETS = (
    *((f"x-ratelimit-remaining-{limited}", f"x-ratelimit-reset-{limited}") for limited in RATE_LIMITS),
    ("x-ratelimit-remaining", "x-ratelimit-reset-after"),
    *((f"{name}-remaining", f"{name}-reset") for name in ("ratelimit", "x-ratelimit", "x-rate-limit")),
    *(
        (f"anthropic-ratelimit-{name}-remaining", f"anthropic-ratelimit-{name}-reset")
        for name in ("requests", "tokens")
    ),
)
"""The headers that tell what is left of a limit, and when it is reset: OpenAI's, those of gateways, and Anthropic's."""

MAX_GUESS = 60
"""Seconds to wait at most where the upstream did not say how long: Claude Code gives up at once on more, and the time
until a limit is wholly reset is longer than that until it lets a request pass."""

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_EPOCH_SECONDS, _EPOCH_MILLISECONDS = 1e9, 1e12
# From where a number is a time, and no span any more.
_YEAR = 366 * 86_400.0
# A longer span is a mistake, and one of a million years has no date.
_BARE = re.compile(r"\d+(?:\.\d+)?")
_SPAN = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def rate_limits(headers: Mapping[str, str], now: datetime) -> list[tuple[str, str]]:
    """Translate `x-ratelimit-*` into `anthropic-ratelimit-*`.

    Args:
        headers: the upstream's, names in lower case.
        now: the present in UTC, since Anthropic tells when a limit resets and OpenAI in how long.
    """
    limits: list[tuple[str, str]] = []
    for theirs, names in RATE_LIMITS.items():
        fields = {field: headers.get(f"x-ratelimit-{field}-{theirs}", "") for field in ("limit", "remaining")}
        values = {field: value for field, value in fields.items() if value.isdigit()}
        span = seconds_of(headers.get(f"x-ratelimit-reset-{theirs}", ""))
        if span is not None and span <= _YEAR:
            values["reset"] = f"{now + timedelta(seconds=span):%Y-%m-%dT%H:%M:%SZ}"
        limits += [(f"anthropic-ratelimit-{name}-{field}", value) for name in names for field, value in values.items()]
    return limits


def seconds_of(span: str) -> float | None:
    """Read a span such as `6ms` or `1m26.4s`, or seconds without a unit, as Azure sends them; None when it is none."""
    if _BARE.fullmatch(span):
        return float(span)
    pieces = _SPAN.findall(span)
    if not pieces or "".join(number + unit for number, unit in pieces) != span:
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in pieces)


def retry_after(headers: Mapping[str, str], now: datetime, *, limited: bool = False) -> int | None:
    """Read how long an upstream asks to wait, in whole seconds, rounded up; None if it does not say.

    `retry-after-ms` is more precise where it is sent; `retry-after` may be a date, which our clients do not understand.
    Both are handed on however long: a client that comes back before is refused again. Without either, an exhausted
    limit says when it resets, and that is a guess, `MAX_GUESS` at most.

    Args:
        headers: the upstream's, names in lower case.
        now: the present in UTC.
        limited: whether a limit was exceeded: then one that does not tell what is left of it is exhausted.
    """
    for name, scale in (("retry-after-ms", 1000), ("retry-after", 1)):
        try:
            return max(0, math.ceil(float(headers[name]) / scale))
        except (KeyError, ValueError, OverflowError):
            continue
    if (date := _date(headers.get("retry-after", ""))) is not None:
        return max(0, math.ceil((date - now).total_seconds()))
    exhausted = ("0", None) if limited else ("0",)
    spans = (
        _until(headers[reset], now) for left, reset in RESETS if reset in headers and headers.get(left) in exhausted
    )
    waits = [span for span in spans if span is not None]
    return min(MAX_GUESS, math.ceil(max(waits))) if waits else None


def _until(reset: str, now: datetime) -> float | None:
    """Seconds until a limit is reset: a span, or a time in seconds or milliseconds since 1970, or in ISO's form."""
    span = seconds_of(reset)
    if span is not None:
        scale = 1000 if span >= _EPOCH_MILLISECONDS else 1
        return max(0.0, span / scale - now.timestamp()) if span >= _EPOCH_SECONDS else span
    try:
        return max(0.0, (datetime.fromisoformat(reset) - now).total_seconds())
    except (ValueError, TypeError, OverflowError):
        return None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
