"""What became of each part of a request, so that nothing is lost in silence (law 10)."""

from __future__ import annotations

from enum import Enum

import attrs


class Fate(Enum):
    """What can become of a field."""

    KEPT = "kept"
    TRANSLATED = "translated"
    EMULATED = "emulated"
    APPROXIMATED = "approximated"
    DROPPED = "dropped"


@attrs.frozen
class Note:
    """One entry: which field, what became of it, and why, in words without content."""

    path: str
    fate: Fate
    reason: str


@attrs.define
class Report:
    """The notes of one request, in the order in which they were made."""

    notes: list[Note] = attrs.field(factory=list)

    def dropped(self, path: str, reason: str) -> None:
        """Note that the field at `path` does not reach the upstream."""
        self.notes.append(Note(path, Fate.DROPPED, reason))

    def emulated(self, path: str, reason: str) -> None:
        """Note that we do ourselves what the upstream cannot."""
        self.notes.append(Note(path, Fate.EMULATED, reason))

    def approximated(self, path: str, reason: str) -> None:
        """Note that the upstream gets the nearest thing to what was asked."""
        self.notes.append(Note(path, Fate.APPROXIMATED, reason))
