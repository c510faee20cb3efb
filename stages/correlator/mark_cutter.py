"""Cuts one text of the upstream at the marks by which the model cites: a block for each passage, its sources in front.

The marks come before the words, so nothing has to wait but an end that may yet be a mark.  They go out of the text;
what they name is looked up, and what is not there is counted as left out.  White space behind cited words stays with
them, so that the sum of the blocks is the text without its marks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from stages.canonical.citable import Citable
from stages.canonical.events import CitationsDelta, TextStart
from stages.citing.marks import CITATION_MARK, citations_in, undecided
from stages.correlator.text_blocks import TextBlocks, TextEvent
from stages.tables import citations

_UNKNOWN = "citation"
"""What a mark counts as that names nothing the model was shown."""


class MarkCutter:
    """The transducer of one text, with the hooks of a `CitationCutter`, in whose place it stands."""

    def __init__(self, sources: Mapping[str, Citable]) -> None:
        """Expect a text that may cite these sources."""
        self.left_out: Counter[str] = Counter()
        self._sources = sources
        self._known: set[tuple[object, ...]] = set()
        self._held = ""
        self._blocks = TextBlocks()
        self._cited: list[dict[str, Any]] = []
        self._over = False

    def feed(self, text: str) -> list[TextEvent]:
        """Take more text; return what may pass."""
        self._held += text
        return self._read(final=False)

    def cite(self, annotation: dict[str, Any]) -> list[TextEvent]:
        """Count an annotation of the upstream's, which is about a text with marks in it: there is no place for it."""
        key = citations.annotation_key(annotation)
        if key not in self._known:
            self._known.add(key)
            self.left_out[citations.name_of(annotation)] += 1
        return []

    def finish(self) -> list[TextEvent]:
        """Take note that the text is whole; return the rest of it."""
        said = self._read(final=True) + self._blocks.close()
        self._blocks.forget()
        self._cited, self._over = [], False
        return said

    def _read(self, *, final: bool) -> list[TextEvent]:
        said: list[TextEvent] = []
        at = 0
        for mark in CITATION_MARK.finditer(self._held):
            said += self._write(self._held[at : mark.start()])
            at = mark.end()
            if mark["refs"] is None:
                self._over = True  # the block ends with the white space that follows
            else:
                said += self._begin(self._looked_up(mark["refs"]))
        rest = self._held[at:]
        passes = len(rest) if final else undecided(rest)
        self._held = rest[passes:]
        return said + self._write(rest[:passes])

    def _looked_up(self, references: str) -> list[dict[str, Any]]:
        found = list(citations_in(references, self._sources))
        self.left_out[_UNKNOWN] += found.count(None)
        return [citation for citation in found if citation is not None]

    def _write(self, text: str) -> list[TextEvent]:
        said: list[TextEvent] = []
        if self._over and text:
            words = text.lstrip()
            space, text = text[: len(text) - len(words)], words
            said += self._blocks.write(space, self._opening) if space else []
            said += self._begin([]) if words else []
        return said + (self._blocks.write(text, self._opening) if text else [])

    def _begin(self, cited: list[dict[str, Any]]) -> list[TextEvent]:
        """Begin another passage; one that cites nothing goes on in a block that cites nothing."""
        before, self._cited, self._over = self._cited, cited, False
        return self._blocks.close() if before or cited else []

    def _opening(self, _: int) -> list[TextEvent]:
        return [TextStart(cited=bool(self._cited)), *map(CitationsDelta, self._cited)]
