"""What an answer tells at its end: why it ended, what it cost, and what of the request the model did not see."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stages.canonical.events import Usage
from stages.wire.lenient import objects

INCOMPLETE = {
    "max_output_tokens": "max_tokens",
    "max_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "max_new_tokens": "max_tokens",
    "max_length": "max_tokens",
    "length": "max_tokens",
    "token_limit": "max_tokens",
    "model_length": "model_context_window_exceeded",
    "content_filter": "refusal",
    "content_filtered": "refusal",
    "content_policy": "refusal",
    "guardrail_intervened": "refusal",
    "blocklist": "refusal",
    "prohibited_content": "refusal",
    "recitation": "refusal",
    "moderation": "refusal",
    "refusal": "refusal",
    "safety": "refusal",
    "spii": "refusal",
    "max_messages": "pause_turn",
}
"""`incomplete_details.reason` to `stop_reason`; a reason that is not here ends the turn like any other.

Source: `IncompleteDetails` of the Responses API; the other words are those of APIs that gateways translate from: Chat
Completions, Anthropic, Gemini, Bedrock, Mistral, and of text generation servers.
"""

_PIECES = (
    ("context", "model_context_window_exceeded"),
    ("token", "max_tokens"),
    ("length", "max_tokens"),
    ("limit", "max_tokens"),
    ("truncat", "max_tokens"),
    ("filter", "refusal"),
)
"""What a word that nobody knows is likely to mean, by what stands in it."""


_NAMES = ("reason", "type", "code", "finish_reason", "message", "detail")


def reason_in(details: Any) -> str:
    """The reason in `incomplete_details`: an object or a list with one, by any name, or the word; empty for none."""
    for _ in _NAMES:
        if isinstance(details, dict):
            details = next((said for name in _NAMES if (said := details.get(name))), None)
        elif isinstance(details, list):
            details = next(iter(details), None)
        else:
            break
    return details if isinstance(details, str) else ""


def stop_reason(reason: str) -> str | None:
    """Anthropic's `stop_reason` for an upstream's reason, however it writes the word; None for any other."""
    word = re.sub(r"[^a-z]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", reason).lower()).strip("_")
    return INCOMPLETE.get(word) or next((meant for piece, meant in _PIECES if piece in word), None)


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


MODEL_MISMATCH, ACCOUNT_MISMATCH = "model_binding_mismatch", "organization_binding_mismatch"
"""Anthropic's words for reasoning that another model made, or another account."""

BINDINGS = {
    "organization_mismatch": ACCOUNT_MISMATCH,
    "end_user_mismatch": "end_user_binding_mismatch",
    "model_mismatch": MODEL_MISMATCH,
    "prefix_mismatch": "prefix_binding_mismatch",
}
"""The upstream's reasons in Anthropic's words; a boundary between turns is none there: old reasoning just goes."""


def refusal_details(explanation: str) -> dict[str, Any]:
    """`stop_details` of an answer in which the model refused, in its own words."""
    return {"type": "refusal", "category": None, "explanation": explanation or None}


def dropped_reasoning(transformations: Any) -> tuple[tuple[str, int], ...]:
    """Count the reasoning items of a request that the model did not get to see, by reason; nonsense counts as none."""
    reasons = [entry.get("reason") for entry in objects(transformations) if entry.get("type") == "reasoning"]
    return tuple(
        sorted(Counter(reason if reason in DROP_REASONS else OTHER_REASON for reason in map(str, reasons)).items())
    )


def input_transformations(
    known: Mapping[str, str], returned: Sequence[str], dropped: Iterable[tuple[str, int]]
) -> tuple[dict[str, Any], ...]:
    """Anthropic's list of the thinking blocks that the model was not shown.

    The upstream tells how many items it kept back, and not which: their ids did not go up.  What stands before them has
    changed, so they are the latest.

    Args:
        known: the reason of each block that was not sent, by its path.
        returned: the paths of those that were, in their order.
        dropped: how many of these the upstream kept back, by its reason.
    """
    reasons = [BINDINGS[reason] for reason, count in dropped if reason in BINDINGS for _ in range(count)]
    kept_back = dict(zip(reversed(returned), reasons, strict=False))
    told = {**known, **dict(reversed(kept_back.items()))}
    return tuple({"type": "thinking_dropped", "path": path, "reason": reason} for path, reason in told.items())


def usage(body: Mapping[str, Any] | None) -> Usage:
    """Translate `response.usage`.

    The upstream's `input_tokens` counts all of the prompt; Anthropic's only what no cache was involved in.  Numbers
    that are missing or no numbers count as zero: an engine that tells nothing must not stop an answer.  Some servers
    have Chat Completions' names, and some write numbers as strings.
    """
    body = body or {}
    seen = _details(body, "input_tokens_details", "prompt_tokens_details")
    said = _details(body, "output_tokens_details", "completion_tokens_details")
    read, written = _count(seen.get("cached_tokens")), _count(seen.get("cache_write_tokens"))
    thinking = said.get("reasoning_tokens")
    output = _either(body, "output_tokens", "completion_tokens")
    asked = _either(body, "input_tokens", "prompt_tokens")
    return Usage(
        input_tokens=max(0, asked - read - written),
        cache_read_input_tokens=read,
        cache_creation_input_tokens=written,
        output_tokens=output,
        thinking_tokens=None if thinking is None else min(_count(thinking), output),
        long_lived_tokens=min(written, _count(_details(seen, "cache_write_tokens_details").get("ttl_12h_tokens"))),
    )


def _details(body: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    return next((value for key in keys if isinstance(value := body.get(key), dict)), {})


def _either(body: Mapping[str, Any], *keys: str) -> int:
    return next((count for key in keys if (count := _count(body.get(key)))), 0)


_MAX_COUNT = 2**53
# More tokens than anybody counts: what is larger is no number of tokens, and no float either when it becomes a price.


def _count(value: object) -> int:
    if isinstance(value, str):
        value = _number(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    if isinstance(value, float) and not math.isfinite(value):
        return 0
    return min(max(0, int(value)), _MAX_COUNT)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
