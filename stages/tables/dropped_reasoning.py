"""Reasoning that the upstream kept from the model, and why: what `input_transformations` of a response says.

Source: `InputTransformation` of the Responses API; GPT-6.2 and later drop earlier reasoning when what stands before it
has changed, or somebody else asks.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from stages.wire.lenient import objects

OTHER = "other"
"""A reason of tomorrow; its word is the upstream's, and not for a log."""

DROP_REASONS = frozenset(
    {"organization_mismatch", "end_user_mismatch", "model_mismatch", "prefix_mismatch", "turn_boundary", OTHER}
)
"""Why a reasoning item can be kept from the model."""


def dropped_reasoning(transformations: Any) -> tuple[tuple[str, int], ...]:
    """Count the reasoning items of a request that the model did not get to see, by reason; nonsense counts as none."""
    reasons = [entry.get("reason") for entry in objects(transformations) if entry.get("type") == "reasoning"]
    return tuple(sorted(Counter(reason if reason in DROP_REASONS else OTHER for reason in map(str, reasons)).items()))
