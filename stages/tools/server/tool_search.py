"""A search among deferred tools that runs on the server: Anthropic's by pattern or by words, and OpenAI's own.

Source: `ToolSearchToolRegex20251119` and `ToolSearchToolBm25_20251119`, `tool_search` of the Responses API, and
recorded conversations of gpt-5.4 and gpt-5.6 that went on without ids of items.
"""

from __future__ import annotations

from collections.abc import Mapping

from stages.canonical.place import Place
from stages.canonical.report import Report
from stages.canonical.request import JsonObject, ServerTool
from stages.tables.identifiers import call_id_of
from stages.tools.server.row import (
    SERVER_TOOL,
    CallBlock,
    ClientNames,
    DeclarationContext,
    ResultBlock,
    ServerToolRow,
    ToolBlocks,
    item_id,
    undo,
)
from stages.wire.lenient import mapping, objects, text

_UPSTREAM = "tool_search"
"""The upstream's word."""

_CALL = "tool_search_call"
_OUTPUT = "tool_search_output"
_PREFIX = "tsc_"
_RESULT = "tool_search_tool_search_result"


def _handles(kind: str) -> bool:
    """Whether a tool's `type` is a tool search, of whatever sort and date."""
    return kind.startswith("tool_search_tool_")


def _declare(_: ServerTool, context: DeclarationContext, place: Place, report: Report) -> JsonObject | None:
    """Declare the search upstream; where the model has none, the deferred tools are declared like the others."""
    if context.native_search:
        return {"type": _UPSTREAM}
    report.approximated(place, "the model cannot search among tools, so all of them are declared at once")
    return None


def _to_blocks(item: JsonObject, names: ClientNames, awaiting: str) -> ToolBlocks:
    """Show what was searched for, or what an earlier search has found: the upstream tells them in two items."""
    if item.get("type") == _CALL and item.get("execution") != "client":
        ident = SERVER_TOOL + item_id(item, _PREFIX)
        return ToolBlocks((CallBlock(ident, names.tool, mapping(item.get("arguments"))),))
    if item.get("type") != _OUTPUT or not awaiting:
        return ToolBlocks(left_out=(text(item.get("type")),))
    tool_names = [names.tools.get(name, name) for name in _found(item)]
    references = [{"type": "tool_reference", "tool_name": name} for name in tool_names]
    content = {"type": _RESULT, "tool_references": references}
    return ToolBlocks((ResultBlock({"type": "tool_search_tool_result", "tool_use_id": awaiting, "content": content}),))


def _to_items(
    call: JsonObject, result: JsonObject | None, functions: Mapping[str, JsonObject]
) -> list[JsonObject] | None:
    """Make the two items of a search again, without ids, because the second one's is not known.

    Another service's search becomes one that the client ran, which the upstream takes beside its own (recorded): so
    what it had found stays found.  That one needs its result.
    """
    arguments, tool_names = call.get("input"), _references(result)
    if not isinstance(arguments, dict):
        return None
    if undo(call.get("id"), _PREFIX) is not None:
        same = {"call_id": None, "execution": "server", "status": "completed"}
    elif tool_names is not None and text(call.get("id")):
        same = {"call_id": call_id_of(call["id"]), "execution": "client", "status": "completed"}
    else:
        return None
    items: list[JsonObject] = [{"type": _CALL, **same, "arguments": arguments}]
    if tool_names is not None:
        items.append(
            {
                "type": _OUTPUT,
                **same,
                "tools": [functions[name] for name in dict.fromkeys(tool_names) if name in functions],
            }
        )
    return items


def _references(result: JsonObject | None) -> list[str] | None:
    """The client's names of what was found; None without a result."""
    if result is None:
        return None
    content = result.get("content")
    references = objects(content.get("tool_references")) if isinstance(content, dict) else []
    return [text(reference.get("tool_name")) for reference in references]


def _found(item: JsonObject) -> list[str]:
    """The names of the functions that were found, those of namespaces included."""
    names = []
    for tool in objects(item.get("tools")):
        inner = objects(tool.get("tools")) if tool.get("type") == "namespace" else [tool]
        names += [text(function.get("name")) for function in inner if text(function.get("name"))]
    return names


TOOL_SEARCH = ServerToolRow(
    upstream=_UPSTREAM,
    handles=_handles,
    declare=_declare,
    to_blocks=_to_blocks,
    to_items=_to_items,
    items=(_CALL, _OUTPUT),
    prefix=_PREFIX,
)
"""The row of this tool."""
