"""What can go wrong, as values: a failure travels the pipe in order with the data it follows.

Exceptions are for bugs; whatever a client or an upstream may do to us is a `Failure`.
"""

from __future__ import annotations

from enum import Enum

import attrs


class Kind(Enum):
    """A kind of failure: its HTTP status, Anthropic's `error.type`, what a client should do, and what it means.

    Source: Anthropic's error page for statuses and types; Claude Code's measured reactions for the hint
    (it retries a 401 ten times, for example, unless it is told not to).

    Attributes:
        status: the HTTP status of an answer that fails this way before anything was sent.
        error_type: Anthropic's word for it, the `error.type` of bodies and of `error` events.
        should_retry: the hint for the `x-should-retry` header; None sends no header, and leaves that to the status.
        meaning: what has happened, for a page that people read.
    """

    INVALID_REQUEST = (400, "invalid_request_error", None, "the request itself is wrong")
    POLICY = (400, "policy_blocked", False, "the upstream refuses the content by policy")
    AUTHENTICATION = (401, "authentication_error", False, "no key, or a wrong one")
    BILLING = (402, "billing_error", False, "payment is missing")
    PERMISSION = (403, "permission_error", False, "the key may not do this")
    NOT_FOUND = (404, "not_found_error", None, "no such route, model or thing")
    METHOD_NOT_ALLOWED = (405, "invalid_request_error", False, "the route exists, the method does not")
    STALLED = (408, "timeout_error", None, "the client stopped in the middle of its request")
    CONFLICT = (409, "conflict_error", None, "the thing is in another state")
    TOO_LARGE = (413, "request_too_large", False, "more bytes than the limit")
    RATE_LIMIT = (429, "rate_limit_error", True, "too much in too short a time")
    QUOTA = (429, "rate_limit_error", False, "a budget is used up, so waiting does not help")
    INTERNAL = (500, "api_error", None, "a bug of ours")
    UPSTREAM = (500, "api_error", None, "the upstream failed, or spoke nonsense")
    MISCONFIGURED = (500, "api_error", False, "the gateway and its upstream do not fit: its operator must mend that")
    UNAVAILABLE = (503, "api_error", None, "the upstream cannot be reached")
    TIMEOUT = (504, "timeout_error", None, "the upstream took too long")
    OVERLOADED = (529, "overloaded_error", True, "the upstream has no capacity")

    def __init__(self, status: int, error_type: str, should_retry: bool | None, meaning: str) -> None:  # noqa: FBT001 - an enum's values come by place
        """Give each of the values its name; looking them up in `value` costs ten times as much."""
        self.status = status
        self.error_type = error_type
        self.should_retry = should_retry
        self.meaning = meaning


@attrs.frozen
class Failure:
    """One failure, in Anthropic's terms.

    Attributes:
        kind: what happened, with its consequences.
        message: the sentence a person reads; Claude Code decides on the wording of some.
        error_code: `error.details.error_code`, for SDKs that branch on it; None sends `details: null`.
        retry_after: whole seconds for the `retry-after` header; None sends none.
        cause: the upstream's own code (`context_length_exceeded`), for logs and self-healing; no content.
        rate_limits: `anthropic-ratelimit-*` headers, name and value, as far as the upstream told its limits.
        places: the fields of the upstream's request that it named (`reasoning.summary`), for self-healing; no content.
        spoken: the upstream's own sentence, where `message` is another; for self-healing alone.
        begun: whether what was asked for may be under way all the same, so that asking again may have it done twice.
    """

    kind: Kind
    message: str
    error_code: str | None = None
    retry_after: int | None = None
    cause: str | None = None
    rate_limits: tuple[tuple[str, str], ...] = ()
    places: tuple[str, ...] = ()
    spoken: str = attrs.field(default="", repr=False)
    begun: bool = False

    @property
    def should_retry(self) -> bool | None:
        """The hint for the `x-should-retry` header; None sends no header."""
        return False if self.begun else self.kind.should_retry
