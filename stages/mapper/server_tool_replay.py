"""Blocks of server tools in a conversation: the blocks that showed the upstream's own calls become its items again.

A call and its result are two blocks of one message here, and mostly one item upstream.
"""

from __future__ import annotations

import attrs

from stages.canonical.place import Place
from stages.canonical.report import Report
from stages.canonical.request import JsonObject, Message, Unknown
from stages.mapper.tools import Toolbox
from stages.tools.server import BY_PREFIX
from stages.tools.server.foreign import as_text
from stages.tools.server.row import item_prefix
from stages.tools.server.tool_search import TOOL_SEARCH
from stages.wire.responses_request import Item

_CALLS = ("server_tool_use", "mcp_tool_use")


@attrs.frozen
class ServerToolReplay:
    """Brings the server's calls of earlier turns back.

    Attributes:
        toolbox: the request's tools; a search among them names some.
        available: whether the upstream has tools of its own, and so knows the items of their calls.
        report: gets what is shown as text instead.
    """

    toolbox: Toolbox
    available: bool
    report: Report

    def items(self, block: Unknown, message: Message) -> list[Item] | None:
        """Make the items of a block of ours; none for a result, which its call has brought; None for any other."""
        if block.type in _CALLS:
            return self._restored(block.body, message)
        ident = block.body.get("tool_use_id")
        if not isinstance(ident, str):
            return None
        call = next((other.body for other in _unknown(message) if other.type in _CALLS and _is(other, ident)), None)
        return [] if call is not None and self._restored(call, message) is not None else None

    def text(self, block: Unknown, place: Place) -> str:
        """Show any other block as text, and report it; empty for one that says nothing."""
        text, lost = as_text(block.type, block.body)
        if text:
            self.report.approximated(place, f"{block.type} is shown as text")
        else:
            self.report.dropped(place, f"{block.type} says nothing to the model")
        for field in lost:
            self.report.dropped(place.field(field), "nobody but its own service can read it")
        return text

    def _restored(self, call: JsonObject, message: Message) -> list[Item] | None:
        row = BY_PREFIX.get(item_prefix(call.get("id")))
        if row is None and TOOL_SEARCH.handles(str(call.get("name"))):
            row = TOOL_SEARCH  # of whatever service: what it found must stay found
        if row is None or not self.available:
            return None
        if row is TOOL_SEARCH and row.upstream not in self.toolbox.server_tools.names:
            return None  # such items mean nothing to a model that cannot search
        return row.to_items(call, _result(call, message), self.toolbox.functions)


def _unknown(message: Message) -> list[Unknown]:
    return [block for block in message.content if isinstance(block, Unknown)]


def _is(call: Unknown, ident: str) -> bool:
    return call.body.get("id") == ident


def _result(call: JsonObject, message: Message) -> JsonObject | None:
    ident = call.get("id")
    return next((other.body for other in _unknown(message) if other.body.get("tool_use_id") == ident), None)
