"""The tools of a request that the upstream runs itself: which of them it is told of, and what that entails."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs

from stages.canonical.place import ROOT, TOOLS, Place
from stages.canonical.report import Report
from stages.canonical.request import Request, ServerTool
from stages.tables.identifiers import undated_type
from stages.tools.changes import server_tools_of
from stages.tools.client import functions_of
from stages.tools.hosted.web_fetch import FETCH_WISHES, WEB_FETCH
from stages.tools.server import BY_UPSTREAM, row_of
from stages.tools.server.mcp import MCP, implied, label_of, pinned, servers
from stages.tools.server.row import DeclarationContext, ServerToolRow
from stages.tools.server.tool_search import TOOL_SEARCH
from stages.tools.server.web_search import WEB_SEARCH

PAGES = "web_fetch_"
"""How the `type`s of Anthropic's tool for reading a page begin; the upstream's search opens pages by itself."""

_OPENED = "the upstream's search opens pages by itself, and does not show them; fetch.enabled has them read here"
_OF_SEARCHES = ("allowed_domains", "max_uses")
_LIMITED_TOGETHER = "the upstream can only limit the calls of all its tools together"


@attrs.frozen
class DeclaredServerTools:
    """The server tools of one request.

    Attributes:
        declared: what goes into `tools`.
        brought: those that messages bring along, by the place of each.
        names: the client's name of each by the upstream's `type`; empty for an MCP server, whose tools have their own.
        servers: the client's name of an MCP server by the upstream's label.
        limit: how many calls the upstream may run in all; None sets no limit.
        listed: the items of the lists of tools that come with the declarations.
    """

    declared: list[dict[str, Any]] = attrs.field(factory=list, repr=False)
    brought: Mapping[Place, dict[str, Any]] = attrs.field(factory=dict, repr=False)
    names: Mapping[str, str] = attrs.field(factory=dict)
    servers: Mapping[str, str] = attrs.field(factory=dict)
    limit: int | None = None
    listed: list[dict[str, Any]] = attrs.field(factory=list, repr=False)

    @property
    def include(self) -> list[str]:
        """What must be asked for besides, or the upstream tells less than a client is shown."""
        return [value for kind in self.names for value in BY_UPSTREAM[kind].include]

    def forced(self, name: str | None, *, alone: bool) -> dict[str, Any] | str | None:
        """How the upstream is made to call the tool that the client names so; None when it cannot be.

        Args:
            name: the client's name of the tool.
            alone: whether nothing else is declared, so that any call must be one of it.
        """
        kind = next((kind for kind, known in self.names.items() if name and known == name), None)
        if kind is None or kind == TOOL_SEARCH.upstream:
            return None
        if alone:
            return "required"
        return BY_UPSTREAM[kind].choice or {"type": "allowed_tools", "mode": "required", "tools": [{"type": kind}]}


def is_searched(request: Request) -> bool:
    """Whether the deferred tools of a request are found by a search on the server."""
    return any(TOOL_SEARCH.handles(tool.type) for tool, _ in server_tools_of(request))


def declare_server_tools(
    request: Request, report: Report, *, available: bool, native_search: bool, runs: Collection[str] = ()
) -> DeclaredServerTools:
    """Declare the server tools of a request, and report those that cannot be.

    Args:
        request: the request.
        report: gets what was changed or left out.
        available: whether the upstream has tools of its own.
        native_search: whether the model can search among deferred tools by itself.
        runs: names of the tools that can be run here.
    """
    context = DeclarationContext(request, native_search=available and native_search and is_searched(request))
    declared: list[dict[str, Any]] = []
    brought: dict[Place, dict[str, Any]] = {}
    names: dict[str, str] = {}
    fetches = WEB_FETCH.name in runs
    for tool, place in server_tools_of(request):
        row = None if fetches and tool.type.startswith(PAGES) else _row(tool, request)
        if row is None or not (available or row is TOOL_SEARCH):
            continue
        if row is not MCP and row.upstream in names:
            report.dropped(place, "the upstream has one tool that does this, which is declared already")
            continue
        made = row.declare(tool, context, place, report)
        if made is not None:
            if place.outer == TOOLS:
                declared.append(made)
            else:
                brought[place] = made
            names[row.upstream] = "" if row is MCP else tool.name or undated_type(tool.type)
    more = implied(request) if available else []
    if more:
        declared += more
        names[MCP.upstream] = ""
    _report(request, report, names, available=available, fetches=fetches)
    labels = {label_of(str(server.get("name"))): str(server.get("name")) for server in servers(request)}
    labels = labels if MCP.upstream in names else {}
    known = {tool.get("server_label") for tool in declared}
    lists = [item for item in pinned(request) if item["server_label"] in known] if labels else []
    return DeclaredServerTools(declared, brought, names, labels, _limit(request, names, report), lists)


def _row(tool: ServerTool, request: Request) -> ServerToolRow | None:
    """The row that serves a tool; where pages are to be read and nothing is searched, the search that opens them."""
    if not tool.type.startswith(PAGES):
        return row_of(tool.type)
    searched = any(WEB_SEARCH.handles(other.type) for other, _ in server_tools_of(request))
    return None if searched else WEB_SEARCH


def _limit(request: Request, names: Mapping[str, str], report: Report) -> int | None:
    """Limit the searches; the upstream counts the calls of all its tools together, so only where there is one."""
    limits: dict[Place, int] = {
        place: tool.body["max_uses"]
        for tool, place in server_tools_of(request)
        if _row(tool, request) is WEB_SEARCH and type(tool.body.get("max_uses")) is int
    }
    if not limits or WEB_SEARCH.upstream not in names:
        return None
    if len(names) > 1:
        for place in limits:
            report.dropped(place.field("max_uses"), _LIMITED_TOGETHER)
        return None
    return max(1, *limits.values())


def _report(request: Request, report: Report, names: Mapping[str, str], *, available: bool, fetches: bool) -> None:
    """Say which tools have no counterpart."""
    for tool, place in server_tools_of(request):
        pages = tool.type.startswith(PAGES) and not fetches
        if functions_of(tool) is not None and not pages:  # the client runs it, or dragoman
            continue
        row = row_of(tool.type)
        if pages and WEB_SEARCH.upstream in names:
            report.approximated(place, _OPENED)
            _report_limits(tool, place, report, searches=_row(tool, request) is WEB_SEARCH)
        elif row is None or not (available or row is TOOL_SEARCH):
            report.dropped(place, f"no counterpart for {tool.type}")
    if request.extra.get("mcp_servers") and not available:
        report.dropped(ROOT.field("mcp_servers"), "the upstream speaks to no MCP servers")


def _report_limits(tool: ServerTool, place: Place, report: Report, *, searches: bool) -> None:
    """Say what becomes of the wishes of a tool that reads pages, in whose place a search stands, or beside it."""
    for field in sorted(FETCH_WISHES - {"blocked_domains"}):  # a promise, about which `promises` speaks
        wish = tool.body.get(field)
        if wish and searches and field in _OF_SEARCHES:
            report.translated(place.field(field), "to the limits of the search")
        elif wish and wish != {"enabled": False}:
            report.dropped(place.field(field), "heeded where pages are read here (fetch.enabled)")
