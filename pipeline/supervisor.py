"""Several processes behind one port: the parent listens and watches, the workers serve.

The parent binds the socket once and hands it down, so the system spreads connections over the workers and a worker
that dies takes only its own with it. Each worker has a seat, which is filled again when it ends unasked. New settings
come with new workers: one is started and serves before one of the old ones is told to retire, which takes no new
connection and ends with its last request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal, Protocol

import attrs
import trio
from structlog.typing import FilteringBoundLogger

from pipeline.server.shutdown import Shutdown
from pipeline.telemetry import names

KILL_AFTER = 12.0
"""Seconds beyond the workers' own grace: a little more than what streams may take to say that they were ended."""

START = 60.0
"""Seconds until a worker must serve; a busy machine imports slowly."""


class Worker(Protocol):
    """A process as far as its supervisor is concerned."""

    @property
    def pid(self) -> int:
        """The process's number."""

    async def wait(self) -> int:
        """Wait for its end; return its exit code."""

    async def ready(self) -> None:
        """Wait until it serves; for ever if it ends before."""

    def retire(self) -> None:
        """Ask it to take no new connection, and to end with its last request."""

    def terminate(self) -> None:
        """Ask it to end, with grace."""

    def hurry(self) -> None:
        """Ask it to end at once, with a word to its clients."""

    def kill(self) -> None:
        """End it now."""


@attrs.frozen
class Restarts:
    """How long to wait before another worker takes the place of one that ended unasked.

    Attributes:
        first: seconds, doubled with each end in a row of a worker that did not live long.
        most: seconds at most.
        long: seconds of life after which an end is an accident of its own, and begins a new row.
    """

    first: float = 0.1
    most: float = 30.0
    long: float = 60.0

    def pause(self, row: int) -> float:
        """Seconds to wait after so many short lives in a row; one accident is made good at once."""
        return 0.0 if row <= 1 else min(self.most, self.first * 2.0 ** min(row - 2, 30))


class NotServingError(Exception):
    """The first worker with new settings did not come to serve; all is as it was."""


@attrs.define(eq=False)
class _Seat:
    """A place for one worker at a time.

    Attributes:
        given_up: set when its worker is to be the last.
        settled: set when its first worker serves, or has ended.
        serving: whether its worker serves.
        worker: who has it now.
    """

    given_up: trio.Event = attrs.field(factory=trio.Event)
    settled: trio.Event = attrs.field(factory=trio.Event)
    serving: bool = False
    worker: Worker | None = None


@attrs.define(eq=False)
class Supervisor:
    """Keeps a number of workers running until it is told to stop; it never gives up, it only waits longer.

    Args:
        start: Starts one worker, with the settings that are in.
        log: Returns the logger of this moment.
        shutdown: Asks for the end.
        grace: Returns the seconds that workers have for their requests then.
        restarts: How long to wait before starting another.
    """

    start: Callable[[], Awaitable[Worker]]
    log: Callable[[], FilteringBoundLogger]
    shutdown: Shutdown
    grace: Callable[[], float]
    restarts: Restarts = Restarts()
    _seats: list[_Seat] = attrs.field(factory=list, init=False)
    _running: set[Worker] = attrs.field(factory=set, init=False)
    _keepers: trio.Nursery | None = attrs.field(default=None, init=False)

    async def run(self, count: int, serving: Callable[[], None] = lambda: None) -> None:
        """Keep `count` workers until `shutdown` begins; all have ended then.

        Waits for that, and for the end of all workers, their grace and a few seconds at most. Cancelled, it kills them.

        Args:
            count: how many.
            serving: called when all serve, or have tried to, for the first time.
        """
        try:
            async with trio.open_nursery() as around:
                async with trio.open_nursery() as keepers:
                    self._keepers = keepers
                    seats = [self._fill(keepers) for _ in range(count)]
                    around.start_soon(_when_settled, seats, serving)
                    await self.shutdown.begun.wait()
                    for seat in self._seats:
                        seat.given_up.set()
                    self._tell("terminate")
                    around.start_soon(self._end, keepers)
                around.cancel_scope.cancel()
        finally:
            self._tell("kill")

    async def replace(self, count: int) -> None:
        """Put new workers in the place of all that run, one after the other; returns when the last old one was told.

        Waits until each new one serves, `START` seconds at most; the old ones go on with what they have. Cancelled, it
        leaves some of both. A later one that does not come to serve is started again like any other.

        Args:
            count: how many there are to be.

        Raises:
            NotServingError: the first one did not come to serve, and nothing has changed.
        """
        old = list(self._seats)
        for place in range(count):
            seat = self._fill(self._keepers)
            with trio.move_on_after(START):
                await seat.settled.wait()
            if place == 0 and not seat.serving:
                self._give_up(seat)
                raise NotServingError
            if old:
                self._give_up(old.pop(0))
        for seat in old:
            self._give_up(seat)

    def _fill(self, keepers: trio.Nursery | None) -> _Seat:
        seat = _Seat()
        if keepers is not None and not self.shutdown.begun.is_set():
            self._seats.append(seat)
            keepers.start_soon(self._keep, seat)
        return seat

    def _give_up(self, seat: _Seat) -> None:
        self._seats.remove(seat)
        seat.given_up.set()
        if seat.worker is not None:
            seat.worker.retire()

    def _tell(self, what: Literal["terminate", "hurry", "kill"]) -> None:
        for worker in list(self._running):
            getattr(worker, what)()

    async def _end(self, keepers: trio.Nursery) -> None:
        """See to it that workers which were told to end do, in time."""
        with trio.move_on_after(self.grace()):
            await self.shutdown.hurried.wait()
        self._tell("hurry")
        await trio.sleep(KILL_AFTER)
        keepers.cancel_scope.cancel()

    async def _keep(self, seat: _Seat) -> None:
        row = 0
        while not seat.given_up.is_set():
            began = trio.current_time()
            ended = await self._one_life(seat)
            if seat.given_up.is_set():
                return
            row = 1 if trio.current_time() - began >= self.restarts.long else row + 1
            pause = self.restarts.pause(row)
            self.log().warning(names.WORKER_ENDED, **ended, restart_in=pause)
            with trio.move_on_after(pause):
                await seat.given_up.wait()

    async def _one_life(self, seat: _Seat) -> dict[str, object]:
        """Start a worker and wait for its end; say how it ended. One that cannot be started has ended at once."""
        try:
            worker = await self.start()
        except OSError as error:
            seat.settled.set()
            return {"how": f"it could not be started: {error.strerror}"}
        seat.worker = worker
        self._running.add(worker)
        if seat.given_up.is_set():  # it was set while the worker started, so nobody has told it
            worker.terminate()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_serves, seat, worker)
            code = await worker.wait()
            nursery.cancel_scope.cancel()
        # Not behind a cancellation: whoever still runs then is killed.
        self._running.discard(worker)
        seat.worker, seat.serving = None, False
        seat.settled.set()
        return {"pid": worker.pid, "how": ending(code)}


async def _serves(seat: _Seat, worker: Worker) -> None:
    await worker.ready()
    seat.serving = True
    seat.settled.set()


async def _when_settled(seats: list[_Seat], serving: Callable[[], None]) -> None:
    for seat in seats:
        await seat.settled.wait()
    serving()


def ending(code: int) -> str:
    """Say how a process ended: its exit code, or the signal that a negative code stands for."""
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
