"""Several processes behind one port: the parent listens and watches, the workers serve.

The parent binds the socket once and hands it down, so the system spreads connections over the workers and a worker
that dies takes only its own with it. Workers are sessions of their own: Ctrl-C reaches the parent alone, and the parent
tells them. They hold the reading end of a pipe from the parent: however the parent ends, they notice and end too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import attrs
import trio

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable

_KILL_AFTER = 5.0  # seconds beyond the workers' own grace: they had their time


class Worker(Protocol):
    """A process as far as its supervisor is concerned."""

    async def wait(self) -> int:
        """Wait for its end; return its exit code."""

    def terminate(self) -> None:
        """Ask it to end, with grace."""

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


@attrs.define
class Supervisor:
    """Keeps a number of workers running until it is told to stop; it never gives up, it only waits longer.

    Args:
        start: Starts one worker.
        grace: Seconds between asking workers to end and ending them.
        restarts: How long to wait before starting another.
        report: Takes a sentence about a worker that ended unasked.
    """

    start: Callable[[], Awaitable[Worker]]
    grace: float
    report: Callable[[str], None]
    restarts: Restarts = Restarts()
    _running: list[Worker] = attrs.field(factory=list, init=False)

    async def run(self, count: int, stopping: trio.Event) -> None:
        """Keep `count` workers until `stopping` is set; all have ended then."""
        try:
            async with trio.open_nursery() as nursery:
                for _ in range(count):
                    nursery.start_soon(self._keep_one, stopping)
                await stopping.wait()
                for worker in self._running:
                    worker.terminate()
                nursery.cancel_scope.deadline = trio.current_time() + self.grace
        finally:
            for worker in self._running:
                worker.kill()

    async def _keep_one(self, stopping: trio.Event) -> None:
        row = 0
        while not stopping.is_set():
            began = trio.current_time()
            how = await self._one_life(stopping)
            if stopping.is_set():
                return
            row = 1 if trio.current_time() - began >= self.restarts.long else row + 1
            pause = self.restarts.pause(row)
            self.report(f"a worker ended unasked ({how}); starting another{f' in {pause:g} s' if pause else ''}")
            with trio.move_on_after(pause):
                await stopping.wait()

    async def _one_life(self, stopping: trio.Event) -> str:
        """Start a worker and wait for its end; say how it ended. One that cannot be started has ended at once."""
        try:
            worker = await self.start()
        except OSError as error:
            return f"it could not be started: {error.strerror}"
        self._running.append(worker)
        if stopping.is_set():  # it was set while the worker started: the round of terminations has passed
            worker.terminate()
        code = await worker.wait()
        self._running.remove(worker)
        return ending(code)


def ending(code: int) -> str:
    """Say how a process ended: its exit code, or the signal that a negative code stands for."""
    return f"exit code {code}" if code >= 0 else f"signal {-code}"


def run_workers(arguments: list[str], count: int, listener: socket.socket, grace: float) -> int:
    """Serve `listener` with `count` workers until SIGTERM or SIGINT.

    Args:
        arguments: Flags of `dragoman serve` that the workers get, besides the socket.
        count: How many.
        listener: The bound, listening socket.
        grace: Seconds that a worker gives its requests; a little more passes before it is killed.

    Returns:
        The exit code, 0.
    """

    async def start() -> Worker:
        command, environment = server_command(arguments, listener)
        return await trio.lowlevel.open_process(
            command, env=environment, pass_fds=[listener.fileno()], stdin=subprocess.PIPE, start_new_session=True
        )

    async def until_signalled() -> int:
        stopping = trio.Event()
        supervisor = Supervisor(start, grace + _KILL_AFTER, _report)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_set_on_signal, stopping)
            await supervisor.run(count, stopping)
            nursery.cancel_scope.cancel()
        return 0

    return trio.run(until_signalled)


def _report(text: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # nobody hears it: no reason to end
        print(text, file=sys.stderr, flush=True)  # noqa: T201 - for whoever runs the program


async def _set_on_signal(stopping: trio.Event) -> None:
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            stopping.set()


def server_command(arguments: list[str], listener: socket.socket) -> tuple[list[str], dict[str, str]]:
    """Return the command and environment of a child that serves `listener`, which it must inherit (`pass_fds`).

    The child must be given a pipe as its standard input: it ends when the other end closes. `-P` keeps the working
    directory off the import path: a user's project may well have a folder called `pipeline`.
    """
    root = str(Path(__file__).resolve().parent.parent)
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    command = [sys.executable, "-P", "-m", "pipeline.cli", "serve", *arguments, "--fd", str(listener.fileno())]
    return command, {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def end_with_parent(pipe: int = 0) -> None:
    """Send this process SIGTERM when `pipe` (standard input) ends: nobody is left who could ask for it."""

    def watch() -> None:
        while os.read(pipe, 4096):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent watch", daemon=True).start()
