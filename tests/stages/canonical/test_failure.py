"""Kinds of failure and their consequences, swept."""

from __future__ import annotations

import pytest

from stages.canonical.failure import Failure, Kind
from tests.support.cases import cases

TYPES = {
    400: {"invalid_request_error", "policy_blocked"},
    401: {"authentication_error"},
    402: {"billing_error"},
    403: {"permission_error"},
    404: {"not_found_error"},
    405: {"invalid_request_error"},
    408: {"timeout_error"},
    409: {"conflict_error"},
    413: {"request_too_large"},
    429: {"rate_limit_error"},
    500: {"api_error"},
    503: {"api_error"},
    504: {"timeout_error"},
    529: {"overloaded_error"},
}
"""Status to the `error.type`s that Anthropic's page lists for it, and `policy_blocked` of its gateways' contract."""


@cases("kind", Kind)
def test_status_and_type_belong_together(kind: Kind) -> None:
    """No kind says one thing with its status and another with its type."""
    assert kind.error_type in TYPES[kind.status]


@cases("kind", Kind)
def test_each_kind_is_one(kind: Kind) -> None:
    """Kinds with equal values would be aliases of each other, and one would vanish in silence."""
    assert Kind[kind.name] is kind
    assert [other.name for other in Kind if other.value == kind.value] == [kind.name]


def test_what_waiting_cannot_mend_is_not_retried() -> None:
    """Clients are told not to repeat what will fail again, and told to repeat what will pass."""
    hints = {kind: kind.should_retry for kind in Kind if kind.should_retry is not None}

    assert {kind for kind, retry in hints.items() if retry} == {Kind.RATE_LIMIT, Kind.OVERLOADED}
    assert {Kind.AUTHENTICATION, Kind.QUOTA, Kind.POLICY, Kind.BILLING} <= {
        k for k, retry in hints.items() if not retry
    }


def test_a_failure_is_a_value() -> None:
    """Failures compare by what they say, and cannot be changed on their way."""
    assert Failure(Kind.UPSTREAM, "why") == Failure(Kind.UPSTREAM, "why")
    assert hash(Failure(Kind.UPSTREAM, "why")) == hash(Failure(Kind.UPSTREAM, "why"))
    with pytest.raises(AttributeError):
        Failure(Kind.UPSTREAM, "why").message = "other"  # type: ignore[misc]
