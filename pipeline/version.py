"""The version of this program."""

from __future__ import annotations

import importlib.metadata
from functools import cache


@cache  # reads and parses the metadata's file: once, although every service asks
def version() -> str:
    """Return the version of the installed distribution, or say that there is none (a bare checkout)."""
    try:
        return importlib.metadata.version("dragoman")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"
