"""The version of this program."""

from __future__ import annotations

import importlib.metadata


def version() -> str:
    """Return the version of the installed distribution, or say that there is none (a bare checkout)."""
    try:
        return importlib.metadata.version("dragoman")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
