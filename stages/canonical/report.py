"""What became of each part of a request, so that nothing is lost in silence (law 10)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum

import attrs

from stages.canonical.place import Place


class Disposition(Enum):
    """What can become of a field."""

    KEPT = "kept"
    TRANSLATED = "translated"
    EMULATED = "emulated"
    APPROXIMATED = "approximated"
    DROPPED = "dropped"

    __hash__ = object.__hash__  # each is one object; the hash of an `Enum` is a function in Python, by its name


WORTH_A_WORD = frozenset({Disposition.EMULATED, Disposition.APPROXIMATED, Disposition.DROPPED})
"""What is worth a word on every answer."""

_GRAVEST_FIRST = (Disposition.DROPPED, Disposition.APPROXIMATED, Disposition.EMULATED)

# Names of unknown fields are the client's words, and must not break out of a header.
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")
_NAME_LENGTH = 64

MAX_SUMMARY = 512
"""Characters of a summary, which stands in a header of every answer; what does not fit is counted."""

ALL_FAITHFUL = "faithful=all"
"""The summary of a request of which everything was kept or translated."""

FAITHFUL = "faithful"
"""The outcome of a request of which everything was kept or translated."""

UNFAITHFUL = frozenset({Disposition.APPROXIMATED, Disposition.DROPPED})
"""What a client who insists on faithfulness does not accept."""


@attrs.frozen
class Note:
    """One entry: which field, what became of it, and why, in words without content."""

    place: Place
    disposition: Disposition
    reason: str

    @property
    def path(self) -> str:
        """The place as a client reads it."""
        return str(self.place)


@attrs.define
class Report:
    """The notes of one request, in the order in which they were made; it can be asked what was said about a place."""

    notes: list[Note] = attrs.field(factory=list, init=False)
    _newest: dict[Place, Disposition] = attrs.field(factory=dict, init=False, repr=False)

    def note(self, place: Place, disposition: Disposition, reason: str) -> None:
        """Note what became of the part at a place; one place may have several notes."""
        self.notes.append(Note(place, disposition, reason))
        self._newest[place] = disposition

    def repeat(self, notes: Iterable[Note]) -> None:
        """Take over notes that were made for another request, about parts that this one has as well."""
        for note in notes:
            self.notes.append(note)
            self._newest[note.place] = note.disposition

    def disposition_of(self, place: Place) -> Disposition | None:
        """What became of the part at exactly this place, by its newest note; None when it has none."""
        return self._newest.get(place)

    def dropped(self, place: Place, reason: str) -> None:
        """Note that what stands there does not reach the upstream."""
        self.note(place, Disposition.DROPPED, reason)

    def emulated(self, place: Place, reason: str) -> None:
        """Note that we do ourselves what the upstream cannot."""
        self.note(place, Disposition.EMULATED, reason)

    def approximated(self, place: Place, reason: str) -> None:
        """Note that the upstream gets the nearest thing to what was asked."""
        self.note(place, Disposition.APPROXIMATED, reason)

    def translated(self, place: Place, reason: str) -> None:
        """Note that the upstream gets the same under another name or in another form."""
        self.note(place, Disposition.TRANSLATED, reason)

    def unfaithful(self) -> Note | None:
        """The first part that does not mean upstream what the client meant by it; None if all does."""
        return next((note for note in self.notes if note.disposition in UNFAITHFUL), None)

    def outcome(self) -> str:
        """The gravest thing that became of any part: `faithful`, `emulated`, `approximated` or `dropped`."""
        met = {note.disposition for note in self.notes}
        return next((each.value for each in _GRAVEST_FIRST if each in met), FAITHFUL)

    def summary(self, limit: int = MAX_SUMMARY) -> str:
        """The report in one header value: `dropped=top_k;emulated=stop_sequences`, at most `limit` characters.

        Only what is not simply kept or translated is named, by its field at the top of the request, each once. What
        does not fit is counted: `more=3`. Where there is nothing to name, it says so: `faithful=all`.
        """
        named: dict[Disposition, dict[str, None]] = {}
        for note in self.notes:
            if note.disposition in WORTH_A_WORD:
                name = _NOT_IN_NAMES.sub("?", note.place.top.split(".", 1)[0])[:_NAME_LENGTH]
                named.setdefault(note.disposition, {})[name] = None
        parts: list[str] = []
        left = 0
        for disposition in sorted(named, key=lambda disposition: disposition.value):
            part = f"{disposition.value}={','.join(named[disposition])}"
            if len(";".join([*parts, part])) > limit:
                left += len(named[disposition])
            else:
                parts.append(part)
        return ";".join([*parts, f"more={left}"] if left else parts) or ALL_FAITHFUL
