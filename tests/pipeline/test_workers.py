"""The processes behind a supervisor."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import workers
from tests.support.waiting import TIMEOUT


def test_the_command_of_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """It finds our packages wherever it is started, and nobody else's: the working directory is not searched."""
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    with socket.socket() as listener:
        command, environment = workers.server_command(["--port", "1"], listener)

        assert command[1:5] == ["-P", "-m", "pipeline.cli", "serve"]
        assert command[5:] == ["--port", "1", "--fd", str(listener.fileno())]
    root, *others = environment["PYTHONPATH"].split(os.pathsep)
    assert (Path(root) / "pipeline").is_dir()
    assert others == ["/somewhere"]


def test_a_child_ends_with_its_parent() -> None:
    """When the other end of the pipe closes, however it does, the child gets SIGTERM."""
    script = "import signal; from pipeline.workers import end_with_parent; end_with_parent(); signal.pause()"
    with socket.socket() as listener:
        _, environment = workers.server_command([], listener)

    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, env=environment) as child:
        assert child.stdin is not None
        child.stdin.close()
        code = child.wait(TIMEOUT)

    assert code == -signal.SIGTERM
