"""`dragoman emulate`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx

from pipeline.cli import main
from pipeline.commands.listening import bind
from pipeline.workers import server_command
from tests.support.waiting import TIMEOUT

if TYPE_CHECKING:
    import pytest


def test_the_command_listens_until_it_is_told_to_stop() -> None:
    """It says where it listens, answers there, and ends well on SIGTERM."""
    with bind("127.0.0.1", 0) as listener:
        _, environment = server_command([], listener)
    words = ["-P", "-m", "pipeline.cli", "emulate", "--port", "0"]

    with subprocess.Popen([sys.executable, *words], env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        base_url = process.stdout.readline().split()[-1]
        answer = httpx.get(base_url + "/models", trust_env=False, timeout=TIMEOUT)
        os.kill(process.pid, signal.SIGTERM)
        code = process.wait(TIMEOUT)

    assert answer.is_success
    assert code == 0


def test_a_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    """The same sentence as for the proxy."""
    with bind("127.0.0.1", 0) as listener:
        assert main(["emulate", "--port", str(listener.getsockname()[1])]) == 1

    assert "is in use" in capsys.readouterr().err
