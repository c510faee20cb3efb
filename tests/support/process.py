"""A real `dragoman serve` in a process of its own, on a free port of loopback, that answers from the emulator."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from pipeline.commands.listening import bind
from pipeline.workers import server_command
from tests.support.prefork import Forked, forked

PATIENCE = 120.0
"""Seconds that a process may take for what takes none; machines are sometimes busy."""


@attrs.frozen
class Running:
    """A process that serves.

    Attributes:
        process: the process.
        port: where it listens, on 127.0.0.1.
        log: what it writes.
    """

    process: subprocess.Popen[str] | Forked
    port: int
    log: Path

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    @property
    def descriptors(self) -> int:
        """How many files and sockets it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def holds(self, client: socket.socket) -> bool:
        """Whether the system has its connection with this client, accepted or not; gone once it is aborted."""
        ends = f":{self.port:04X}", f":{client.getsockname()[1]:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return any((row[1][-5:], row[2][-5:]) == ends for row in rows)

    def logged(self) -> str:
        """What it has written so far."""
        return self.log.read_text()

    def until(self, holds: Callable[[], bool]) -> None:
        """Return once something about it holds."""
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, "it did not come to that"
            select.select([], [], [], 0.01)

    def connect(self) -> socket.socket:
        """Open a connection to it."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def terminate(self) -> int:
        """Ask it to end, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def serving_process(folder: Path, *, log_to: str = "", **settings: object) -> Iterator[Running]:
    """Serve in a process of its own; it is gone when the block is left.

    Args:
        folder: where its log may be written.
        log_to: where the log goes instead.
        settings: what is set, as variables: `timing_shutdown_grace=1`.
    """
    variables = {f"DRAGOMAN_{name.upper()}": str(value) for name, value in settings.items()}
    given = {"DRAGOMAN_UPSTREAM_URL": "emulator", "DRAGOMAN_LOG_FORMAT": "json", **variables}
    reading, ours = os.pipe()  # it ends when nobody holds ours any longer
    with bind("127.0.0.1", 0) as listener, Path(log_to or folder / "log").open("w") as log:
        port, logging = listener.getsockname()[1], log.fileno()
        command, environment = server_command([], listener)
        words = [*command[command.index("serve") : -1], "{fd}"]
        process = forked(words, environment | given, [reading, logging, logging, listener.fileno()])
        os.close(reading)
        listener.close()  # the child alone has it: if that dies, connections are refused at once
        try:
            yield Running(process, port, folder / "log")
        finally:
            process.kill()
            process.wait()
            os.close(ours)
