"""The processes behind a supervisor: how one is started and told what to do, and how all are run.

Workers are sessions of their own: Ctrl-C reaches the parent alone, and the parent tells them. What they read as the
file of settings is a copy of what the parent has found right, so that a file which was changed since, and may be wrong,
changes nothing before a reload.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

import attrs
import trio
from structlog.typing import FilteringBoundLogger

from pipeline.endpoints.overview import overview
from pipeline.lifecycle.grace import grace_here
from pipeline.lifecycle.notify import VARIABLE, Notifier
from pipeline.lifecycle.parent import RETIRE, stream_of
from pipeline.lifecycle.reload import Reload
from pipeline.lifecycle.signals import AGAIN, obey
from pipeline.server.shutdown import Shutdown
from pipeline.settings import ConfigurationError, Settings, variable
from pipeline.supervisor import NotServingError, Supervisor
from pipeline.telemetry import names
from pipeline.telemetry.gathering import Gathering
from pipeline.telemetry.logs import make_logger


@attrs.frozen
class WorkerSettings:
    """Settings, and what a worker needs to come to the same.

    Attributes:
        settings: what was set.
        flags: flags of `dragoman serve`, without the file of settings.
        file: what stands in that file; empty where there is none.
    """

    settings: Settings
    flags: list[str]
    file: bytes


@attrs.frozen(eq=False)
class Child:
    """A worker in a process of its own.

    Args:
        process: the process.
        wire: our end of its standard input.
        reports: brings what it counts.
    """

    process: trio.Process
    wire: socket.socket
    reports: trio.abc.Stream

    @property
    def pid(self) -> int:
        """The process's number."""
        return self.process.pid

    async def wait(self) -> int:
        """Wait for its end; return its exit code."""
        code = await self.process.wait()
        self.wire.close()
        return code

    async def ready(self) -> None:
        """Wait until it serves; for ever if it ends before."""
        await trio.lowlevel.wait_readable(self.wire)
        with contextlib.suppress(OSError):
            if self.wire.recv(4096):
                return
        await trio.sleep_forever()

    def retire(self) -> None:
        """Ask it to take no new connection, and to end with its last request."""
        with contextlib.suppress(OSError):
            self.wire.send(RETIRE)

    def terminate(self) -> None:
        """Ask it to end, with grace."""
        self.process.terminate()

    def hurry(self) -> None:
        """Ask it to end at once: the second signal, as from a person."""
        self.process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """End it now."""
        self.process.kill()


async def start_worker(given: WorkerSettings, listener: socket.socket) -> Child:
    """Start a worker; waits until the process runs, not until it serves.

    Raises:
        OSError: There is no room for it.
    """
    (ours, theirs), (counts, counting) = socket.socketpair(), socket.socketpair()
    ours.setblocking(False)  # noqa: FBT003 - the only way to say it
    with theirs, counting, _anonymous() as copy:
        copy.write(given.file)
        copy.flush()
        copy.seek(0)  # where opening it again shares the place in it
        flags = [*given.flags, "--workers", "1", "--config", f"/dev/fd/{copy.fileno()}"]
        command, environment = server_command([*flags, "--reports-fd", str(counting.fileno())], listener)
        environment.pop(VARIABLE, None)  # the service manager hears the parent alone
        environment[variable("timing.shutdown_grace")] = str(grace_here(given.settings.timing))
        process = await trio.lowlevel.open_process(
            command,
            env=environment,
            pass_fds=[listener.fileno(), counting.fileno(), copy.fileno()],
            stdin=theirs.fileno(),
            start_new_session=True,
        )
    return Child(process, ours, stream_of(counts))


@attrs.define(eq=False)
class _Parent:
    """The process that watches over workers."""

    given: WorkerSettings
    read: Callable[[], WorkerSettings]
    listener: socket.socket
    url: str
    shutdown: Shutdown = attrs.field(factory=Shutdown)
    notifier: Notifier = attrs.field(factory=lambda: Notifier.of(os.environ))
    log: FilteringBoundLogger = attrs.field(
        default=attrs.Factory(lambda own: _logger(own.given.settings), takes_self=True)
    )
    _found: WorkerSettings | None = None

    async def run(self) -> None:
        """Keep workers until a signal asks for the end."""
        count = self.given.settings.workers
        gathering = Gathering(overview, lambda: self.log)
        self.log.info(names.STARTED, url=self.url, workers=count, pid=os.getpid())
        async with trio.open_nursery() as nursery:

            async def start() -> Child:
                child = await start_worker(self.given, self.listener)
                nursery.start_soon(gathering.hear, child.reports)
                return child

            supervisor = Supervisor(start, lambda: self.log, self.shutdown, self._grace)
            reload = Reload(
                self.given.settings, self._load, partial(self._take, supervisor), lambda: self.log, self.notifier
            )
            nursery.start_soon(gathering.counted.recent.run)
            nursery.start_soon(obey, self.shutdown, reload.ask)
            nursery.start_soon(reload.run)
            nursery.start_soon(self._say_stopping)
            await supervisor.run(count, lambda: self.notifier.ready(f"{count} workers serve on {self.url}"))
            nursery.cancel_scope.cancel()
        self.log.info(names.STOPPED, pid=os.getpid())

    def _grace(self) -> float:
        return grace_here(self.given.settings.timing)

    def _load(self) -> Settings:
        self._found = self.read()
        return self._found.settings

    async def _take(self, supervisor: Supervisor, settings: Settings) -> None:
        before = self.given
        assert self._found is not None, "they were read before"  # noqa: S101 - for the type checker
        self.given = attrs.evolve(self._found, settings=settings)
        try:
            await supervisor.replace(settings.workers)
        except NotServingError:
            self.given = before
            raise ConfigurationError(
                ["a worker with these settings did not come to serve: see its own lines"]
            ) from None
        self.log = _logger(settings)

    async def _say_stopping(self) -> None:
        await self.shutdown.begun.wait()
        hint = {"hint": AGAIN} if self.shutdown.by == "SIGINT" else {}
        workers, grace = self.given.settings.workers, self._grace()
        self.log.info(names.STOPPING, by=self.shutdown.by, workers=workers, grace_seconds=grace, **hint)
        self.notifier.stopping(f"{workers} workers end, for {grace:g} s at most")


def _anonymous() -> IO[bytes]:
    """Open a file without a name; on Linux it needs no place on a disk, which a container may not have."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("dragoman settings"), "w+b")
    return tempfile.TemporaryFile()


def run_workers(read: Callable[[], WorkerSettings], given: WorkerSettings, listener: socket.socket, url: str) -> int:
    """Serve `listener` with workers until SIGTERM or SIGINT; SIGHUP replaces them by others with the settings anew.

    Args:
        read: reads the settings anew; raises `ConfigurationError` with all mistakes.
        given: what was read before.
        listener: the bound, listening socket.
        url: where that is.

    Returns:
        The exit code, 0.
    """
    trio.run(_Parent(given, read, listener, url).run)
    return 0


def _logger(settings: Settings) -> FilteringBoundLogger:
    return make_logger(settings.log_format, settings.log_level)


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
