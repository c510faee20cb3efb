"""What a request and an event cost in tasks and in steps of the scheduler, counted: the same on every machine."""
# ruff: noqa: ARG001, ARG002 - a clock that jumps need not be spoken to, and any task counts

from __future__ import annotations

import attrs
import pytest
import trio
import trio.testing

from tests.support.running import answer
from tests.support.upstream import Step
from tests.support.upstream_events import CREATED, call, completed, text

TASKS = 1
"""Tasks that a request begins: one that waits for the client to leave, and for time to pass."""

STEPS = 1
"""Steps that an event costs which comes alone: the read of the scripted upstream."""

SENT = 2
"""Steps of the client in memory, for each write."""

EVENTS = 50


@attrs.define(eq=False)
class Counting(trio.abc.Instrument):
    """Counts tasks and steps."""

    tasks: int = 0
    steps: int = 0

    def task_spawned(self, task: trio.lowlevel.Task) -> None:
        """Count a task."""
        self.tasks += 1

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        """Count a step."""
        self.steps += 1


async def counted(*steps: Step, stream: bool = True) -> Counting:
    """Run a request, and count."""
    counting = Counting()
    trio.lowlevel.add_instrument(counting)
    try:
        await answer(*steps, stream=stream)
    finally:
        trio.lowlevel.remove_instrument(counting)
    return counting


@pytest.mark.parametrize("stream", [True, False])
async def test_a_request_begins_one_task(autojump_clock: trio.testing.MockClock, *, stream: bool) -> None:
    """All of a text is read and written in the request's own task; only a call has actors beside it."""
    of_text = await counted(CREATED, text("hi"), completed(), stream=stream)
    with_call = await counted(CREATED, call('{"a": 1}'), completed(), stream=stream)

    assert of_text.tasks == TASKS
    assert with_call.tasks == TASKS + 2  # the correlator's, and the call's buffer


async def test_an_event_wakes_nobody_else(autojump_clock: trio.testing.MockClock) -> None:
    """From the upstream's read to the client's write there is no step of another task."""
    few = await counted(CREATED, text("hi"), completed())
    many = await counted(CREATED, text("hi"), *[text("ho")] * EVENTS, completed())

    assert many.steps - few.steps == (STEPS + SENT) * EVENTS
