"""References lead to parts of their own document, or nowhere."""

from __future__ import annotations

from typing import Any

from hypothesis import given

from stages.schemas.references import resolve_reference
from tests.stages.strategies import JSON
from tests.support.cases import cases

DOCUMENT: dict[str, Any] = {"a": {"b/c": [1, {"~": "found"}], "d e": 2}, "": 3}


@cases(
    ("reference", "expected"),
    [
        ("#", DOCUMENT),
        ("#/", DOCUMENT),
        ("#/a/d e", 2),
        ("#/a/d%20e", 2),
        ("#/a/b~1c/0", 1),
        ("#/a/b~1c/1/~0", "found"),
        ("#/a/b~1c/2", None),
        ("#/a/b~1c/x", None),
        ("#/none/more", None),
        ("#anchor", None),
        ("https://example.com/schema", None),
        ("", None),
    ],
)
def test_where_they_lead(reference: str, expected: Any) -> None:
    """JSON pointers with their escapes; other documents and anchors are elsewhere."""
    assert resolve_reference(DOCUMENT, reference) == expected


@given(JSON)
def test_anything_may_stand_there(reference: Any) -> None:
    """What is no reference leads nowhere."""
    assert resolve_reference({}, reference) in (None, {})
