"""Packages of npm, installed once into a folder beside no project of anybody's."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

INSTALLS = Path(tempfile.gettempdir()) / f"dragoman-npm-{os.getuid()}"
"""Where packages are installed; it may be deleted at any time."""

_QUIETLY = ("--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1")


class Unavailable(Exception):
    """A package cannot be had here: no node, no npm, or no registry to ask."""


def node() -> str:
    """Give the path of node.

    Raises:
        Unavailable: With the reason.
    """
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        raise Unavailable("no node and npm here")
    return found


def install(folder: Path, package: str) -> str:
    """Have npm install a package, as `name@version`, into a folder; what is there already stays where that fails.

    Returns:
        What npm complained about; the caller looks whether what it needs is there.

    Raises:
        Unavailable: With the reason.
    """
    node()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text('{"private": true}')
    command = [shutil.which("npm") or "npm", "install", *_QUIETLY, package]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)
    except subprocess.TimeoutExpired as late:
        raise Unavailable("npm takes too long") from late
    return done.stderr.strip()[-200:]
