"""An axe for tests of cancellation: it falls at one exact step of the scheduler, and counts who is still alive."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio


class CancelAtStep(trio.abc.Instrument):
    """Strikes once, before the n-th step that any task makes while it is raised.

    Attributes:
        steps: how many steps were made so far.
        struck_at: when it struck, in trio's seconds; None if everything was over before.
        alive: tasks that were begun while it was raised, and have not ended.
    """

    def __init__(self, step: int, strike: Callable[[], object]) -> None:
        self._step = step
        self._strike = strike
        self.steps = 0
        self.struck_at: float | None = None
        self.alive: set[trio.lowlevel.Task] = set()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:  # noqa: ARG002 - any task's step counts
        """Strike if this is the step."""
        if self.steps == self._step:
            self.struck_at = trio.current_time()
            self._strike()
        self.steps += 1

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        """Note that a task has begun."""
        self.alive.add(task)

    def task_exited(self, task: trio.lowlevel.Task) -> None:
        """Note that it has ended."""
        self.alive.discard(task)

    @contextmanager
    def raised(self) -> Iterator[None]:
        """Let it count, and strike, within a block."""
        trio.lowlevel.add_instrument(self)
        try:
            yield
        finally:
            trio.lowlevel.remove_instrument(self)


def channels() -> int:
    """Count the ends of memory channels that somebody still holds."""
    gc.collect()
    ends = (trio.MemorySendChannel, trio.MemoryReceiveChannel)
    return sum(issubclass(type(thing), ends) for thing in gc.get_objects())


@contextmanager
def garbage() -> Iterator[list[type]]:
    """Find what holds on to itself when the block is left; the list has the types of it then."""
    found: list[type] = []
    gc.collect()
    gc.disable()
    try:
        yield found
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        found += [type(thing) for thing in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
