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

from collections.abc import Iterable, Sequence
from typing import Any

import attrs

from stages.canonical.report import Disposition, Note, Report
from stages.canonical.request import AnyTool, ContentBlock, Document, Request, SearchResult, ToolResult, mark_of
from stages.tables.fields import CACHED
from stages.wire import responses_request as wire
from stages.wire.responses_request import Part

_MADE_OF_BLOCKS = frozenset({Document, SearchResult})

LASTING = "1h"
"""The `ttl` of a mark that wants more than the shortest time; any other, and none, is the upstream's default."""

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

    def place(self, block: ContentBlock, parts: list[Part], path: str, *, stable: bool = True) -> None:
        """Put the mark of a block on the last of the parts that the block became.

        Args:
            block: the block.
            parts: what it became; changed in place. Empty when nothing of it can carry a breakpoint.
            path: where the block stands.
            stable: whether it stands inside of what a turn adds, so that its mark will be there in the next one too.
        """
        if type(block) in _MADE_OF_BLOCKS:
            for place, inner in _inside(block):
                self.note_substitute(inner, f"{path}.{place}", _COVERED)
        mark = mark_of(block)
        if mark is None:
            return
        if not (self.supported and stable and parts):
            self.note_substitute(block, path, _COVERED if stable else _AUTOMATIC)
            return
        parts[-1] = wire.with_breakpoint(parts[-1], lasting=mark.get("ttl") == LASTING)
        self._translated(path, _MARKED)

    def place_in_result(
        self, result: ToolResult, inner: Sequence[list[Part]], path: str, *, listed: bool, stable: bool
    ) -> None:
        """Do the same for the result of a call: for each block in it, then for the whole.

        Args:
            result: the result.
            inner: the parts of each of its blocks; changed in place.
            path: where it stands.
            listed: whether the parts go upstream as a list; a string takes no breakpoint, and must stay one.
            stable: as in `place`, for the whole.
        """
        last = len(inner) - 1
        for index, (block, parts) in enumerate(zip(result.content, inner, strict=True)):
            self.place(block, parts if listed else [], f"{path}.content.{index}", stable=stable or index < last)
        filled = [parts for parts in inner if parts]
        self.place(result, filled[-1] if listed and filled else [], path, stable=stable)

    def note_substitute(self, node: ContentBlock | AnyTool, path: str, reason: str = _COVERED) -> None:
        """Note that another breakpoint stands in for the mark of a node, if it has one."""
        mark = mark_of(node)
        if mark is not None:
            self.lasting = self.lasting or (self.supported and mark.get("ttl") == LASTING)
            self.report.emulated(f"{path}.cache_control", reason if self.supported else CACHED)

    def around(self, request: Request) -> None:
        """Decide about the marks that stand outside of the conversation: on tools, and on the request itself."""
        for index, tool in enumerate(request.tools):
            self.note_substitute(tool, f"tools.{index}", _TOOLS)
        whole = request.extra.get("cache_control")
        if self.supported and isinstance(whole, dict) and whole.get("ttl") == LASTING:
            self.lasting = True
            self.report.notes.append(Note("cache_control", Disposition.TRANSLATED, _LASTING))

    def options(self) -> dict[str, Any]:
        """The `prompt_cache_options` field, when the automatic breakpoint must last longer than it does by itself."""
        return {"prompt_cache_options": {"ttl": "12h"}} if self.lasting else {}

    def _translated(self, path: str, reason: str) -> None:
        self.report.notes.append(Note(f"{path}.cache_control", Disposition.TRANSLATED, reason))


def has_marks(result: ToolResult) -> bool:
    """Whether there is anything to decide about the result of a call."""
    return result.cache_control is not None or any(
        mark_of(block) is not None or type(block) in _MADE_OF_BLOCKS for block in result.content
    )


def _inside(block: ContentBlock) -> Iterable[tuple[str, ContentBlock]]:
    """The blocks that a document or a search result is made of, by their place in it."""
    if isinstance(block, Document):
        return ((f"source.content.{index}", inner) for index, inner in enumerate(block.source.content))
    if isinstance(block, SearchResult):
        return ((f"content.{index}", inner) for index, inner in enumerate(block.content))
    return ()
