"""An upstream's errors in Anthropic's terms."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.failure import Kind
from stages.tables.errors import failure_of


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        ({"type": "server_error"}, 529, Kind.OVERLOADED),
        ({"type": "server_error"}, 504, Kind.TIMEOUT),
        ({"type": "server_error"}, 502, Kind.UPSTREAM),
        ({"type": "server_error"}, 500, Kind.UPSTREAM),
        ({"code": "server_error"}, None, Kind.UPSTREAM),
        ({"type": "invalid_request_error"}, 404, Kind.NOT_FOUND),
        ({"type": "invalid_request_error"}, 413, Kind.TOO_LARGE),
        ({"type": "invalid_request_error"}, None, Kind.INVALID_REQUEST),
        ({"type": "invalid_request_error", "code": "invalid_api_key"}, 401, Kind.AUTHENTICATION),
        ({"type": "tokens", "code": "rate_limit_exceeded"}, 429, Kind.RATE_LIMIT),
        ({"type": "insufficient_quota", "code": "insufficient_quota"}, 429, Kind.QUOTA),
    ],
)
def test_the_kind_of_an_error(error: dict[str, Any], status: int | None, kind: Kind) -> None:
    """A code that says something counts, then the status; a type that only tells whose fault it was does not."""
    assert failure_of({"message": "No.", **error}, status=status).kind is kind
