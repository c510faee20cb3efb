"""Anthropic's `diagnostics`: a client names its last answer, and hears why the cache could not serve this turn."""

from __future__ import annotations

from typing import Any

from pipeline.telemetry.prompt_history import compare
from pipeline.telemetry.request_cost import RequestCost
from stages.prompt_fingerprint import common
from stages.tables.diagnostics import UNKNOWN_MESSAGE, reason


def diagnostics(asked: object, request_cost: RequestCost) -> dict[str, Any]:
    """The fields of the answer that the request's `diagnostics` asks for; none if it does not ask.

    The value is null when nothing has changed, and on a first turn, which names no message.
    """
    if not isinstance(asked, dict):
        return {}
    named = asked.get("previous_message_id")
    found = None if named is None else _missed(str(named), request_cost)
    return {"diagnostics": None if found is None else {"cache_miss_reason": found}}


def _missed(named: str, request_cost: RequestCost) -> dict[str, Any] | None:
    before = request_cost.history.message(named)
    if before is None:
        return UNKNOWN_MESSAGE
    change = compare(before, request_cost.prefix).change
    if change is None:
        return None
    kept = 0.0 if change.index is None else before.prefix.share(common(before.prefix, request_cost.prefix))
    return reason(change.name, change.index, change.kind, round(before.tokens * (1 - kept)))
