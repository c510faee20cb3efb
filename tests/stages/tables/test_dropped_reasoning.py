"""Reasoning that the upstream kept from the model: counted by reason, whatever it sends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from stages.tables.dropped_reasoning import DROP_REASONS, OTHER, dropped_reasoning
from tests.stages.strategies import JSON


def removed(reason: Any) -> dict[str, Any]:
    """One entry, as the upstream's types have it."""
    return {"id": "rs_1", "type": "reasoning", "action": "removed", "reason": reason}


def test_items_are_counted_by_reason() -> None:
    """Two for a changed prefix, one for another user."""
    told = [removed("prefix_mismatch"), removed("end_user_mismatch"), removed("prefix_mismatch")]

    assert dropped_reasoning(told) == (("end_user_mismatch", 1), ("prefix_mismatch", 2))


@pytest.mark.parametrize("reason", ["a new one", None, 5, ["prefix_mismatch"]])
def test_a_reason_that_is_not_known_is_not_repeated(reason: Any) -> None:
    """The upstream's own words stay out of what may be logged."""
    assert dropped_reasoning([removed(reason)]) == ((OTHER, 1),)


@given(JSON)
def test_nonsense_counts_as_none(value: Any) -> None:
    """Whatever stands there, the result is a count by known reasons."""
    assert {reason for reason, _ in dropped_reasoning(value)} <= DROP_REASONS


def test_other_transformations_are_not_counted() -> None:
    """Only reasoning is: a transformation of tomorrow may be anything."""
    assert dropped_reasoning([{"type": "image", "reason": "prefix_mismatch"}]) == ()
