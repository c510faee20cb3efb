"""A proxy for one run of a client: the one that is there, or a child process that ends with the run."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

from pipeline.commands.listening import bind, url, url_of
from pipeline.commands.probe import Answerer, who_answers
from pipeline.commands.screen import CommandError

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from pipeline.settings import Settings

_START = 60.0  # seconds until a child must answer; a busy machine imports slowly
_LAST_LINES = 12


@contextlib.contextmanager
def proxy(settings: Settings, flags: list[str], *, reuse: bool) -> Iterator[str]:
    """Give the base URL of a dragoman, and end it afterwards if it was started here.

    Args:
        settings: Of this run; host and port are where a dragoman is looked for and started.
        flags: Flags for `dragoman serve` that lead a child to the same settings.
        reuse: Whether a dragoman that runs already will do. It may have other settings.

    Raises:
        CommandError: When the child does not come to life; with the last lines that it wrote.
    """
    wanted = url(settings.host, settings.port)
    answerer = who_answers(wanted) if settings.port else Answerer.NOBODY
    if reuse and answerer is Answerer.DRAGOMAN:
        yield wanted
        return
    with contextlib.closing(_listener(settings, free=answerer is Answerer.NOBODY)) as listener:
        yield from _child(listener, flags, settings.timing.shutdown_grace)


def _listener(settings: Settings, *, free: bool) -> socket.socket:
    try:
        return bind(settings.host, settings.port if free else 0)
    except CommandError:
        return bind(settings.host, 0)


def _child(listener: socket.socket, flags: list[str], grace: float) -> Iterator[str]:
    from pipeline.workers import server_command

    base_url, port = url_of(listener), listener.getsockname()[1]
    command, environment = server_command(flags, listener)
    with _log(port) as log:
        child = subprocess.Popen(  # noqa: S603 - it is ourselves
            command,
            env=environment,
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C belongs to the client
        )
        # From here on the child alone holds the socket: requests wait in it while the child starts, and are refused
        # at once if it dies. So one question is enough, and nothing has to be asked again and again.
        listener.close()
        try:
            if who_answers(base_url, _START) is not Answerer.DRAGOMAN:
                raise CommandError(f"the proxy did not start; it said:\n{_last_lines(log)}")
            yield base_url
        finally:
            _end(child, grace)


def _end(child: subprocess.Popen[bytes], grace: float) -> None:
    child.terminate()
    try:
        child.wait(grace + 1)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdin:
        child.stdin.close()


def _log(port: int) -> IO[bytes]:
    """Open the child's log: the terminal belongs to the client. Like all our logs, it holds no content."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    folder = Path(state) / "dragoman"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (folder / f"claude-{port}.log").open("w+b")
    except OSError:
        return tempfile.TemporaryFile()


def _last_lines(log: IO[bytes]) -> str:
    log.seek(0)
    return "\n".join("  " + line for line in log.read().decode("utf-8", "replace").splitlines()[-_LAST_LINES:])
