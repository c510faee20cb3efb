"""Web search: Anthropic's server tool and OpenAI's hosted one.

Source: `WebSearchTool20250305` and its successors, `web_search` of the Responses API, and recorded searches.
"""

from __future__ import annotations

from typing import Any

from stages.canonical.report import Report
from stages.canonical.request import JsonObject
from stages.tables.identifiers import digest

NAME = "web_search"
"""What both sides call the tool."""

INCLUDE = "web_search_call.action.sources"
"""What must be asked for, or the upstream tells no sources."""

_PREFIX = "srvtoolu_"
_LOCATION = ("type", "city", "region", "country", "timezone")


def is_web_search(kind: str) -> bool:
    """Whether a tool's `type` is a web search, of whatever date."""
    return kind.startswith("web_search_")


def tool_of(body: JsonObject, path: str, report: Report) -> dict[str, Any]:
    """Declare the search upstream, with what it may look at and from where."""
    tool: dict[str, Any] = {"type": NAME}
    if body.get("allowed_domains"):
        tool["filters"] = {"allowed_domains": body["allowed_domains"]}
    if body.get("blocked_domains"):
        report.dropped(f"{path}.blocked_domains", "the upstream knows allowed domains alone")
    location = body.get("user_location")
    if isinstance(location, dict):
        tool["user_location"] = {key: location[key] for key in _LOCATION if location.get(key)}
    return tool


def query_of(item: JsonObject) -> str | None:
    """What was searched for; None when the item is no search."""
    action = item.get("action")
    if not isinstance(action, dict) or action.get("type") != "search":
        return None
    queries = action.get("queries")
    told = action.get("query") or (queries[0] if isinstance(queries, list) and queries else "")
    return str(told)


def tool_use_id(item_id: str) -> str:
    """The id of the block; `item_id_of` undoes it for ids of ours."""
    return f"{_PREFIX}{item_id or digest('search', 24)}"


def item_id_of(tool_use: str) -> str | None:
    """The upstream's id of a search that we told; None for another service's."""
    ident = tool_use.removeprefix(_PREFIX)
    return ident if ident.startswith("ws_") else None


def result_block(ident: str, item: JsonObject) -> JsonObject:
    """The result block of a search: an address for each source; the upstream tells titles in citations alone."""
    sources = item.get("action", {}).get("sources")
    urls = [source.get("url") for source in sources if isinstance(source, dict)] if isinstance(sources, list) else []
    found = [
        {
            "type": "web_search_result",
            "url": url,
            "title": url,
            "encrypted_content": f"dragoman.{digest(url, 24)}",
            "page_age": None,
        }
        for url in dict.fromkeys(urls)
        if isinstance(url, str) and url
    ]
    return {"type": "web_search_tool_result", "tool_use_id": ident, "content": found, "caller": {"type": "direct"}}


def search_item(ident: str, query: str, result: JsonObject | None) -> dict[str, Any]:
    """The upstream's item of a search that we told in an earlier turn."""
    content = (result or {}).get("content")
    urls = [found.get("url") for found in content if isinstance(found, dict)] if isinstance(content, list) else []
    action: dict[str, Any] = {"type": "search", "query": query, "queries": [query]}
    if urls:
        action["sources"] = [{"type": "url", "url": url} for url in urls]
    return {"type": "web_search_call", "id": ident, "status": "completed", "action": action}
