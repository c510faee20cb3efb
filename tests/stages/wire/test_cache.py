"""What is remembered of the same things, how much of it, and for how long."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from collections.abc import Iterable
from sys import getsizeof
from typing import Any

import attrs
import pytest
from hypothesis import example, given

from stages.wire import json
from stages.wire.cache import MAX_BYTES, MAX_ENTRIES, Cache, by_content, by_identity, by_members, weight
from tests.stages.strategies import JSON


@attrs.frozen
class Thing:
    """A value that cannot be hashed, as those with JSON in them cannot."""

    inside: dict[str, int] = attrs.field(factory=dict)


@attrs.frozen
class Made:
    """What a function made of a thing."""

    size: int


def test_the_same_object_is_worked_on_once() -> None:
    """An equal one is another: to find that out would cost what is saved."""

    @by_identity
    def make(thing: Thing) -> Made:
        return Made(len(thing.inside))

    one, other = Thing({"a": 1}), Thing({"a": 1})

    assert make(one) is make(one)
    assert make(other) == make(one)
    assert make(other) is not make(one)


def test_what_nobody_holds_is_forgotten() -> None:
    """The memory keeps no thing alive, nor what was made of it; a new object at the old address is a new one."""

    @by_identity
    def make(thing: Thing) -> Made:
        return Made(len(thing.inside))

    thing = Thing()
    made = weakref.ref(make(thing))
    assert made() is not None
    del thing
    gc.collect()

    assert made() is None
    assert [make(Thing({str(n): n for n in range(size)})).size for size in range(5)] == list(range(5))


def test_a_thing_of_which_little_is_known_takes_little() -> None:
    """There are thousands, and several functions remember something of each."""

    def size(thing: Thing) -> int:
        return len(thing.inside)

    functions = [by_identity(size) for _ in range(4)]
    things = [Thing() for _ in range(1000)]
    tracemalloc.start()
    try:
        for function in functions:
            for thing in things:
                function(thing)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken / 4000 < 250


def taken_by(value: Any) -> int:
    """The bytes of a value of JSON and of all in it."""
    inner: Iterable[Any] = (*value, *value.values()) if isinstance(value, dict) else value
    return getsizeof(value) + (sum(map(taken_by, inner)) if isinstance(value, (dict, list)) else 0)


@given(JSON)
@example([[]] * 1000)
@example([{}] * 1000)
@example([1.5] * 1000)
@example([f"{at:x}" for at in range(1000)])
@example({f"{at:x}": 10**9 + at for at in range(1000)})
@example({"a": {"a": {"a": [[], [[[{"a": "b"}]]]]}}})
@example("日本" * 1000)
def test_what_values_take_is_known_from_their_json(value: Any) -> None:
    """Not exactly, but never less than half of it: what is remembered is bounded by bytes, whatever they say."""
    said = json.encode(value)

    assert 2 * weight(said) >= getsizeof(said) + taken_by(value)


def test_large_things_drive_out_each_other() -> None:
    """All that is remembered together is bounded; what is larger than that is never remembered."""
    cache: Cache[str, list[str]] = Cache(lambda text: [text])
    first = cache.get("a", "a", MAX_BYTES - 1)

    assert cache.get("a", "a", MAX_BYTES - 1) is first
    second = cache.get("b", "b", 2)
    assert cache.get("b", "b", 2) is second
    assert cache.get("a", "a", MAX_BYTES - 1) is not first
    assert cache.get("c", "c", MAX_BYTES + 1) is not cache.get("c", "c", MAX_BYTES + 1)


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    """A flood of things does not drive out what is in use."""
    cache: Cache[int, list[int]] = Cache(lambda number: [number])
    used, unused = cache.get(0, 0, 1), cache.get(1, 1, 1)
    for number in range(2, MAX_ENTRIES + 2):
        cache.get(number, number, 1)
        cache.get(0, 0, 1)

    assert cache.get(0, 0, 1) is used
    assert cache.get(1, 1, 1) is not unused


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


def test_a_flood_of_schemas_drives_out_what_is_not_used() -> None:
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


def test_the_same_members_are_worked_on_once() -> None:
    """Equal ones are others, and so is another order; those that nobody else holds any more are not mixed up."""

    @by_members
    def make(things: tuple[Thing, ...]) -> Made:
        return Made(sum(len(thing.inside) for thing in things))

    one, other = Thing({"a": 1}), Thing({"a": 1})

    assert make((one, other)) is make((one, other))
    assert make((other, one)) is not make((one, other))
    assert [make((Thing({str(n): n for n in range(size)}),)).size for size in range(5)] == list(range(5))


def test_lists_are_remembered_as_long_as_all_their_members_live() -> None:
    """A list keeps none of them alive: large tools of which nobody speaks any more are gone, and what was made."""

    @by_members
    def make(things: tuple[Thing, ...]) -> Made:
        return Made(len(things))

    stays, goes = Thing({"a": 1}), Thing({"b": 1})
    gone, made = weakref.ref(goes), weakref.ref(make((stays, goes)))
    kept = make((stays,))
    assert make((stays, goes)) is made()
    del goes

    assert gone() is None
    assert make((stays,)) is kept
    assert made() is None


def test_several_are_found_at_once() -> None:
    """Also the same one twice, the first time that it comes; what the function refuses is not remembered."""
    made: list[bytes] = []

    def make(said: bytes) -> list[bytes]:
        made.append(said)
        if said == b"wrong":
            raise ValueError("no")
        return [said]

    cache = Cache(make, entries=2)
    first = cache.get_all([b"a", b"b", b"a"])

    assert first[0] is first[2]
    assert cache.get_all([b"b", b"a"]) == (first[1], first[0])
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            cache.get_all([b"wrong"])
    assert cache.get_all([b"c", b"a"])[1] is first[0]
    assert cache.get_all([b"b"])[0] is not first[1]
    assert made == [b"a", b"b", b"wrong", b"wrong", b"c", b"b"]
