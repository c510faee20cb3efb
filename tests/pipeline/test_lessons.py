"""What was learnt about an upstream is remembered: for a while, and for so many models."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from pipeline.lessons import KEPT, MOST_MODELS, Lessons
from stages.mapper import Target

TARGET = Target()


async def test_what_was_learnt_is_applied() -> None:
    """To the model it was learnt about, all of it together, and to no other."""
    lessons = Lessons()
    lessons.learn("a", {"include": False})
    lessons.learn("a", {"efforts": "low,high"})

    told = lessons.applied(TARGET, "a").profile

    assert (told.include, told.efforts, told.store) == (False, "low,high", True)
    assert lessons.applied(TARGET, "a") is lessons.applied(TARGET, "a")
    assert lessons.applied(TARGET, "b") is TARGET


async def test_it_is_forgotten(autojump_clock: MockClock) -> None:  # noqa: ARG001 - a clock that jumps
    """After an hour, counted from the last lesson; the next request asks the upstream again, with care."""
    lessons = Lessons()
    lessons.learn("a", {"include": False})
    await trio.sleep(KEPT - 1)
    assert lessons.applied(TARGET, "a") is not TARGET

    await trio.sleep(2)

    assert lessons.applied(TARGET, "a") is TARGET
    assert not lessons.is_proven("a")


async def test_so_many_models_are_remembered() -> None:
    """The one that was longest not heard of goes first."""
    lessons = Lessons()
    lessons.learn("first", {"include": False})
    for index in range(MOST_MODELS):
        lessons.prove(f"m{index}")

    assert lessons.applied(TARGET, "first") is TARGET
    assert lessons.is_proven("m0")
    assert not lessons.is_proven("first")
