"""What an answer may cite: the numbered pieces of a document or of a search result that the model was shown."""

from __future__ import annotations

from bisect import bisect_right
from enum import Enum
from functools import cached_property
from itertools import accumulate
from typing import Any

import attrs


class Unit(Enum):
    """What the places of a citation count."""

    CHARACTERS = "char_location"
    """Characters of a plain text."""
    BLOCKS = "content_block_location"
    """Blocks of a document that is made of them."""
    FOUND_BLOCKS = "search_result_location"
    """Blocks of a search result."""


@attrs.frozen(slots=False)
class Citable:
    """One source.

    Attributes:
        unit: what its places count; the value is the `type` of its citations.
        number: which document, or which search result, of the request it is, counted from 0.
        pieces: its text, cut; of a plain text all of it, else one for each block, empty for a picture.
        title: the client's.
        source: the address of a search result.
    """

    unit: Unit
    number: int
    pieces: tuple[str, ...] = attrs.field(repr=False)
    title: str | None = attrs.field(default=None, repr=False)
    source: str = attrs.field(default="", repr=False)

    @property
    def label(self) -> str:
        """What the model knows it by."""
        return f"s{self.number}" if self.unit is Unit.FOUND_BLOCKS else str(self.number)

    @cached_property
    def _ends(self) -> tuple[int, ...]:
        return tuple(accumulate(map(len, self.pieces)))

    def citation(self, first: int, last: int) -> dict[str, Any] | None:
        """Cite the pieces from the first to the last; None where there are no such ones, or they say nothing."""
        if not 0 <= first <= last < len(self.pieces):
            return None
        said = "".join(self.pieces[first : last + 1])
        if not said.strip():
            return None
        cited = {"type": self.unit.value, "cited_text": said}
        if self.unit is Unit.FOUND_BLOCKS:
            where = {"source": self.source, "title": self.title, "search_result_index": self.number}
        else:
            where = {"document_index": self.number, "document_title": self.title, "file_id": None}
        if self.unit is Unit.CHARACTERS:
            start = self._ends[first - 1] if first else 0
            return {**cited, **where, "start_char_index": start, "end_char_index": self._ends[last]}
        return {**cited, **where, "start_block_index": first, "end_block_index": last + 1}

    def cited(self, citation: dict[str, Any]) -> tuple[int, int] | None:
        """Find the first and the last piece of a citation, whoever made it; None where it names no place in here."""
        kind = "char" if self.unit is Unit.CHARACTERS else "block"
        start, end = citation.get(f"start_{kind}_index"), citation.get(f"end_{kind}_index")
        if type(start) is not int or type(end) is not int or not 0 <= start < end:
            return None
        if self.unit is not Unit.CHARACTERS:
            return (start, end - 1) if end <= len(self.pieces) else None
        return (self._at(start), self._at(end - 1)) if end <= self._ends[-1] else None

    def _at(self, character: int) -> int:
        """The piece in which a character stands."""
        return bisect_right(self._ends, character)
