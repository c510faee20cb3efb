"""Steps that may be taken: as many as a document's bytes are worth, and not one more."""

from __future__ import annotations

from typing import Any

import pytest

from stages.schemas.budget import PER_BYTE, STEPS, Budget, TooIntricateError
from stages.wire import json


@pytest.mark.parametrize("document", [{}, {"a": "b" * 1_000}])
def test_a_document_is_worth_its_bytes(document: dict[str, Any]) -> None:
    """And something for the smallest of them."""
    budget = Budget.of(document)
    budget.spend(STEPS + PER_BYTE * len(json.encode(document)))

    with pytest.raises(TooIntricateError):
        budget.spend()


def test_what_is_spent_stays_spent() -> None:
    """Whoever asks again after the end hears the same."""
    budget = Budget(3)
    budget.spend(2)
    for _ in range(2):
        with pytest.raises(TooIntricateError):
            budget.spend(2)
