"""What is left out on purpose, and where: said here, because no stage that works on what remains would say it."""

from __future__ import annotations

from collections.abc import Collection

from stages.canonical.place import MESSAGES, ROOT, SYSTEM, TOOLS, Place
from stages.canonical.report import Report
from stages.canonical.request import AnyTool, Request, Text, Tool
from stages.mapper.summarising import summarised
from stages.mapper.tools import PLACEHOLDER
from stages.tables.profiles import Profile
from stages.tools.changes import server_tools_of
from stages.tools.server.code_execution import CODE_EXECUTION
from stages.tools.server.mcp import MCP_TOOLSET, servers
from stages.wire.cache import by_members


def report_drops(request: Request, profile: Profile, server_tools: Collection[str], report: Report) -> None:
    """Note the parts of a request that have no place upstream, whatever they say.

    Args:
        request: the request.
        profile: what the server takes.
        server_tools: the upstream's types of the tools that it was told to run itself.
        report: gets the notes.
    """
    _accounting(request, report)
    _instructions(request, profile, report)
    _placeholders(request, report)
    _configured_twice(request, report)
    _speed(request, report)
    _prefill(request, report)
    _passing(request, report)
    if request.metadata is not None and not profile.cache_key:
        report.dropped(ROOT.field("metadata"), "the server is told neither who asks nor which conversation it is")
    if request.extra.get("user_profile_id") and not _is_told(request, profile):
        report.dropped(ROOT.field("user_profile_id"), "the upstream is told of one person, if of any")
    if request.extra.get("container") and CODE_EXECUTION.upstream not in server_tools:
        report.dropped(ROOT.field("container"), "no tool runs code, so nothing runs in it")


def _is_told(request: Request, profile: Profile) -> bool:
    """Whether the one for whom a request is made is who the upstream is told of: metadata is heard first."""
    named = request.metadata is not None and request.metadata.user_id
    return profile.cache_key and profile.safety_identifier and not named


def _accounting(request: Request, report: Report) -> None:
    for index in request.billing:
        place = _in_system(request, index)
        report.emulated(place, "an accounting header is taken out before a model reads it, here as well")


def _instructions(request: Request, profile: Profile, report: Report) -> None:
    for index, block in enumerate(request.system):
        if not (profile.developer_role or isinstance(block, Text)):
            report.dropped(_in_system(request, index), "the server's instructions are text alone")


def _in_system(request: Request, index: int) -> Place:
    """The place of a block of the system prompt; one that stands alone may have been a string."""
    return SYSTEM if len(request.system) == 1 else SYSTEM.at(index)


def _placeholders(request: Request, report: Report) -> None:
    for index in _standing_in(request.tools):
        report.emulated(TOOLS.at(index), "stands for tools that are declared once a result refers to them")


@by_members
def _standing_in(tools: tuple[AnyTool, ...]) -> tuple[int, ...]:
    return tuple(index for index, tool in enumerate(tools) if isinstance(tool, Tool) and tool.name == PLACEHOLDER)


def _prefill(request: Request, report: Report) -> None:
    """The beginning of an answer that the model should go on from; a paused turn is none."""
    if summarised(request):
        return
    last = request.messages[-1] if request.messages else None
    if last is not None and last.role == "assistant" and last.content and isinstance(last.content[-1], Text):
        place = MESSAGES.at(len(request.messages) - 1)
        report.approximated(place, "the upstream answers after what was said, and does not go on in it")


def _passing(request: Request, report: Report) -> None:
    """A wish to be shown for one turn alone, in other words than there are, or of a message that cannot have it."""
    for index, message in enumerate(request.messages):
        if message.extra and message.extra.get("clear_at") not in (None, "never") and not message.passes:
            report.dropped(MESSAGES.at(index).field("clear_at"), "a system message alone may pass")


def _speed(request: Request, report: Report) -> None:
    """A speed that is none, and a tier that a speed overrules."""
    speed = request.extra.get("speed")
    if speed not in (None, "standard", "fast"):
        report.dropped(ROOT.field("speed"), "the upstream has no such speed")
    elif speed == "fast" and request.extra.get("service_tier") is not None:
        report.dropped(ROOT.field("service_tier"), "speed says which tier it is")


def _configured_twice(request: Request, report: Report) -> None:
    """Where toolsets say which tools of a server are allowed, the older place for that counts no more."""
    listed = any(tool.type == MCP_TOOLSET and place.outer == TOOLS for tool, place in server_tools_of(request))
    for index, server in enumerate(servers(request) if listed else ()):
        if server.get("tool_configuration"):
            place = ROOT.field("mcp_servers").at(index).field("tool_configuration")
            report.dropped(place, "the toolset in tools says which tools are allowed")
