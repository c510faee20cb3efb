"""Small bodies, and what the decoder says to them."""

from __future__ import annotations

from typing import Any

from stages.canonical.failure import Failure, Kind
from stages.canonical.request import Caller, Request
from stages.decoder import decode_request
from stages.wire import json

TOOL = {"name": "f", "input_schema": {"type": "object"}}
USER = {"role": "user", "content": "x"}
ASSISTANT = {"role": "assistant", "content": "y"}
THINKING = {"type": "enabled", "budget_tokens": 2048}


def body(**fields: Any) -> bytes:
    """Write a small request with these fields on top; the value `...` leaves one out."""
    value = {"model": "m", "max_tokens": 9, "messages": [USER], **fields}
    return json.encode({key: item for key, item in value.items() if item is not ...})


def refused(raw: bytes, caller: Caller | None = None, *, counting: bool = False) -> Failure:
    """Decode something that must be refused."""
    outcome = decode_request(raw, caller, counting=counting)
    assert isinstance(outcome, Failure)
    assert outcome.kind is Kind.INVALID_REQUEST
    return outcome


def taken(raw: bytes, caller: Caller | None = None, *, counting: bool = False) -> Request:
    """Decode something that must not be refused."""
    outcome = decode_request(raw, caller, counting=counting)
    assert isinstance(outcome, Request), outcome
    return outcome
