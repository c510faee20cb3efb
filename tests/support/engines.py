"""Servers of the Responses API that are none of ours, started by the scripts that lie beside the recordings."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_INSTALLS = Path(tempfile.gettempdir()) / f"dragoman-engines-{os.getuid()}"
_INSTALLING = 600  # seconds, for the first start ever


@contextmanager
def engine(shared: Path, name: str, *, extra: str = "") -> Iterator[str]:
    """Start an engine on a free port and give its URL; skip the test where it cannot be had.

    Args:
        shared: the folder of recordings, which holds the scripts.
        name: the script's: `llama-markov`, `aimock`, `llmock`.
        extra: more arguments for the engine.
    """
    script = shared / "tools" / "engines" / f"start_{name}.sh"
    folder, port = _INSTALLS / name, _free_port()
    command = ["bash", str(script), str(folder), str(port)]
    started = subprocess.run(
        command,
        env={**os.environ, "EXTRA": extra},
        stdout=subprocess.DEVNULL,  # a pipe would be held open by what was started
        stderr=subprocess.DEVNULL,
        timeout=_INSTALLING,
        check=False,
    )
    try:
        if started.returncode != 0:
            pytest.skip(f"{name} does not start here")
        yield f"http://127.0.0.1:{port}"
    finally:
        for file in folder.glob(f"*.{port}.pid"):
            os.kill(int(file.read_text()), signal.SIGTERM)
            file.unlink()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
