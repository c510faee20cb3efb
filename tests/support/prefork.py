"""Processes of `dragoman` that have been imported already: a start is most of what many a test would cost.

A process starts with more than a second of imports, each time the same ones.  Here one process imports them, once for
each process of pytest, and every server is a fork of it, which gets its words, its environment and its descriptors as
a new process would.  `tests/pipeline/commands` start the command itself.

    python -m tests.support.prefork DESCRIPTOR
"""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import attrs

_MOST = 2**20  # bytes of a request: words and an environment


@attrs.define
class Forked:
    """A process that was forked, as `subprocess.Popen` would show it.

    Attributes:
        pid: its number.
        returncode: how it has ended, once that was asked; negative for a signal.
    """

    pid: int
    _told: socket.socket
    returncode: int | None = None

    def poll(self) -> int | None:
        """Return how it has ended; None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, and return how that was.

        Raises:
            subprocess.TimeoutExpired: It still runs after so many seconds.
        """
        if self.returncode is None:
            if not select.select([self._told], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            self.returncode = int(self._told.recv(64))
            self._told.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End it now."""
        self.send_signal(signal.SIGKILL)


def forked(words: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int]) -> Forked:
    """Run `dragoman` in a process of its own.

    Args:
        words: its arguments; `{fd}` among them stands for the fourth descriptor, as it is numbered there.
        environment: all of its variables.
        descriptors: its standard input, output and error, and perhaps one more.
    """
    told, telling = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with telling:
        said = json.dumps({"words": list(words), "environment": dict(environment)}).encode()
        socket.send_fds(_nest(), [said], [telling.fileno(), *descriptors])
    return Forked(int(told.recv(64)), told)


@cache
def _nest() -> socket.socket:
    """Start the process that forks; it ends with the one that asks."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.prefork", str(theirs.fileno())],
            cwd=Path(__file__).resolve().parents[2],
            pass_fds=[theirs.fileno()],
        )
    atexit.register(process.wait)
    atexit.register(ours.close)  # which ends it, before it is waited for
    return ours


def _keep(telling: socket.socket, words: list[str], environment: dict[str, str], descriptors: list[int]) -> None:
    """Fork once more, tell the number of that process, and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        telling.close()
        _become(words, environment, descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    telling.send(str(pid).encode())
    _, status = os.waitpid(pid, 0)
    telling.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def _become(words: list[str], environment: dict[str, str], descriptors: list[int]) -> None:
    """Be the process that was asked for, and leave as the interpreter would."""
    from pipeline.cli import main

    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["dragoman", *(word.format(fd=descriptors[-1]) for word in words)]
    sys.exit(main())


def _serve(asked: socket.socket) -> None:
    """Import what servers need, and fork whenever that is asked for."""
    import pipeline.commands.serve
    import pipeline.emulator
    import pipeline.server.serving
    import pipeline.service  # noqa: F401

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that keep
    while True:
        said, descriptors, _, _ = socket.recv_fds(asked, _MOST, 8)
        if not said:
            return
        telling = socket.socket(fileno=descriptors.pop(0))
        if os.fork() == 0:
            asked.close()
            _keep(telling, descriptors=descriptors, **json.loads(said))
        telling.close()
        for descriptor in descriptors:
            os.close(descriptor)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
