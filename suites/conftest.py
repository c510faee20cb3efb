"""A dragoman in front of its own emulator, for suites of other people, which run in an environment of their own."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PYTHON = os.environ.get("DRAGOMAN_PYTHON", str(ROOT / ".venv/bin/python"))
UPSTREAM = os.environ.get("DRAGOMAN_SUITES_UPSTREAM", "emulator")
"""The upstream's URL; any other than the emulator has a model that understands what it is asked."""

NETWORK = bool(os.environ.get("DRAGOMAN_SUITES_NETWORK"))
"""Whether tests may fetch what they need from other people's servers."""

START_TIMEOUT = 60.0
"""Seconds that the server has to begin."""


@pytest.fixture(scope="session")
def base_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give the address of a server that lives as long as the session."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    ours = {name: value for name, value in os.environ.items() if not name.startswith("DRAGOMAN_")}
    environment = {**ours, "HOME": str(home), "DRAGOMAN_UPSTREAM_URL": UPSTREAM}
    # Those of the suites are no settings of the server, which does not begin with any that it does not know.
    command = [PYTHON, "-m", "pipeline", "serve", "--port", str(port)]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as server:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/healthz", server)
        yield url
        server.terminate()


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_TIMEOUT
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            if _has_ended(server) or time.monotonic() > end:
                raise RuntimeError("the server has not begun") from None


def _has_ended(server: subprocess.Popen[bytes]) -> bool:
    """Tell it after a moment, which is how long to wait before the next look."""
    try:
        server.wait(0.1)
    except subprocess.TimeoutExpired:
        return False
    return True
