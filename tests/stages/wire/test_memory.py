"""What is remembered of the same things, how much of it, and for how long."""

from __future__ import annotations

import gc
import weakref

import attrs

from stages.wire.memory import ENTRIES, LARGEST, Memory, by_identity


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


def test_large_things_are_not_remembered() -> None:
    """All that is remembered together is bounded, because each of it is."""
    memory: Memory[str, list[str]] = Memory(lambda text: [text])

    assert memory.look_up("a", "a", LARGEST) is memory.look_up("a", "a", LARGEST)
    assert memory.look_up("b", "b", LARGEST + 1) is not memory.look_up("b", "b", LARGEST + 1)


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    """A flood of things does not drive out what is in use."""
    memory: Memory[int, list[int]] = Memory(lambda number: [number])
    used, unused = memory.look_up(0, 0, 1), memory.look_up(1, 1, 1)
    for number in range(2, ENTRIES + 2):
        memory.look_up(number, number, 1)
        memory.look_up(0, 0, 1)

    assert memory.look_up(0, 0, 1) is used
    assert memory.look_up(1, 1, 1) is not unused
