"""`stages.wire.lenient`: nonsense reads as empty, and everything else as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stages.wire.lenient import listed, mapping, objects, text, texts
from tests.support.cases import cases


@pytest.mark.parametrize(
    ("read", "value"),
    [(text, "a"), (mapping, {"a": 1}), (listed, [1, "a", None]), (objects, [{"a": 1}, {}]), (texts, ["a", ""])],
)
def test_what_is_expected_stays(read: Callable[[Any], Any], value: object) -> None:
    """A value of the right type is given back as it came."""
    assert read(value) == value


@cases(("read", "empty"), [(text, ""), (mapping, {}), (listed, []), (objects, []), (texts, [])])
@cases("value", [None, 1, 1.5, True])
def test_nonsense_is_empty(read: Callable[[Any], Any], empty: object, value: object) -> None:
    """A value of another type reads as the empty one."""
    assert read(value) == empty


def test_types_are_not_mixed_up() -> None:
    """Text is no list, a list no object, and of a list only what fits is read."""
    mixed = [1, {"a": 1}, "b", [], None]

    assert (text(mixed), mapping(mixed), listed("abc"), listed({"a": 1})) == ("", {}, [], [])
    assert (objects(mixed), texts(mixed)) == ([{"a": 1}], ["b"])
