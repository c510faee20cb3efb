"""Sources that a client wants to be cited: shown in numbered pieces, with a word on how to cite before the first.

All of it stands where the source does, so a source that comes later changes nothing before it (law 9).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from stages.canonical.citable import Citable, Unit
from stages.canonical.place import ROOT, Place
from stages.canonical.report import Report
from stages.canonical.request import ContentBlock, Document, SearchResult, Text
from stages.citing.marks import INSTRUCTION, numbered
from stages.citing.sources import Sources, wants_citations
from stages.mapper.documents import text_of_document
from stages.tables.fields.blocks import LOOKED_UP
from stages.tools.server.web_search import WEB_SEARCH
from stages.wire import responses_request as responses
from stages.wire.responses_request import ContentPart

STRUCTURED = "an answer in a format is one text, and cites nothing"
"""Why a structured answer has no citations."""

LATER = "an answer that is made later is read without its conversation, so nothing is looked up"
"""Why an answer of an upstream's batch has no citations."""

UNREAD = "what a file says is not known here, so no place in it could be checked"
"""Why a file is not cited."""

Inner = Callable[[ContentBlock], list[ContentPart]]
"""Translates a block inside of another one."""


def source_parts(
    block: Document | SearchResult, place: Place, report: Report, sources: Sources, inner: Inner
) -> list[ContentPart] | None:
    """Show a source in pieces that can be cited; None for one that is shown as any other, and counted all the same.

    Args:
        block: the source.
        place: where it stands.
        report: hears whether it can be cited, where the client asks for that.
        sources: numbers it.
        inner: translates what is no text in it.
    """
    first, wanted = not sources.known, wants_citations(block)
    citable = sources.number(block, text_of_document(block) if wanted and isinstance(block, Document) else None)
    if citable is None:
        if wanted:
            report.dropped(place.field("citations"), sources.silent or UNREAD)
        return None
    report.emulated(place.field("citations"), LOOKED_UP)
    head = [responses.input_text(INSTRUCTION)] if first else []
    return [*head, *map(responses.input_text, _about(block, citable)), *_pieces(block, citable, inner)]


def note_pages(sources: Sources, server_tools: Collection[str], report: Report) -> None:
    """Say what a search loses by sources beside it: its annotations are about a text that has marks in it."""
    if sources.known and WEB_SEARCH.upstream in server_tools:
        report.approximated(ROOT.field("tools"), "where documents are cited, the pages of a search are not")


def _about(block: Document | SearchResult, citable: Citable) -> Iterator[str]:
    """What stands above a source."""
    if isinstance(block, SearchResult):
        yield f"Search result {citable.label}: {block.title}\nSource: {block.source}"
        return
    if block.context:
        yield f"Context of the document below: {block.context}"
    yield f"Document {citable.label}: {block.title}" if block.title else f"Document {citable.label}:"


def _pieces(block: Document | SearchResult, citable: Citable, inner: Inner) -> Iterator[ContentPart]:
    if citable.unit is Unit.CHARACTERS:
        yield responses.input_text("".join(numbered(citable, at) for at in range(len(citable.pieces))))
        return
    content = block.content if isinstance(block, SearchResult) else block.source.content
    for at, each in enumerate(content):
        if not isinstance(each, Text):
            yield from inner(each)
        elif each.text:
            yield responses.input_text(numbered(citable, at))
