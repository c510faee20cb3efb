"""A lock that one process of many has, until it lets go or ends, however it ends."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO, Self


class FolderLock:
    """The lock that a file stands for; a context manager, which lets go of it."""

    def __init__(self, file: Path) -> None:
        self._path = file
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Return itself; nothing is taken yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go."""
        if self._file is not None:
            self._file.close()

    def take(self) -> bool:
        """Take it if nobody has it; say whether we have it."""
        try:
            self._file = self._file or self._path.open("ab")
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True
