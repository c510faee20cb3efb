"""The contents of files in a folder, each under its hash, so that equal ones lie there once.  All of it blocks."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from pathlib import Path
from typing import IO

COPIED_AT_ONCE = 2**20
"""Bytes that are copied at once."""

FORGOTTEN_AFTER = 86_400.0
"""Seconds after which a draft is nobody's any more."""


class Contents:
    """A folder of contents."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def draft(self, file: IO[bytes]) -> tuple[Path, str]:
        """Copy a file into the folder, from its beginning; return where it lies, and its hash."""
        drafts = self._folder / "drafts"
        drafts.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft, digest = drafts / secrets.token_hex(16), hashlib.sha256()
        file.seek(0)
        try:
            with draft.open("xb") as copy:
                while piece := file.read(COPIED_AT_ONCE):
                    digest.update(piece)
                    copy.write(piece)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        return draft, digest.hexdigest()

    def keep(self, draft: Path, digest: str) -> None:
        """Put a draft where it belongs."""
        path = self.path(digest)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        draft.replace(path)

    def path(self, digest: str) -> Path:
        """Where a content lies."""
        return self._folder / digest[:2] / digest

    def remove(self, digest: str) -> None:
        """Delete a content; one that is gone already is no mistake."""
        self.path(digest).unlink(missing_ok=True)

    def tidy(self, clock: float | None = None) -> None:
        """Delete drafts that a process has left when it was killed.

        Args:
            clock: seconds since 1970; None is now.
        """
        now = time.time() if clock is None else clock
        for entry in os.scandir(self._folder / "drafts") if (self._folder / "drafts").is_dir() else ():
            if now - entry.stat().st_mtime > FORGOTTEN_AFTER:
                Path(entry.path).unlink(missing_ok=True)
