"""Promises of safety that a request rests on: what cannot keep them is not done, where everything else is approximated.

A client that blocks domains has told somebody that they are not looked at, one that switches a server's tool off that
it is not called, and one that names a region where the words are computed on.  Leaving such a field out would break
that in silence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from stages.canonical.place import ROOT
from stages.canonical.report import Disposition, Note, Report
from stages.canonical.request import Request, ServerTool
from stages.tables.regions import ANYWHERE
from stages.tools.changes import tools_of
from stages.tools.hosted.web_fetch import WEB_FETCH
from stages.tools.server.mcp import MCP, forbidden
from stages.tools.server.web_search import WEB_SEARCH

_BLOCKED = "the upstream's search cannot leave domains out; name those that it may look at in allowed_domains"
_SEARCHING = ("web_search_", "web_fetch_")
_OFFERED = (
    "the upstream can only be told which tools of a server are allowed; switch all off in default_config and name "
    "those, or give the server's list in tools"
)
_GEO = ROOT.field("inference_geo")


def broken_promises(
    request: Request, region: str | None, server_tools: Collection[str], report: Report
) -> tuple[Note, ...]:
    """Note what of a request's promises cannot be kept, and return those notes.

    Args:
        request: what the client asked.
        region: where the upstream computes; None where nobody can tell.
        server_tools: the upstream's types of the tools that it was told to run itself, and the names of those that are
            run here.
        report: gets the notes, and one on a promise that is kept.
    """
    broken = tuple(_broken(request, region, server_tools))
    for note in broken:
        report.note(note.place, note.disposition, note.reason)
    if region is not None and request.extra.get("inference_geo") == region:
        report.note(_GEO, Disposition.KEPT, "the upstream's host computes there")
    return broken


def _broken(request: Request, region: str | None, server_tools: Collection[str]) -> Iterator[Note]:
    if WEB_SEARCH.upstream in server_tools:
        looking = _SEARCHING[:1] if WEB_FETCH.name in server_tools else _SEARCHING
        for tool, place in tools_of(request):
            searches = isinstance(tool, ServerTool) and tool.type.startswith(looking)
            if searches and tool.body.get("blocked_domains"):  # type: ignore[union-attr] # it is a server tool
                yield Note(place.field("blocked_domains"), Disposition.DROPPED, _BLOCKED)
    if MCP.upstream in server_tools:
        for tool, place in tools_of(request):
            if isinstance(tool, ServerTool) and MCP.handles(tool.type):
                for name in forbidden(tool.body):
                    yield Note(place.field("configs").field(name).field("enabled"), Disposition.DROPPED, _OFFERED)
    asked = request.extra.get("inference_geo")
    if region is not None and isinstance(asked, str) and asked.lower() not in (region, ANYWHERE, ""):
        yield Note(_GEO, Disposition.DROPPED, f"the upstream's host computes in {region}")
