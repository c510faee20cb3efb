"""Runs the batches of the local store: a few requests at once, each once to its end, however often the process ends.

One process of all that share the store runs them, whoever has the lock.  Only what came of a request is written down:
a request that was under way when the process ended is run again, and nothing else is.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

import attrs
import trio

from pipeline.storage import batch_rows
from pipeline.storage.batch_rows import RequestOutcome, Task
from pipeline.storage.local import LocalStore
from pipeline.storage.lock import FolderLock
from stages.canonical.failure import Failure

LOOK = 1.0
"""Seconds between two looks at what other processes have made or cancelled, and at what is too old."""

TIDY = 3_600.0
"""Seconds between two looks for what can be thrown away."""

LAST_WRITE = 10.0
"""Seconds that the outcomes of requests may take to be written when the process ends."""

AHEAD = 8
"""How many requests of each batch are known for each that may run at once."""


@attrs.frozen
class LineAnswer:
    """What came of one request: the line of the output, whether it is an answer, and dollars, if they are known."""

    line: bytes = attrs.field(repr=False)
    succeeded: bool
    cost: float | None = None


class Perform(Protocol):
    """What runs one request."""

    async def __call__(self, metadata: Mapping[str, str], line: bytes) -> LineAnswer:
        """Run a line of the input of a batch with this metadata to its end; cancelled, it is run again some day."""
        ...


@attrs.define(eq=False)
class Runner:
    """Runs batches until it is cancelled.

    Attributes:
        store: where they are.
        perform: runs one request.
        at_once: how many requests may run at the same time.
        over: hears of each batch that has ended, by its object, with its `cost`.
        pause: seconds between two looks.
        ending: whether the process is about to end, so that nothing new is begun.
    """

    store: LocalStore
    perform: Perform
    at_once: int
    over: Callable[[Mapping[str, Any]], None] = lambda _: None
    pause: float = LOOK
    ending: Callable[[], bool] = lambda: False
    _woken: trio.Event = attrs.field(factory=trio.Event, init=False)
    _batches: dict[int, _Batch] = attrs.field(factory=dict, init=False)
    _waiting: deque[Task] = attrs.field(factory=deque, init=False)
    _free: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)
    _busy: Counter[int] = attrs.field(factory=Counter, init=False)
    _done: list[RequestOutcome] = attrs.field(factory=list, init=False)
    _writing: trio.Lock = attrs.field(factory=trio.Lock, init=False)

    async def run(self) -> None:
        """Wait for a store and its lock, then run what there is, and whatever comes.

        Returns when the process is about to end and nothing runs any more: another process may have the rest.
        Cancelled, it ends what runs at once, writes down what has come of the rest, and lets go of the lock.
        """
        self.store.changed = self.wake
        if not await trio.to_thread.run_sync(self.store.database.file.exists):
            await self._woken.wait()
        with FolderLock(self.store.folder / "runner.lock") as lock:
            while not lock.take():  # noqa: ASYNC110 - another process sets no event of ours
                await trio.sleep(self.pause)
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._tidy)
                    for _ in range(self.at_once):
                        nursery.start_soon(self._work)
                    await self._look_out()
                    nursery.cancel_scope.cancel()
            finally:
                with trio.move_on_after(LAST_WRITE, shield=True):
                    await self._write()

    def wake(self) -> None:
        """Have it look at once."""
        self._woken.set()

    async def _tidy(self) -> None:
        while True:
            await self.store.tidy()
            await trio.sleep(TIDY)

    async def _look_out(self) -> None:
        """Look now and then, and whenever there is a reason to; a disk that fails is looked at again."""
        while not self.ending() or self._busy.total():
            self._woken = trio.Event()
            try:
                await self._look()
            except (OSError, sqlite3.Error):
                await trio.sleep(self.pause)
            with trio.move_on_after(self.pause):
                await self._woken.wait()

    async def _look(self) -> None:
        """Learn what is to be run, end what has ended, and fetch the next requests if none is left."""
        read, now = self.store.database.read, self.store.clock()
        running = await read(batch_rows.running, now)
        for number, told in running.items():
            if number not in self._batches:
                path = await self.store.path(told["input_file_id"])
                self._batches[number] = _Batch(told["metadata"], told["expires_at"], path)
        self._batches = {number: batch for number, batch in self._batches.items() if number in running}
        self._waiting = deque(task for task in self._waiting if task.batch in running)
        # What is no more running is not begun any more, so whatever is not busy now will never be again.
        for told in await self.store.database.write(batch_rows.settle, now, frozenset(+self._busy)):
            self.over(told)
        if not self._waiting and not self.ending():
            last = {number: batch.last for number, batch in self._batches.items()}
            for task in await read(batch_rows.tasks, last, AHEAD * self.at_once):
                self._batches[task.batch].last = task.number
                self._waiting.append(task)
            self._free.unpark(count=len(self._waiting))

    async def _work(self) -> None:
        """Run one request after the other."""
        while True:
            while not self._waiting or self.ending():
                self.wake()
                await self._free.park()
            task = self._waiting.popleft()
            batch = self._batches[task.batch]
            if batch.expires_at <= self.store.clock():
                continue
            self._busy[task.batch] += 1
            try:
                answered = await self._answer(batch, task)
                self._done.append(RequestOutcome(task, answered.line, answered.succeeded, answered.cost))
                await self._write()
            finally:
                self._busy[task.batch] -= 1

    async def _answer(self, batch: _Batch, task: Task) -> LineAnswer:
        try:
            line = await trio.to_thread.run_sync(batch.read, task)
        except OSError:
            return LineAnswer(b"", succeeded=False)  # its input is gone, so nobody knows what was asked
        return await self.perform(batch.metadata, line)

    async def _write(self) -> None:
        """Write down all outcomes so far, those of others as well; waits for the disk, however long it is full."""
        async with self._writing:
            while count := len(self._done):
                try:
                    await self.store.database.write(batch_rows.record, self._done[:count])
                except (OSError, sqlite3.Error):
                    await trio.sleep(self.pause)
                else:
                    del self._done[:count]


@attrs.define
class _Batch:
    """A batch that runs: its metadata, when it expires, where its lines are, and which of them was taken last."""

    metadata: Mapping[str, str]
    expires_at: int
    path: Path | Failure
    last: int = -1

    def read(self, task: Task) -> bytes:
        """Read a line; blocks on the disk."""
        if isinstance(self.path, Failure):
            raise FileNotFoundError
        with self.path.open("rb") as lines:
            lines.seek(task.start)
            return lines.read(task.length)
