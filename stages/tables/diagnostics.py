"""Why a prompt cache was missed, in Anthropic's words.

Source: `CacheMissReason` and its members in the Anthropic SDK 2.12.0.
"""

from __future__ import annotations

from typing import Any

REASONS = {
    "model": "model_changed",
    "service_tier": "model_changed",
    "tools": "tools_changed",
    "instructions": "system_changed",
    "text": "unavailable",
    "reasoning.effort": "unavailable",
}
"""The setting of an upstream request that changed first, and Anthropic's reason.

A faster tier is what became of `speed`, which counts as the model; other settings that change a prompt have no reason
of their own.
"""

UNKNOWN_MESSAGE = {"type": "previous_message_not_found"}
"""The reason when nothing is known about the message to compare with."""


def reason(name: str, index: int | None, kind: str, tokens: int) -> dict[str, Any]:
    """The `cache_miss_reason` of a change.

    Args:
        name: the setting that changed first, or `input`.
        index: which item of the input did; None for a setting.
        kind: what that item is; the first one is the system prompt if it is a `developer message`.
        tokens: about how many tokens were to be read from the cache and were not.
    """
    if index is None:
        reason = REASONS[name]
    else:
        reason = "system_changed" if index == 0 and kind == "developer message" else "messages_changed"
    return {"type": reason} | ({} if reason == "unavailable" else {"cache_missed_input_tokens": tokens})
