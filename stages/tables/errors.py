"""What an upstream's error means in Anthropic's terms: one table by code, one by status, and the sentences that matter.

Source: OpenAI's error codes page and recordings, the wordings of llama.cpp and vLLM, and Claude Code's reactions to
Anthropic's own sentences: it compacts, or retries with fewer tokens, on exactly these words.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from stages.canonical.failure import Failure, Kind
from stages.canonical.plan import AnswerPlan
from stages.tables.headers import seconds_of

OVERFLOW = "context_length_exceeded"
"""`Failure.cause` of a prompt that does not fit, whoever noticed it."""

BY_CODE = {
    "invalid_api_key": Kind.AUTHENTICATION,
    "account_deactivated": Kind.AUTHENTICATION,
    "insufficient_quota": Kind.QUOTA,
    "credit_balance_exhausted": Kind.QUOTA,
    "billing_hard_limit_reached": Kind.QUOTA,
    "billing_not_active": Kind.BILLING,
    "rate_limit_exceeded": Kind.RATE_LIMIT,
    "rate_limit_error": Kind.RATE_LIMIT,
    "slow_down": Kind.RATE_LIMIT,
    "server_is_overloaded": Kind.OVERLOADED,
    "overloaded_error": Kind.OVERLOADED,
    "service_unavailable_error": Kind.OVERLOADED,
    "model_not_found": Kind.NOT_FOUND,
    "unsupported_country_region_territory": Kind.PERMISSION,
    "data_residency_mismatch": Kind.PERMISSION,
    "invalid_prompt": Kind.POLICY,
    "bio_policy": Kind.POLICY,
    "cyber_policy": Kind.POLICY,
    "content_policy_violation": Kind.POLICY,
    "image_content_policy_violation": Kind.POLICY,
    "content_filter": Kind.POLICY,
    "misalignment_policy_violation": Kind.POLICY,
    "server_error": Kind.UPSTREAM,
    "vector_store_timeout": Kind.TIMEOUT,
    "invalid_request_error": Kind.INVALID_REQUEST,
    "invalid_encrypted_content": Kind.INVALID_REQUEST,
    "invalid_image": Kind.INVALID_REQUEST,
    "invalid_image_format": Kind.INVALID_REQUEST,
    "invalid_base64_image": Kind.INVALID_REQUEST,
    "invalid_image_url": Kind.INVALID_REQUEST,
    "invalid_image_mode": Kind.INVALID_REQUEST,
    "image_too_large": Kind.INVALID_REQUEST,
    "image_too_small": Kind.INVALID_REQUEST,
    "image_file_too_large": Kind.INVALID_REQUEST,
    "image_file_not_found": Kind.INVALID_REQUEST,
    "image_parse_error": Kind.INVALID_REQUEST,
    "unsupported_image_media_type": Kind.INVALID_REQUEST,
    "empty_image_file": Kind.INVALID_REQUEST,
    "failed_to_download_image": Kind.INVALID_REQUEST,
}
"""`error.code`, or `error.type` where the code says nothing, to a kind."""

BY_STATUS = {
    400: Kind.INVALID_REQUEST,
    401: Kind.AUTHENTICATION,
    402: Kind.BILLING,
    403: Kind.PERMISSION,
    404: Kind.NOT_FOUND,
    408: Kind.TIMEOUT,
    409: Kind.CONFLICT,
    413: Kind.TOO_LARGE,
    422: Kind.INVALID_REQUEST,
    429: Kind.RATE_LIMIT,
    500: Kind.UPSTREAM,
    503: Kind.OVERLOADED,
    504: Kind.TIMEOUT,
    529: Kind.OVERLOADED,
}
"""HTTP status to a kind, for errors without a code that says more."""

_SERVERS_FAULT = 500
_GENERIC = {"invalid_request_error", "server_error"}
# They only say whose fault it was, so where there is an HTTP status, that says more.
_OVERFLOW_CODES = {OVERFLOW, "exceed_context_size_error", "string_above_max_length_input"}
_OVERFLOW_WORDS = re.compile(
    r"exceeds the (available )?context|maximum context length|context window|prompt is too long|context_length",
    re.IGNORECASE,
)
_PROMPT_AND_OUTPUT = re.compile(
    r"maximum context length is (\d+) tokens.*?(\d+) (?:tokens )?in the messages, (\d+) (?:tokens )?in the completion",
    re.DOTALL,
)
_PROMPT = (
    re.compile(r"\((?P<asked>\d+) tokens\) exceeds the available context size \((?P<limit>\d+) tokens\)"),
    re.compile(
        r"maximum context length is (?P<limit>\d+) tokens.*?(?:resulted in|requested|contains?) (?P<asked>\d+)",
        re.DOTALL,
    ),
    re.compile(r"prompt is too long: (?P<asked>\d+) tokens > (?P<limit>\d+)"),
)
_OUTPUT_LIMIT = (
    re.compile(r"max_output_tokens'.*?<= (?P<limit>\d+), but got (?P<asked>\d+)", re.DOTALL),
    re.compile(r"max_tokens is too large: (?P<asked>\d+).*?at most (?P<limit>\d+)", re.DOTALL),
)


def failure_of(
    error: Mapping[str, Any],
    *,
    status: int | None = None,
    retry_after: int | None = None,
    plan: AnswerPlan | None = None,
) -> Failure:
    """Translate an upstream's error.

    Args:
        error: the `error` object, or the part of another shape that serves for one.
        status: the HTTP status it came with; None inside a stream.
        retry_after: seconds the upstream asks to wait; a rate limit without it says what its sentence says, else 5.
        plan: the request's plan, whose counts stand in for numbers the upstream did not tell.
    """
    code, kind = _classify(error, status)
    text = error.get("message")
    message = text if isinstance(text, str) and text else "The upstream reported an error without a message."
    if _is_overflow(code, message, kind):
        return Failure(Kind.INVALID_REQUEST, overflow_message(message, plan), cause=OVERFLOW)
    if kind in _MISLEADING and _REASONING_REFUSED.search(message):
        kind = Kind.INVALID_REQUEST
    if kind is Kind.RATE_LIMIT and _NEVER_FITS.search(message):
        kind = Kind.QUOTA
    if kind is Kind.RATE_LIMIT and retry_after is None:
        retry_after = _wait(message)
    return Failure(kind, _reword(kind, message), retry_after=retry_after, cause=code or None)


_NEVER_FITS = re.compile(r"^Request too large for ")
"""A single request above the limit of a whole minute: it would be refused for ever."""

_AGAIN = re.compile(r"try again in (?P<span>\d[\w.]*?)\.?(?:\s|$)", re.IGNORECASE)
_SOON = 5


def _wait(message: str) -> int:
    """Read the wait from a rate limit's sentence: inside a stream there are no headers that could tell it."""
    found = _AGAIN.search(message)
    span = seconds_of(found["span"]) if found else None
    return _SOON if span is None else math.ceil(span)


