"""Cuts one text of the upstream into blocks, so that what is cited is a block of its own with its sources in front.

How to think about it.  The upstream annotates ranges of a text, Anthropic cites whole blocks and says the citations
before the text.  In a stream the annotation comes after its text, so text that may be cited waits: a link, and only
that.  Known ranges (`Mark`s) cut exactly; all other text passes as it comes.

- A link waits until its annotation comes, or until two deltas after it have brought none: recorded streams annotate
  before the next delta, or at the very end.
- Once a link has passed uncited, citations may come late, so the last piece of the text stays back from then on, one
  delta long; at the end it becomes a block of its own for all that came too late.  Without such a piece they are left
  out, and counted.
- No block is only white space: such a block could not be sent back.  White space after a cited range stays with it.
- The sum of the blocks is the text, whatever comes when.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from typing import Any

import attrs

from stages.canonical.events import CitationsDelta, TextStart
from stages.correlator.links import UNDECIDED, find_link
from stages.correlator.text_blocks import TextBlocks, TextEvent
from stages.tables import citations

MAX_HELD_DELTAS = 2
"""How many deltas after a link may pass before it counts as uncited."""


@attrs.frozen(order=True)
class Mark:
    """A range of the text that will be a cited block, in characters from its beginning, and its annotation."""

    start: int
    end: int
    annotation: dict[str, Any] = attrs.field(order=False, repr=False)


class CitationCutter:
    """The transducer of one text: its deltas and annotations in, blocks out.

    `left_out` counts annotations that found no place, by what they are.
    """

    def __init__(self) -> None:
        """Expect a text."""
        self.left_out: Counter[str] = Counter()
        self._held = ""
        self._at = 0
        self._piece = 0
        self._marks: list[Mark] = []
        self._late: list[Mark] = []
        self._known: set[tuple[object, ...]] = set()
        self._links: dict[int, int] = {}
        self._deltas = 0
        self._keeps_last = False
        self._blocks = TextBlocks()
        self._sources: list[Mark] = []
        self._until: int | None = None
        self._said: list[TextEvent] = []
        self._finished = False

    def feed(self, text: str) -> list[TextEvent]:
        """Take more text; return what may pass."""
        self._finished = False
        self._deltas += 1
        if not text.isspace():
            self._piece = self._at + len(self._held)
        self._held += text
        return self._pass_on(final=False)

    def cite(self, annotation: dict[str, Any]) -> list[TextEvent]:
        """Take an annotation, before its text or after it, as often as it comes; return what may pass now."""
        key = citations.annotation_key(annotation)
        if key in self._known:
            return []
        self._known.add(key)
        if self._finished or citations.citation_of(annotation) is None:
            self.left_out[citations.name_of(annotation)] += 1
            return []
        start, end = citations.range_of(annotation)
        mark = Mark(start, end, annotation)
        if end <= max(start, self._at):
            self._late.append(mark)
            self._keeps_last = True
        else:
            insort(self._marks, mark)
        return self._pass_on(final=False)

    def finish(self) -> list[TextEvent]:
        """Take note that the text is whole; return the rest of it."""
        self._finished = True
        whole = self._at + len(self._held)
        late = self._late + [mark for mark in self._marks if mark.start >= whole]
        self._marks = [mark for mark in self._marks if mark.start < whole]
        self._late = []
        # What came too late for its own range, or means one that never came, cites the piece that was kept back.
        last = max(self._piece, self._at)
        for mark in late:
            insort(self._marks, Mark(last, whole, mark.annotation))
        said = self._pass_on(final=True)
        for mark in self._late + self._marks:
            self.left_out[citations.name_of(mark.annotation)] += 1
        self._late, self._marks = [], []
        self._blocks.forget()
        self._close()
        return said + self._taken()

    # -- how much may pass ---------------------------------------------------------------

    def _pass_on(self, *, final: bool) -> list[TextEvent]:
        while self._held:
            if self._until is not None:
                count = self._cited(self._until)
                if not count:
                    self._close()
                    continue
            else:
                self._drop_passed()
                if self._marks and self._marks[0].start <= self._at and not self._held[0].isspace():
                    self._begin()
                    continue
                count = self._plain(final=final)
                if not count:
                    break
            self._say(count)
        return self._taken()

    def _cited(self, until: int) -> int:
        """Count what belongs to the cited block: the rest of its range, and then the white space after it."""
        rest = until - self._at
        return min(rest, len(self._held)) if rest > 0 else _leading_space(self._held)

    def _drop_passed(self) -> None:
        while self._marks and self._marks[0].end <= self._at:
            self._late.append(self._marks.pop(0))
            self._keeps_last = True

    def _plain(self, *, final: bool) -> int:
        """Count what may pass uncited."""
        ahead = self._marks[0].start - self._at if self._marks else len(self._held)
        if ahead <= 0:  # a cited block does not begin with white space
            return min(_leading_space(self._held), self._marks[0].end - self._at)
        free = len(self._held) if final else self._free()
        if (self._keeps_last or self._marks) and not final and ahead >= len(self._held):
            free = min(free, max(self._piece - self._at, 0))  # the last piece stays for citations that come late
        return min(ahead, free)

    def _free(self) -> int:
        """Count what stands before the first link that may still be cited."""
        at = 0
        while (found := find_link(self._held, at)) is not None:
            begin, end = found
            if (
                end == UNDECIDED
                or self._deltas - self._links.setdefault(self._at + begin, self._deltas) < MAX_HELD_DELTAS
            ):
                return begin
            self._keeps_last = True
            at = end
        return len(self._held)

    # -- blocks ----------------------------------------------------------------------------

    def _begin(self) -> None:
        """Begin a cited block here: all marks that begin by now, and those that overlap with them."""
        self._close()
        end = self._at
        while self._marks and (self._marks[0].start <= self._at or self._marks[0].start < end):
            mark = self._marks.pop(0)
            self._sources.append(mark)
            end = max(end, mark.end)
        self._until = end

    def _say(self, count: int) -> None:
        """Say the next characters; white space that would begin a block waits for something to see."""
        text, self._held = self._held[:count], self._held[count:]
        self._at += count
        self._said += self._blocks.write(text, self._opening)

    def _opening(self, length: int) -> list[TextEvent]:
        """How the next block begins: its sources stand in front of its text, the first `length` characters of it."""
        begin = self._at - length
        told = (citations.citation_of(mark.annotation, begin) for mark in self._sources)
        cited = [CitationsDelta(citation) for citation in told if citation is not None]
        return [TextStart(cited=bool(self._sources)), *cited]

    def _close(self) -> None:
        self._said += self._blocks.close()
        self._sources, self._until = [], None

    def _taken(self) -> list[TextEvent]:
        said, self._said = self._said, []
        return said


def _leading_space(text: str) -> int:
    return len(text) - len(text.lstrip())
