"""What the tests of `pipeline.aside` have done elsewhere: by itself, so that a process need import no more."""

from __future__ import annotations

import os
import threading
from typing import Any


def where(value: Any) -> tuple[int, int, Any]:
    """Say who runs this: process and thread."""
    return os.getpid(), threading.get_ident(), value


def deep(levels: int) -> int:
    """Recurse."""
    return levels and deep(levels - 1)


def broken(secret: str) -> None:
    """Have a bug."""
    raise ValueError(secret)


def ended() -> None:
    """End the process."""
    os._exit(3)


def endless() -> None:
    """Never come back."""
    threading.Event().wait()
