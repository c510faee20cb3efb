"""Web search: Anthropic's tool and OpenAI's, both run by the server.

Source: `WebSearchTool20250305` and its successors, `web_search` of the Responses API, and recorded searches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stages.canonical.place import Place
from stages.canonical.report import Report
from stages.canonical.request import JsonObject, ServerTool
from stages.tables.identifiers import digest
from stages.tools.server.row import (
    DIRECT,
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
from stages.wire.lenient import objects, text, texts

WEB_SEARCH_NAME = "web_search"
"""What both sides call the tool."""

_PREFIX = "ws_"
_LOCATION = ("type", "city", "region", "country", "timezone")


def _handles(kind: str) -> bool:
    """Whether a tool's `type` is a web search, of whatever date."""
    return kind.startswith("web_search_")


def _declare(tool: ServerTool, _: DeclarationContext, __: Place, ___: Report) -> JsonObject:
    """Declare the search upstream, with what it may look at and from where."""
    body = tool.body
    declared: dict[str, Any] = {"type": WEB_SEARCH_NAME}
    if body.get("allowed_domains"):
        declared["filters"] = {"allowed_domains": body["allowed_domains"]}
    location = body.get("user_location")
    if isinstance(location, dict):
        declared["user_location"] = {key: location[key] for key in _LOCATION if isinstance(location.get(key), str)}
    return declared


def _to_blocks(item: JsonObject, _: ClientNames, __: str) -> ToolBlocks:
    """Show a search with what it found; pages that the model opened or looked through have no block of Anthropic's."""
    action = item.get("action")
    if not isinstance(action, dict) or action.get("type") != "search":
        kind = text(action.get("type")) if isinstance(action, dict) else ""
        return ToolBlocks(left_out=(f"web_search_call.{kind or 'unknown'}",))
    ident = SERVER_TOOL + item_id(item, _PREFIX)
    content: Any = _found(action)
    if item.get("status") == "failed":
        content = {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    result = {"type": "web_search_tool_result", "tool_use_id": ident, "content": content, "caller": DIRECT}
    places = objects(action.get("sources"))
    lost = tuple("web_search_call.source" for source in places if not text(source.get("url")))  # such as the weather
    return ToolBlocks((CallBlock(ident, WEB_SEARCH_NAME, _queries(action)), ResultBlock(result)), lost)


def _to_items(call: JsonObject, result: JsonObject | None, _: Mapping[str, JsonObject]) -> list[JsonObject] | None:
    """Make the item of a search that we told again."""
    ident = undo(call.get("id"), _PREFIX)
    arguments = call.get("input")
    if ident is None or not isinstance(arguments, dict):
        return None
    query, content = text(arguments.get("query")), (result or {}).get("content")
    queries = texts(arguments.get("queries")) or [query]
    action: dict[str, Any] = {"type": "search", "query": query, "queries": queries}
    urls = [page["url"] for page in objects(content) if isinstance(page.get("url"), str)]
    if urls:
        action["sources"] = [{"type": "url", "url": url} for url in urls]
    status = "failed" if isinstance(content, dict) else "completed"
    return [{"type": "web_search_call", "id": ident, "status": status, "action": action}]


def _queries(action: JsonObject) -> JsonObject:
    """The input of the block: one query as Anthropic's has it, and all of them where there were several."""
    queries = texts(action.get("queries"))
    query = text(action.get("query")) or (queries[0] if queries else "")
    return {"query": query} if queries in ([], [query]) else {"query": query, "queries": queries}


def _found(action: JsonObject) -> list[JsonObject]:
    """A result for each address; the upstream tells titles in citations alone, except where a source has one."""
    titles = {
        url: text(source.get("title")) or url
        for source in objects(action.get("sources"))
        if (url := text(source.get("url")))
    }
    return [
        {
            "type": "web_search_result",
            "url": url,
            "title": title,
            "encrypted_content": f"dragoman.{digest(url, 24)}",
            "page_age": None,
        }
        for url, title in titles.items()
    ]


WEB_SEARCH = ServerToolRow(
    upstream=WEB_SEARCH_NAME,
    handles=_handles,
    declare=_declare,
    to_blocks=_to_blocks,
    to_items=_to_items,
    items=("web_search_call",),
    prefix=_PREFIX,
    include=("web_search_call.action.sources",),
)
"""The row of this tool."""
