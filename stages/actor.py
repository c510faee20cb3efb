"""How stages are made and run: transducers, the batches they exchange, and the one task that drives them.

A stage is a *transducer*: `feed` and `finish` are plain generators that never wait, read a clock or do IO, so a test
feeds events and looks at what comes out.  An *actor* is the task that runs one: `act` serves nearly all of them.

Channels carry batches, never single events: a hop costs about 10 microseconds whatever it carries, so all that one
upstream read yielded crosses together.  Close a channel with plain `with`: `async with` is a checkpoint, and under
cancellation it replaces the exception that is on its way out.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import ParamSpec, Protocol, TypeVar

import trio

from stages.canonical.failure import Failure

In = TypeVar("In", contravariant=True)
Out = TypeVar("Out", covariant=True)
E = TypeVar("E")
F = TypeVar("F")
P = ParamSpec("P")
R = TypeVar("R")

Batch = tuple[E | Failure, ...]
"""All that one upstream read yielded for one channel, in order; never empty."""

Outbox = trio.MemorySendChannel[Batch[E]]
"""The end that an actor writes to; it closes it to say that no more will come."""


LARGE_BATCH = 2**18
"""Bytes that are dealt with on the spot; ten milliseconds of work, for most."""


class LargeBatch(tuple[E | Failure, ...]):
    """A batch that comes of many bytes: what is to be done with it is done beside the loop."""

    __slots__ = ()


_threads: trio.lowlevel.RunVar[trio.CapacityLimiter] = trio.lowlevel.RunVar("threads for what is large")


async def beside(function: Callable[P, R], *arguments: P.args, **named: P.kwargs) -> R:
    """Run a function in a thread, one at a time, so that other streams go on: it gives way every few milliseconds.

    Waits for its turn and for the function. Cancelled, the thread is left to itself: it may hold nothing but what
    nobody else looks at any more.
    """
    try:
        limiter = _threads.get()
    except LookupError:
        _threads.set(limiter := trio.CapacityLimiter(1))
    return await trio.to_thread.run_sync(lambda: function(*arguments, **named), abandon_on_cancel=True, limiter=limiter)


class Inbox(Protocol[Out]):
    """The end that an actor reads from: a channel, or anything else that yields batches."""

    def __aiter__(self) -> AsyncIterator[tuple[Out | Failure, ...]]:
        """Iterate over the batches until the other side has no more."""
        ...


class Transducer(Protocol[In, Out]):
    """A stage without a task: events in, events out."""

    def feed(self, event: In) -> Iterable[Out | Failure]:
        """Take one event; yield what follows from it."""
        ...

    def finish(self) -> Iterable[Out | Failure]:
        """Take note that no more events come; yield what was held back."""
        ...


def step(stage: Transducer[E, F], batch: Batch[E]) -> Batch[F]:
    """Feed a whole batch to a stage; failures pass through in their place."""
    out: list[F | Failure] = []
    for event in batch:
        if isinstance(event, Failure):
            out.append(event)
        else:
            out.extend(stage.feed(event))
    return tuple(out)


async def act(stage: Transducer[E, F], inbox: Inbox[E], outbox: Outbox[F]) -> None:
    """Run a stage as a task: one batch in, at most one batch out, until the inbox ends.

    Waits for the inbox, and for room in the outbox. Whoever reads the outbox may close it early, which means "do not
    bother" and ends the actor quietly. Cancelled, it closes the outbox without `finish`: what the stage held is lost,
    as the request is.
    """
    with outbox:
        try:
            large = False
            async for batch in inbox:
                if type(batch) is LargeBatch:
                    large = True
                    for event in await beside(step, stage, batch):
                        await outbox.send((event,))
                elif out := step(stage, batch):
                    await outbox.send(out)
            if out := await beside(tuple, stage.finish()) if large else tuple(stage.finish()):
                await outbox.send(out)
        except trio.BrokenResourceError:
            return
