"""Refusals over HTTP: the error bodies and headers of the API, as data.

Texts and codes as recorded, or as quoted in public reports where nobody has a recording.

Source: `docs/facts/responses-api.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen


@frozen
class Fault:
    """An HTTP error: its status, what its body says, and the headers that go with it.

    `message` may name what the client sent, so it stays out of the repr.
    """

    status: int
    message: str = field(repr=False)
    type: str = "invalid_request_error"
    param: str | None = None
    code: str | None = None
    headers: Mapping[str, str] = field(factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """The error envelope."""
        error = {"message": self.message, "type": self.type, "param": self.param, "code": self.code}
        return {"error": error}


def invalid(message: str, param: str | None, code: str | None = None) -> Fault:
    """Refuse a request that is not as the API wants it: 400 `invalid_request_error`."""
    return Fault(400, message, param=param, code=code)


SERVER_ERROR = "The server had an error while processing your request. Sorry about that!"
"""What a 500, and a response that failed by itself, say."""

RATE_LIMIT = (
    "Rate limit reached for this model on tokens per min (TPM): Limit 30000, Used 29800, Requested 500. "
    "Please try again in 7s."
)
"""What a 429, and a stream refused for the rate, say."""

QUOTA = "You exceeded your current quota, please check your plan and billing details."

CONTEXT_OVERFLOW = invalid(
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
    "input",
    "context_length_exceeded",
)
"""More input than the model's window holds."""

_LIMITS = {
    "retry-after": "7",
    "x-ratelimit-limit-requests": "5000",
    "x-ratelimit-limit-tokens": "30000",
    "x-ratelimit-remaining-requests": "4999",
    "x-ratelimit-remaining-tokens": "200",
    "x-ratelimit-reset-requests": "12ms",
    "x-ratelimit-reset-tokens": "7s",
}

_BY_STATUS: dict[int, Fault] = {
    fault.status: fault
    for fault in (
        Fault(400, "We could not parse the JSON body of your request."),
        Fault(401, "Incorrect API key provided: sk-emula**or.", code="invalid_api_key"),
        Fault(
            403,
            "Country, region, or territory not supported.",
            "request_forbidden",
            code="unsupported_country_region_territory",
        ),
        Fault(404, "Invalid URL (POST /v1/responses)"),
        Fault(409, "The request conflicted with another one. Please retry."),
        Fault(413, "Request body is too large."),
        Fault(429, RATE_LIMIT, "tokens", code="rate_limit_exceeded", headers=_LIMITS),
        Fault(500, SERVER_ERROR, "server_error"),
        Fault(502, "Bad gateway.", "server_error"),
        Fault(
            503,
            "Our servers are currently overloaded. Please try again later.",
            "service_unavailable_error",
            code="server_is_overloaded",
        ),
        Fault(504, "Gateway timeout.", "server_error"),
    )
}

_BY_CODE: dict[str, Fault] = {
    "insufficient_quota": Fault(429, QUOTA, "insufficient_quota", code="insufficient_quota"),
    "context_length_exceeded": CONTEXT_OVERFLOW,
}


def fault(status: int, code: str = "") -> Fault:
    """Find the error of an HTTP status (400 to 599), or of a code where a status has several."""
    if found := _BY_CODE.get(code) or _BY_STATUS.get(status):
        return found
    if status >= 500:  # noqa: PLR2004
        return Fault(status, SERVER_ERROR, "server_error")
    return Fault(status, f"The request was refused with status {status}.")


NOT_JSON = Fault(
    400,
    "We could not parse the JSON body of your request. The API expects a JSON payload, "
    "but what was sent was not valid JSON.",
)
"""The body is no JSON object."""


def no_such_path(method: str, path: str) -> Fault:
    """Refuse a path that is not served: 404."""
    return Fault(404, f"Invalid URL ({method} {path})")
