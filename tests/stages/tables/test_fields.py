"""Every field that an Anthropic SDK can send has a fate (law 10)."""

from __future__ import annotations

from typing import Any

import pytest
from typing_extensions import get_type_hints

from stages.tables.fields import FIELDS

types = pytest.importorskip("anthropic.types")
beta = pytest.importorskip("anthropic.types.beta")


def names(module: Any) -> set[str]:
    """The fields of a module's request types."""
    shapes = (module.MessageCreateParamsNonStreaming, module.MessageCreateParamsStreaming)
    return {name for shape in shapes for name in get_type_hints(shape)}


@pytest.mark.parametrize("package", [types, beta], ids=["ga", "beta"])
def test_the_sdk_has_no_field_without_a_row(package: Any) -> None:
    """A field that a new SDK adds fails here until somebody has decided about it."""
    assert names(package.message_create_params) - set(FIELDS) == set()


def test_every_row_says_why() -> None:
    """A fate without a reason is no answer to a person."""
    assert all(reason for _, reason in FIELDS.values())