def _classify(error: Mapping[str, Any], status: int | None) -> tuple[str, Kind]:
    """Pick the kind by the first of code, type and status that the tables know."""
    words = [word for key in ("code", "type") if isinstance(word := error.get(key), str) and word]
    known = next((word for word in words if word in BY_CODE or word in _OVERFLOW_CODES), None)
    generic = known in _GENERIC and status is not None
    if known is not None and not generic:
        return known, BY_CODE.get(known, Kind.INVALID_REQUEST)
    fallback = Kind.UPSTREAM if status is None or status >= _SERVERS_FAULT else Kind.INVALID_REQUEST
    return (words[0] if words else ""), BY_STATUS.get(status or 0, fallback)


def _is_overflow(code: str, message: str, kind: Kind) -> bool:
    wordy = kind in (Kind.INVALID_REQUEST, Kind.UPSTREAM) and _OVERFLOW_WORDS.search(message) is not None
    return code in _OVERFLOW_CODES or wordy


def _reword(kind: Kind, message: str) -> str:
    """Say what Anthropic would say, where clients decide on the words."""
    if kind is Kind.NOT_FOUND and not message.startswith("model:"):
        return f"model: {message}"
    for pattern in _OUTPUT_LIMIT:
        if found := pattern.search(message):
            asked, limit = found["asked"], found["limit"]
            return f"max_tokens: {asked} > {limit}, {_TOO_MANY}"
    return message


def overflow_message(message: str, plan: AnswerPlan | None = None) -> str:
    """The sentence on which Claude Code compacts, with the upstream's numbers or our own count."""
    if found := _PROMPT_AND_OUTPUT.search(message):
        limit, asked, output = map(int, found.groups())
        if asked < limit:
            return no_room(asked, output, limit)
    for pattern in _PROMPT:
        if found := pattern.search(message):
            return too_long(int(found["asked"]), int(found["limit"]))
    return too_long(plan.input_tokens if plan else 0, plan.window if plan else 0)


def too_long(tokens: int, maximum: int) -> str:
    """Anthropic's sentence for a prompt that does not fit; a count below the limit is known to be wrong, and raised."""
    return f"prompt is too long: {max(tokens, maximum + 1)} tokens > {maximum} maximum"


def no_room(tokens: int, output: int, maximum: int) -> str:
    """Anthropic's sentence for a prompt that fits, but not with its answer: Claude Code asks for a shorter one."""
    return f"input length and `max_tokens` exceed context limit: {tokens} + {output} > {maximum}"


_TOO_MANY = "which is the maximum allowed number of output tokens for this model"

_REASONING_REFUSED = re.compile(
    r"encrypted content .* could not be|Item (with id )?'rs_|without its required following item",
    re.IGNORECASE,
)
# The sentences of an upstream that will not take back a reasoning item; they come without a code.
_MISLEADING = {Kind.NOT_FOUND, Kind.UPSTREAM}
# A missing item is a 404 like a missing model, and what fails inside a stream without a code looks like their fault.


def refuses_reasoning(failure: Failure) -> bool:
    """Whether the upstream refused the request because of a reasoning item in it: once more without heals that."""
    if failure.kind is not Kind.INVALID_REQUEST:
        return False
    return failure.cause == "invalid_encrypted_content" or _REASONING_REFUSED.search(failure.message) is not None
