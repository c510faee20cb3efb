"""What an answer tells at its end: why it ended, what it cost, and what of the request the model did not see."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from stages.canonical.events import Usage
from stages.wire.lenient import objects

INCOMPLETE = {
    "max_output_tokens": "max_tokens",
    "length": "max_tokens",
    "content_filter": "refusal",
    "max_messages": "pause_turn",
}
"""`incomplete_details.reason` to `stop_reason`; a reason that is not here ends the turn like any other.

Source: `IncompleteDetails` of the Responses API; `length` is said by servers that grew out of Chat Completions.
"""

FILTERED = {"type": "refusal", "category": None, "explanation": "The upstream's content filter stopped the answer."}
"""`stop_details` of an answer that a content filter cut."""

OTHER_REASON = "other"
"""A reason of tomorrow; its word is the upstream's, and not for a log."""

DROP_REASONS = frozenset(
    {"organization_mismatch", "end_user_mismatch", "model_mismatch", "prefix_mismatch", "turn_boundary", OTHER_REASON}
)
"""Why a reasoning item of the request can be kept from the model.

Source: `InputTransformation` of the Responses API; GPT-6.2 and later drop earlier reasoning when what stands before it
has changed, or somebody else asks.
"""


def refusal_details(explanation: str) -> dict[str, Any]:
    """`stop_details` of an answer in which the model refused, in its own words."""
    return {"type": "refusal", "category": None, "explanation": explanation or None}


def dropped_reasoning(transformations: Any) -> tuple[tuple[str, int], ...]:
    """Count the reasoning items of a request that the model did not get to see, by reason; nonsense counts as none."""
    reasons = [entry.get("reason") for entry in objects(transformations) if entry.get("type") == "reasoning"]
    return tuple(
        sorted(Counter(reason if reason in DROP_REASONS else OTHER_REASON for reason in map(str, reasons)).items())
    )


def usage(body: Mapping[str, Any] | None) -> Usage:
    """Translate `response.usage`.

    The upstream's `input_tokens` counts all of the prompt; Anthropic's only what no cache was involved in.  Numbers
    that are missing or no numbers count as zero: an engine that tells nothing must not stop an answer.
    """
    body = body or {}
    details = _details(body, "input_tokens_details")
    output_details = _details(body, "output_tokens_details")
    read, written = _count(details.get("cached_tokens")), _count(details.get("cache_write_tokens"))
    thinking = output_details.get("reasoning_tokens")
    output = _count(body.get("output_tokens"))
    return Usage(
        input_tokens=max(0, _count(body.get("input_tokens")) - read - written),
        cache_read_input_tokens=read,
        cache_creation_input_tokens=written,
        output_tokens=output,
        thinking_tokens=None if thinking is None else min(_count(thinking), output),
        long_lived_tokens=min(written, _count(_details(details, "cache_write_tokens_details").get("ttl_12h_tokens"))),
    )


def _details(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = body.get(key)
    return value if isinstance(value, Mapping) else {}


_MAX_COUNT = 2**53
# More tokens than anybody counts: what is larger is no number of tokens, and no float either when it becomes a price.


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    return min(max(0, int(value)), _MAX_COUNT)
