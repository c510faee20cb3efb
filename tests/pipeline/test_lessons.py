"""What was learnt about an upstream is remembered: for a while, and for so many models."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from pipeline.lessons import LESSON_LIFETIME, MAX_MODELS, Lessons, with_changes
from stages.mapper import Target


async def test_what_was_learnt_is_known() -> None:
    """Of the model it was learnt about, all of it together, and of no other."""
    lessons = Lessons()
    lessons.learn("a", {"include": False})
    lessons.learn("a", {"efforts": "low,high"})

    assert lessons.known() == {"a": {"include": False, "efforts": "low,high"}}


def test_changes_are_those_of_a_profile() -> None:
    """Everything else of a target stays."""
    profile = with_changes(Target(), {"include": False, "efforts": "low,high"}).profile

    assert (profile.include, profile.efforts, profile.store) == (False, "low,high", True)


async def test_it_is_forgotten(autojump_clock: MockClock) -> None:  # noqa: ARG001 - a clock that jumps
    """After an hour, counted from the last lesson; the next request asks the upstream again."""
    lessons = Lessons()
    lessons.learn("a", {"include": False})
    await trio.sleep(LESSON_LIFETIME - 1)
    assert lessons.known()

    await trio.sleep(2)

    assert not lessons.known()


async def test_so_many_models_are_remembered() -> None:
    """The one that was longest not heard of goes first."""
    lessons = Lessons()
    lessons.learn("first", {"include": False})
    for index in range(MAX_MODELS):
        lessons.learn(f"m{index}", {"include": False})

    assert list(lessons.known()) == [f"m{index}" for index in range(MAX_MODELS)]
