"""A proxy for one run of a client: the one that is there, or a child process that ends with the run."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING

import attrs

from pipeline.commands.listening import bind, url, url_of
from pipeline.commands.probe import Answerer, ProbeResult, look, who_answers
from pipeline.commands.screen import CommandError, complain
from pipeline.lifecycle.grace import AT_A_TERMINAL
from pipeline.settings import variable
from pipeline.settings.ownership import ONE_RUN, state_folder

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from pipeline.settings import Settings

_START = 60.0  # seconds until a child must answer; a busy machine imports slowly
_LAST_LINES = 12
_AT_ONCE = 1.0  # seconds within which a proxy ends that answers nothing any more
_LAST_WORDS = 2.0  # seconds in which streams say that they were ended


@attrs.frozen
class Proxy:
    """A dragoman for one run.

    Attributes:
        base_url: where it listens.
        how: how it came to be chosen, for people.
        log: its log, where it was started here and has one.
    """

    base_url: str
    how: str
    log: Path | None = None


@contextlib.contextmanager
def proxy(settings: Settings, flags: list[str]) -> Iterator[Proxy]:
    """Give a dragoman of this user with these settings, and end it afterwards if it was started here.

    One that runs already must prove both: another user's would read what it is sent, and one with other settings
    answers otherwise than was asked for. What is set aside is said.

    Args:
        settings: Of this run; host and port are where a dragoman is looked for and started.
        flags: Flags for `dragoman serve` that lead a child to the same settings.

    Raises:
        CommandError: When the child does not come to life; with the last lines that it wrote.
    """
    where = url(settings.host, settings.port, tls=bool(settings.certfile))
    found = look(where, settings=settings) if settings.port else ProbeResult(Answerer.NOBODY)
    if found.same:
        yield Proxy(where, "yours, with these settings, and running already")
        return
    if reason := _set_aside(found):
        complain(f"dragoman: not used: {where}, where {reason}")
    with contextlib.closing(_listener(settings, free=found.answerer is Answerer.NOBODY)) as listener:
        yield from _child(listener, flags, settings)


def _set_aside(found: ProbeResult) -> str:
    """Say why what answers will not do; empty where nobody answers."""
    if found.answerer is Answerer.NOBODY:
        return ""
    if found.answerer is Answerer.SOMEBODY_ELSE:
        return "another program answers"
    if found.own:
        return f"a dragoman of yours runs with other settings (upstream {found.upstream}); restart it to use it"
    return "a dragoman answers that is not known to be yours (another user's, of one run alone, or in a container)"


def _listener(settings: Settings, *, free: bool) -> socket.socket:
    try:
        return bind(settings.host, settings.port if free else 0)
    except CommandError:
        return bind(settings.host, 0)


def _child(listener: socket.socket, flags: list[str], settings: Settings) -> Iterator[Proxy]:
    from pipeline.workers import server_command

    base_url, port = url_of(listener, tls=bool(settings.certfile)), listener.getsockname()[1]
    command, environment = server_command(flags, listener)
    grace = settings.timing.shutdown_grace or AT_A_TERMINAL  # the child has no terminal, but its user has
    with _log(port) as log:
        child = subprocess.Popen(  # noqa: S603 - it is ourselves
            command,
            env={**environment, ONE_RUN: "1", variable("timing.shutdown_grace"): str(grace)},
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C belongs to the client
        )
        # From here on the child alone holds the socket: requests wait in it while the child starts, and are refused
        # at once if it dies. So one question is enough, and nothing has to be asked again and again.
        listener.close()
        path = Path(log.name) if isinstance(log.name, str) else None
        try:
            if who_answers(base_url, _START) is not Answerer.DRAGOMAN:
                where = f" (its log: {path})" if path else ""
                raise CommandError(f"the proxy did not start{where}; it said:\n{_last_lines(log)}")
            yield Proxy(base_url, "started for this run", path)
        finally:
            end_child(child, grace)


def end_child(child: subprocess.Popen[bytes], grace: float) -> None:
    """End the proxy; it has this many seconds for what it still answers, or until its user presses Ctrl-C again."""
    child.terminate()
    try:
        if not _ended(child, _AT_ONCE):
            complain(f"dragoman: the proxy still answers something, for {grace:g} s at most; Ctrl-C ends that at once")
            _ended(child, grace + _LAST_WORDS)
    except KeyboardInterrupt:
        child.send_signal(signal.SIGINT)
        _ended(child, _LAST_WORDS)
    if child.poll() is None:
        child.kill()
        child.wait()
    if child.stdin:
        child.stdin.close()


def _ended(child: subprocess.Popen[bytes], patience: float) -> bool:
    try:
        child.wait(patience)
    except subprocess.TimeoutExpired:
        return False
    return True


def _log(port: int) -> IO[bytes]:
    """Open the child's log: the terminal belongs to the client. Like all our logs, it holds no content."""
    try:
        folder = state_folder(os.environ)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (folder / f"claude-{port}.log").open("w+b")
    except (OSError, RuntimeError):
        return tempfile.TemporaryFile()


def _last_lines(log: IO[bytes]) -> str:
    log.seek(0)
    return "\n".join("  " + line for line in log.read().decode("utf-8", "replace").splitlines()[-_LAST_LINES:])
