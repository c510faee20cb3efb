"""Other people's Responses servers, started by the scripts that lie beside the recordings; and llama.cpp from PyPI."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

INSTALLS = Path(os.environ.get("DRAGOMAN_ENGINES") or Path(tempfile.gettempdir()) / f"dragoman-engines-{os.getuid()}")
"""Where engines are installed, once; `DRAGOMAN_ENGINES` names another place."""

BUILDS = {"b9713": "2026.6.9713", "b11549": "2026.10.11549"}
"""Builds of llama.cpp, before and after the change of July 2026, and the versions of `xllamacpp` that hold them.

Until then a streamed call had another id than the whole one, so a client that goes by ids ran it twice.
"""

_TIMEOUT = 300
_SERVER = Path(__file__).with_name("llama_server.py")


@contextmanager
def engine(shared: Path, name: str) -> Iterator[str]:
    """Start an engine on a free port and give its URL, without a path; skip where it cannot be installed.

    Args:
        shared: the folder with `tools/engines`.
        name: of the engine, as its script is called.
    """
    port = _free_port()
    done, said = _run_script(shared, name, port)
    try:
        if done:
            pytest.skip(f"{name} does not start here: {said}")
        yield f"http://127.0.0.1:{port}"
    finally:
        _end_all(name, port)


@contextmanager
def llama(shared: Path, build: str, *, refuses: str = "", endless: bool = False) -> Iterator[str]:
    """Start llama.cpp over a model with hand-set weights; give its URL. Skip where it cannot be installed.

    Args:
        shared: the folder with the script that makes the model.
        build: one of `BUILDS`.
        refuses: what stands in front of the chat template, in Jinja: a conversation that it refuses.
        endless: whether the model never comes to an end.
    """
    model, template = _model(shared)
    python, port = _installed(BUILDS[build]), _free_port()
    folder = INSTALLS / "xllamacpp"
    layout = folder / f"{port}.jinja"
    layout.write_text(refuses + template.read_text())
    command = [python, str(_SERVER), str(port), str(model), str(layout), *(["endless"] if endless else [])]
    with (folder / f"{port}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    try:
        if not process.stdout.readline():  # the one line that it says, once the model is loaded
            pytest.skip(f"llama.cpp {build} does not start here: {(folder / f'{port}.log').read_text()[-200:]}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()  # it takes its time to end otherwise, and has nothing to save
        process.wait()
        process.stdout.close()
        layout.unlink()
        (folder / f"{port}.log").unlink()


def _model(shared: Path) -> tuple[Path, Path]:
    """The model and its template, which the script of `llama-markov` makes before it starts a build of its own.

    That build does not run on every machine, which does not matter here; where it does, it is ended.
    """
    model, template = (INSTALLS / "llama-markov" / name for name in ("markov.gguf", "markov.jinja"))
    if not (model.exists() and template.exists()):
        port = _free_port()
        _, said = _run_script(shared, "llama-markov", port)
        _end_all("llama-markov", port)
        if not (model.exists() and template.exists()):
            pytest.skip(f"the model of llama-markov cannot be made here: {said}")
    return model, template


def _installed(version: str) -> str:
    """Install one version of `xllamacpp`, once, in a venv of its own; give its interpreter."""
    folder = INSTALLS / "xllamacpp" / version
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        for command in (
            [sys.executable, "-m", "venv", str(folder)],
            [str(python), "-m", "pip", "install", "-q", "--no-deps", f"xllamacpp=={version}"],
        ):
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT, check=False)
            if done.returncode:
                pytest.skip(f"xllamacpp {version} cannot be installed here: {done.stderr[-200:]}")
        (folder / "done").touch()
    return str(python)


def _run_script(shared: Path, name: str, port: int) -> tuple[int, str]:
    """Run an engine's script; give its exit code and the last of what it said."""
    folder = INSTALLS / name
    folder.mkdir(parents=True, exist_ok=True)
    script = shared / "tools" / "engines" / f"start_{name}.sh"
    with (folder / "start.log").open("wb") as log:  # a file, since a pipe would stay open as long as the engine lives
        command = ["bash", str(script), str(folder), str(port)]
        done = subprocess.run(command, stdout=log, stderr=log, timeout=_TIMEOUT, check=False)
    return done.returncode, (folder / "start.log").read_text()[-200:]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


def _end_all(name: str, port: int) -> None:
    """End what a script has started for a port."""
    for file in (INSTALLS / name).glob(f"*.{port}.pid"):
        with suppress(ProcessLookupError):
            os.kill(int(file.read_text()), signal.SIGTERM)
        file.unlink()
