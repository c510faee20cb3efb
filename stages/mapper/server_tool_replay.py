"""Blocks of server tools in a conversation: the blocks that showed the upstream's own calls become its items again.

A call and its result are two blocks of one message here, and mostly one item upstream.
"""

from __future__ import annotations

from collections.abc import Iterable

from stages.canonical.place import Place
from stages.canonical.report import Disposition, Report
from stages.canonical.request import JsonObject, Message, Unknown
from stages.citing.sources import Sources
from stages.mapper.tools import Toolbox
from stages.tools.hosted import restored
from stages.tools.server import BY_PREFIX
from stages.tools.server.foreign import FALLBACK_BLOCK, as_text
from stages.tools.server.mcp import LISTING, list_item
from stages.tools.server.row import item_prefix
from stages.tools.server.tool_search import TOOL_SEARCH
from stages.wire.lenient import text
from stages.wire.responses_request import Item

_CALLS = ("server_tool_use", "mcp_tool_use")


class ServerToolReplay:
    """Brings the server's calls of one message of an earlier turn back; each is looked for and restored once."""

    def __init__(
        self, message: Message, toolbox: Toolbox, report: Report, *, available: bool, sources: Sources | None = None
    ) -> None:
        """Look through a message.

        Args:
            message: an assistant's.
            toolbox: the request's tools; a search among them names some.
            report: gets what is shown as text instead.
            available: whether the upstream has tools of its own, and so knows the items of their calls.
            sources: number what may be cited in results.
        """
        self._sources = sources or Sources()
        self._toolbox = toolbox
        self._report = report
        self._available = available
        blocks = [block for block in message.content if isinstance(block, Unknown)]
        self._calls = _first((block.body for block in blocks if block.type in _CALLS), "id")
        self._results = _first((block.body for block in blocks), "tool_use_id")
        self._known: dict[int, list[Item] | None] = {}
        for call in self._calls.values() if toolbox.hosted else ():
            self._items(call)  # what they found has its number before the texts are read that cite it

    def items(self, block: Unknown) -> list[Item] | None:
        """Make the items of a block of ours; none for a result, which its call has brought; None for any other."""
        if block.type in _CALLS:
            return self._items(block.body)
        if block.type == LISTING:
            return self._listed(block.body)
        call = self._calls.get(text(block.body.get("tool_use_id")))
        return [] if call is not None and self._items(call) is not None else None

    def text(self, block: Unknown, place: Place) -> str:
        """Show any other block as text, and report it; empty for one that says nothing."""
        if block.type == FALLBACK_BLOCK:
            self._report.note(place, Disposition.KEPT, "a model of Anthropic's is not shown it either")
            return ""
        shown, lost = as_text(block.type, block.body)
        if shown:
            self._report.approximated(place, f"{block.type} is shown as text")
        else:
            self._report.dropped(place, f"{block.type} says nothing to the model")
        for field in lost:
            self._report.dropped(place.field(field), "nobody but its own service can read it")
        return shown

    def _listed(self, listing: JsonObject) -> list[Item] | None:
        """Give the list of a server that is still declared back, of whatever service: then it is not asked again."""
        declared = listing.get("mcp_server_name") in self._toolbox.server_tools.servers.values()
        return [list_item(listing)] if self._available and declared else None

    def _items(self, call: JsonObject) -> list[Item] | None:
        if id(call) not in self._known:
            self._known[id(call)] = self._restored(call)
        return self._known[id(call)]

    def _restored(self, call: JsonObject) -> list[Item] | None:
        result = self._results.get(text(call.get("id")))
        if text(call.get("name")) in self._toolbox.hosted:
            return restored(call, result, self._sources)
        row = BY_PREFIX.get(item_prefix(call.get("id")))
        if row is None and TOOL_SEARCH.handles(str(call.get("name"))):
            row = TOOL_SEARCH  # of whatever service: what it found must stay found
        if row is None or not self._available:
            return None
        if row is TOOL_SEARCH and row.upstream not in self._toolbox.server_tools.names:
            return None  # such items mean nothing to a model that cannot search
        return row.to_items(call, result, self._toolbox.functions)


def _first(bodies: Iterable[JsonObject], key: str) -> dict[str, JsonObject]:
    """Index bodies by what they say under a key; of several the first counts."""
    found: dict[str, JsonObject] = {}
    for body in bodies:
        if isinstance(body.get(key), str):
            found.setdefault(body[key], body)
    return found
