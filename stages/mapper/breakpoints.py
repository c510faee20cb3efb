"""The client's marks for the cache: which become breakpoints upstream, and what stands in for the others.

A breakpoint is part of the bytes of a prompt, so only a mark that stands still may become one (law 9): on the system
prompt, and between two blocks of a message, where a client has drawn a border on purpose.  A mark on the last block of
a message is where a turn ended, and moves on with the next one; there the upstream's automatic breakpoint stands, and
finds what that of the turn before has written.  The upstream writes the latest three of the marked ones and reads any:
all of them are sent, because leaving out the oldest once a fourth comes would change what stood before.  How many that
are is limited by the client's API (four marks), far below the 80 that the upstream looks at.

Source: `docs/facts/prompt-caching.md`, after `prompt_cache_options` and `prompt_cache_breakpoint` of SDK 3.54.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from stages.canonical.place import ROOT, TOOLS, Place
from stages.canonical.report import Report
from stages.canonical.request import AnyTool, ContentBlock, Document, Request, SearchResult, ToolResult, mark_of
from stages.tables.fields import CACHED
from stages.tools.changes import marked_tools
from stages.wire import responses_request as responses
from stages.wire.responses_request import ContentPart

_MADE_OF_BLOCKS = frozenset({Document, SearchResult})

LASTING = "1h"
"""The `ttl` of a mark that wants more than the shortest time; any other, and none, is the upstream's default."""

_MARK = "cache_control"
_MARKED = "to prompt_cache_breakpoint"
_AUTOMATIC = "the upstream's automatic breakpoint stands there"
_COVERED = "a breakpoint can stand on whole parts of the input alone; the next one behind it covers this"
_TOOLS = "tools stand before the input, so that each of its breakpoints covers them"
_LASTING = "to prompt_cache_options.ttl"


@attrs.define
class CacheBreakpoints:
    """Decides about each mark of one request, and notes what became of it under its own path.

    Attributes:
        supported: whether model and server take breakpoints.
        report: gets a note for each mark.
        lasting: whether a mark that the automatic breakpoint stands for wants the long time.
    """

    supported: bool
    report: Report
    lasting: bool = attrs.field(default=False, init=False)

    def put(self, block: ContentBlock, parts: list[ContentPart], place: Place, *, stable: bool = True) -> None:
        """Put the mark of a block on the last of the parts that the block became.

        Args:
            block: the block.
            parts: what it became; changed in place. Empty when nothing of it can carry a breakpoint.
            place: where the block stands.
            stable: whether it stands inside of what a turn adds, so that its mark will be there in the next one too.
        """
        if type(block) in _MADE_OF_BLOCKS:
            for inner, where in _inside(block, place):
                self.note_substitute(inner, where, _COVERED)
        mark = mark_of(block)
        if mark is None:
            return
        if not (self.supported and stable and parts):
            self.note_substitute(block, place, _COVERED if stable else _AUTOMATIC)
            return
        parts[-1] = responses.with_breakpoint(parts[-1], lasting=mark.get("ttl") == LASTING)
        self.report.translated(place.field(_MARK), _MARKED)

    def put_in_result(
        self, result: ToolResult, inner: Sequence[list[ContentPart]], place: Place, *, listed: bool, stable: bool
    ) -> None:
        """Do the same for the result of a call: for each block in it, then for the whole.

        Args:
            result: the result.
            inner: the parts of each of its blocks; changed in place.
            place: where it stands.
            listed: whether the parts go upstream as a list; a string takes no breakpoint, and must stay one.
            stable: as in `put`, for the whole.
        """
        last, content = len(inner) - 1, place.field("content")
        for index, (block, parts) in enumerate(zip(result.content, inner, strict=True)):
            self.put(block, parts if listed else [], content.at(index), stable=stable or index < last)
        filled = [parts for parts in inner if parts]
        self.put(result, filled[-1] if listed and filled else [], place, stable=stable)

    def note_substitute(self, node: ContentBlock | AnyTool, place: Place, reason: str = _COVERED) -> None:
        """Note that another breakpoint stands in for the mark of a node, if it has one."""
        mark = mark_of(node)
        if mark is not None:
            self.lasting = self.lasting or (self.supported and mark.get("ttl") == LASTING)
            self.report.emulated(place.field(_MARK), reason if self.supported else CACHED)

    def around(self, request: Request) -> None:
        """Decide about the marks that stand outside of the conversation: on tools, and on the request itself."""
        for index in marked_tools(request.tools):
            self.note_substitute(request.tools[index], TOOLS.at(index), _TOOLS)
        whole = request.extra.get(_MARK)
        if self.supported and isinstance(whole, dict) and whole.get("ttl") == LASTING:
            self.lasting = True
            self.report.translated(ROOT.field(_MARK), _LASTING)

    def options(self) -> dict[str, Any]:
        """The `prompt_cache_options` field, when the automatic breakpoint must last longer than it does by itself."""
        return {"prompt_cache_options": {"ttl": "12h"}} if self.lasting else {}


def has_marks(result: ToolResult) -> bool:
    """Whether there is anything to decide about the result of a call."""
    return result.cache_control is not None or any(
        mark_of(block) is not None or type(block) in _MADE_OF_BLOCKS for block in result.content
    )


def _inside(block: ContentBlock, place: Place) -> Iterator[tuple[ContentBlock, Place]]:
    """The blocks that a document or a search result is made of, with their places."""
    if isinstance(block, Document):
        made_of, place = block.source.content, place.field("source")
    else:
        made_of = block.content if isinstance(block, SearchResult) else ()
    content = place.field("content")
    return ((inner, content.at(index)) for index, inner in enumerate(made_of))
