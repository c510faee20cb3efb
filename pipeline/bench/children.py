"""The processes that the bench starts: its upstream, and a dragoman in front of it; both end with the bench."""

from __future__ import annotations

import contextlib
import resource
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

from pipeline.bench.workloads import BenchError
from pipeline.workers import server_command

_LAST_LINES = 8
_GRACE = 15.0  # seconds between asking a child to end and ending it

# What a person has set for the daily work would be measured with it, and a proxy has no business on loopback.
_PREFIXES = ("DRAGOMAN_", "OPENAI_", "ANTHROPIC_")
_SUFFIX = "_PROXY"


@contextlib.contextmanager
def upstream(port: int = 0) -> Iterator[tuple[str, int]]:
    """Start the upstream on a port (0: any that is free); give its base URL and process id; end it."""
    with _listener(port) as listener:
        _, environment = server_command([], listener)
        words = [sys.executable, "-P", "-m", "pipeline.bench.upstream", "--fd", str(listener.fileno())]
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        with _child(words, environment, listener) as pid:
            yield url, pid


@contextlib.contextmanager
def dragoman(upstream_url: str) -> Iterator[tuple[str, int]]:
    """Start a dragoman with default settings; give its base URL and process id; end it."""
    with _listener(0) as listener:
        words, environment = server_command(["--upstream", upstream_url], listener)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with _child(words, environment, listener) as pid:
            yield url, pid


def raise_file_limit(wanted: int) -> int:
    """Let this process and its future children open `wanted` files, as far as the system allows; return the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted if soft == resource.RLIM_INFINITY else soft
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    with contextlib.suppress(ValueError, OSError):  # some systems have a limit that they do not tell
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def _listener(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port), backlog=2048)
    except OSError as error:
        raise BenchError(f"port {port} is in use; choose another with --upstream-port") from error


@contextlib.contextmanager
def _child(words: Sequence[str], environment: dict[str, str], listener: socket.socket) -> Iterator[int]:
    """Run a child that serves `listener`; it holds the reading end of a pipe from us, and ends when we do."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 - it is ourselves
            words,
            env={**_neutral(environment), "XDG_CONFIG_HOME": folder},
            cwd=folder,
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        # From here on the child alone holds the socket: requests wait in it while the child starts.
        listener.close()
        try:
            yield process.pid
        except BenchError as error:
            if process.poll() is None:
                raise
            raise BenchError(f"{error}; it has ended, and its last words were:\n{_last_lines(said)}") from error
        finally:
            _end(process)


def _neutral(environment: dict[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if not name.startswith(_PREFIXES) and not name.upper().endswith(_SUFFIX)
    }


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


def _last_lines(said: IO[bytes]) -> str:
    said.seek(0)
    return "\n".join("  " + line for line in said.read().decode("utf-8", "replace").splitlines()[-_LAST_LINES:])
