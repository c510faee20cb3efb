"""The sources of one request, numbered as they come: documents and search results, each kind by itself."""

from __future__ import annotations

from collections.abc import Iterable

from stages.canonical.citable import Citable, Unit
from stages.canonical.request import ContentBlock, Document, JsonObject, SearchResult, Text
from stages.citing.marks import marked, reference
from stages.citing.pieces import pieces_of

_WHERE = {
    Unit.CHARACTERS.value: ("", "document_index"),
    Unit.BLOCKS.value: ("", "document_index"),
    Unit.FOUND_BLOCKS.value: ("s", "search_result_index"),
}
# By a citation's type: how the label of its source begins, and which field has its number.


class Sources:
    """Numbers what it is shown, in the order of the conversation; `known` are those that may be cited, by label."""

    def __init__(self, silent: str = "") -> None:
        """Begin with none.

        Args:
            silent: why nothing may be cited in this answer; empty where it may.
        """
        self.silent = silent
        self.known: dict[str, Citable] = {}
        self._documents = self._found = 0

    def number(self, block: Document | SearchResult, text: str | None) -> Citable | None:
        """Count a source; return it if it may be cited.

        Args:
            block: the source.
            text: what a document says that is a text of its own; None for every other source.
        """
        citable = self._made(block, text)
        if isinstance(block, Document):
            self._documents += 1
        else:
            self._found += 1
        if citable is not None:
            self.known[citable.label] = citable
        return citable

    def _made(self, block: Document | SearchResult, text: str | None) -> Citable | None:
        if self.silent or not wants_citations(block):
            return None
        if isinstance(block, SearchResult):
            return Citable(Unit.FOUND_BLOCKS, self._found, _texts(block.content), block.title, block.source)
        if block.source.content:
            return Citable(Unit.BLOCKS, self._documents, _texts(block.source.content), block.title)
        return Citable(Unit.CHARACTERS, self._documents, pieces_of(text), block.title) if text else None

    def marked(self, text: str, citations: Iterable[JsonObject]) -> str | None:
        """Put marks around words of an earlier answer that cite what is known here; None where they cite nothing of it.

        Whoever made the citations: a model of Anthropic's cites by the same places.
        """
        names = [name for citation in citations if (name := self._name(citation)) is not None]
        return marked(text, dict.fromkeys(names)) if names and text.strip() else None

    def _name(self, citation: JsonObject) -> str | None:
        kind, field = _WHERE.get(str(citation.get("type")), ("", ""))
        citable = self.known.get(f"{kind}{citation.get(field)}") if field else None
        if citable is None or citable.unit.value != citation["type"]:
            return None
        place = citable.cited(citation)
        return None if place is None else reference(citable, *place)


def wants_citations(block: Document | SearchResult) -> bool:
    """Whether a client wants a source to be cited."""
    asked = block.extra.get("citations")
    return isinstance(asked, dict) and asked.get("enabled") is True


def _texts(blocks: Iterable[ContentBlock]) -> tuple[str, ...]:
    return tuple(block.text if isinstance(block, Text) else "" for block in blocks)
