"""Other people's Responses servers, started by the scripts that lie beside the recordings."""

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

INSTALLS = Path(os.environ.get("DRAGOMAN_ENGINES") or Path(tempfile.gettempdir()) / f"dragoman-engines-{os.getuid()}")
"""Where engines are installed, once; `DRAGOMAN_ENGINES` names another place."""

_TIMEOUT = 300


@contextmanager
def engine(shared: Path, name: str, *, extra: str = "") -> Iterator[str]:
    """Start an engine on a free port and give its URL, without a path; skip where it cannot be installed.

    Args:
        shared: the folder with `tools/engines`.
        name: of the engine, as its script is called.
        extra: more arguments for the engine itself.
    """
    folder = INSTALLS / name
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    script = shared / "tools" / "engines" / f"start_{name}.sh"
    with (folder / "start.log").open("wb") as log:  # a file, since a pipe would stay open as long as the engine lives
        command = ["bash", str(script), str(folder), str(port)]
        environment = {**os.environ, "EXTRA": extra}
        done = subprocess.run(command, env=environment, stdout=log, stderr=log, timeout=_TIMEOUT, check=False)
    started = list(folder.glob(f"*.{port}.pid"))
    try:
        if done.returncode:
            pytest.skip(f"{name} does not start here: {(folder / 'start.log').read_text()[-200:]}")
        yield f"http://127.0.0.1:{port}"
    finally:
        for file in started:
            _end(int(file.read_text()))
            file.unlink()


def _end(process: int) -> None:
    try:
        os.kill(process, signal.SIGTERM)
    except ProcessLookupError:
        return
