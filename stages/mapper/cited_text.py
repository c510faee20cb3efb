"""Texts of an earlier answer, put together again where citations had cut them.

The upstream said one text with annotations; the client got several blocks.  A model takes a history that was changed
for another conversation, so what goes back must be that one text.  The carriers of the citations say where each cited
block begins in its text; a block between two cited ones, or after one, belongs to the same text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from stages.canonical.place import Place
from stages.canonical.report import Report
from stages.canonical.request import ContentBlock, JsonObject, Text
from stages.citing.sources import Sources
from stages.tables.citations import annotation_of, citations_on, place_of

_RESTORED = "to annotations of the text that the block was cut from"
_MARKED = "to the marks by which the model cites"
_EDITED = "the texts before it have changed, so its place is not known any more"


@attrs.define
class CitedText:
    """One text of the upstream's.

    Attributes:
        pieces: the texts of the blocks that it is made of.
        annotations: the upstream's, as it gave them.
        cited: whether the last piece is a cited one, so that a plain one may follow it.
    """

    pieces: list[str] = attrs.field(factory=list, repr=False)
    annotations: list[JsonObject] = attrs.field(factory=list, repr=False)
    cited: bool = False
    length: int = attrs.field(default=attrs.Factory(lambda own: sum(map(len, own.pieces)), takes_self=True), init=False)

    def add(self, piece: str) -> None:
        """Take another piece."""
        self.pieces.append(piece)
        self.length += len(piece)

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.pieces)


def cited_texts(
    content: Sequence[ContentBlock], place: Place, report: Report, sources: Sources | None = None
) -> dict[int, CitedText]:
    """Join the texts of one assistant's message.

    Args:
        content: the message's blocks.
        place: where the list of them stands.
        report: gets what became of citations of ours; those of others are not mentioned here.
        sources: what may be cited; a text that cites them gets its marks again.

    Returns:
        Each text of the upstream's by the index of its first block.
    """
    if not any(isinstance(block, Text) and block.extra for block in content):  # as nearly all messages are
        return {index: CitedText([block.text]) for index, block in enumerate(content) if isinstance(block, Text)}
    by_index: dict[int, CitedText] = {}
    run = _Run(by_index)
    for index, block in enumerate(content):
        if not isinstance(block, Text):
            run = _Run(by_index)
            continue
        citations = citations_on(block) if block.extra else []
        if not citations:
            run.plain(index, block.text)
            continue
        if sources is not None and (marked := sources.marked(block.text, citations)) is not None:
            run.marked(index, marked)
            report.translated(place.at(index).field("citations"), _MARKED)
            continue
        restored = run.cited(index, block.text, citations)
        if restored is None:
            report.dropped(place.at(index).field("citations"), _EDITED)
        elif restored == len(citations):
            report.translated(place.at(index).field("citations"), _RESTORED)
    for cited_text in by_index.values():
        cited_text.annotations = _in_order(cited_text)
    return by_index


@attrs.define
class _Run:
    """Neighbouring texts, taken one by one; the last cited text is the one that the next may belong to."""

    by_index: dict[int, CitedText]
    _last: CitedText | None = None
    _first_of_plain: int = 0

    def plain(self, index: int, text: str) -> None:
        """Take a text without citations."""
        cited_text = self._last if self._last is not None and self._last.cited else self._begin(index)
        cited_text.add(text)
        cited_text.cited = False
        self._first_of_plain = index

    def marked(self, index: int, text: str) -> None:
        """Take a text in its marks, which is one with what stands before it and behind it."""
        cited_text = self._last or self._begin(index)
        cited_text.add(text)
        cited_text.cited = True

    def cited(self, index: int, text: str, citations: Iterable[JsonObject]) -> int | None:
        """Take a cited text; return how many of its citations are ours, None if they lost their place."""
        places = [(citation, place) for citation in citations if (place := place_of(citation)) is not None]
        if not places:  # another service's, which does not cut as we do
            self._begin(index).add(text)
            return 0
        cited_text = self._at(index, places[0][1].offset)
        placed = cited_text is not None
        cited_text = cited_text or self._begin(index)
        cited_text.add(text)
        cited_text.cited = placed
        if placed:
            cited_text.annotations += [annotation_of(citation, place) for citation, place in places]
        return len(places) if placed else None

    def _at(self, index: int, offset: int) -> CitedText | None:
        """Find the text in which a block can begin at this offset."""
        if offset == 0:
            return self._begin(index)
        last = self._last
        if last is None:
            return None
        if offset == last.length:
            return last
        if not last.cited and len(last.pieces) > 1 and offset == len(last.pieces[-1]):
            piece = last.pieces.pop()  # it only seemed to go on the text before it
            last.length -= len(piece)
            self._begin(self._first_of_plain).add(piece)
            return self._last
        return None

    def _begin(self, index: int) -> CitedText:
        self._last = self.by_index[index] = CitedText()
        return self._last


def _in_order(cited_text: CitedText) -> list[JsonObject]:
    """Sort annotations as the upstream does, and keep them inside the text."""
    length = cited_text.length
    for annotation in cited_text.annotations:
        annotation["start_index"] = min(annotation["start_index"], length)
        annotation["end_index"] = min(annotation["end_index"], length)
    return sorted(cited_text.annotations, key=lambda annotation: (annotation["start_index"], annotation["end_index"]))
