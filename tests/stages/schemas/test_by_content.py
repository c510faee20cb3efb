"""Results are remembered by what a schema says, up to a bound."""

from __future__ import annotations

from typing import Any

from stages.schemas.by_content import by_content
from stages.wire.cache import MAX_ENTRIES


def test_equal_schemas_are_read_once() -> None:
    """Another object with the same content brings the same result; another order is another content."""
    read: list[dict[str, Any]] = []

    @by_content
    def note(schema: dict[str, Any]) -> list[str]:
        read.append(schema)
        return list(schema)

    first = note({"a": 1, "b": 2})

    assert note({"a": 1, "b": 2}) is first
    assert note({"b": 2, "a": 1}) == ["b", "a"]
    assert len(read) == 2


def test_what_was_used_long_ago_is_forgotten() -> None:
    """A flood of schemas neither fills the memory nor drives out what is in use."""
    calls: list[int] = []

    @by_content
    def note(schema: dict[str, Any]) -> int:
        calls.append(schema["n"])
        return len(calls)

    for n in range(MAX_ENTRIES + 10):
        note({"n": n})
        note({"n": 0})
    assert calls == list(range(MAX_ENTRIES + 10))
    note({"n": 1})
    assert calls[-1] == 1
