"""What is left out on purpose, and where: said here, because no stage that works on what remains would say it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from stages.canonical.report import Disposition, Note, Report
from stages.canonical.request import Request, ServerTool, Text, Tool
from stages.mapper.tools import PLACEHOLDER
from stages.tables.profiles import Profile
from stages.tools.server.code_execution import CODE_EXECUTION
from stages.tools.server.mcp import TOOLSET, servers


def report_drops(request: Request, profile: Profile, server_tools: Collection[str], report: Report) -> None:
    """Note the parts of a request that have no place upstream, whatever they say.

    Args:
        request: the request.
        profile: what the server takes.
        server_tools: the upstream's types of the tools that it was told to run itself.
        report: gets the notes.
    """
    report.notes += [*_accounting(request), *_instructions(request, profile), *_placeholders(request)]
    report.notes += [*_configured_twice(request), *_haste(request), *_prefill(request)]
    if request.metadata is not None and not profile.cache_key:
        report.dropped("metadata", "the server is told neither who asks nor which conversation it is")
    if request.extra.get("container") and CODE_EXECUTION.upstream not in server_tools:
        report.dropped("container", "no tool runs code, so nothing runs in it")


def _accounting(request: Request) -> Iterator[Note]:
    for index, (path, _) in enumerate(_system(request)):
        if index in request.billing:
            yield Note(
                path, Disposition.EMULATED, "an accounting header is taken out before a model reads it, here as well"
            )


def _instructions(request: Request, profile: Profile) -> Iterator[Note]:
    for path, block in _system(request):
        if not (profile.developer_role or isinstance(block, Text)):
            yield Note(path, Disposition.DROPPED, "the server's instructions are text alone")


def _system(request: Request) -> Iterator[tuple[str, object]]:
    """The system prompt's blocks by their paths; one that stands alone may have been a string."""
    alone = len(request.system) == 1
    return (("system" if alone else f"system.{index}", block) for index, block in enumerate(request.system))


def _placeholders(request: Request) -> Iterator[Note]:
    for index, tool in enumerate(request.tools):
        if isinstance(tool, Tool) and tool.name == PLACEHOLDER:
            yield Note(
                f"tools.{index}",
                Disposition.EMULATED,
                "stands for tools that are declared once a result refers to them",
            )


def _prefill(request: Request) -> Iterator[Note]:
    """The beginning of an answer that the model should go on from; a paused turn is none."""
    last = request.messages[-1] if request.messages else None
    if last is not None and last.role == "assistant" and last.content and isinstance(last.content[-1], Text):
        path = f"messages.{len(request.messages) - 1}"
        yield Note(path, Disposition.APPROXIMATED, "the upstream answers after what was said, and does not go on in it")


def _haste(request: Request) -> Iterator[Note]:
    """A speed that is none, and a tier that a speed overrules."""
    speed = request.extra.get("speed")
    if speed not in (None, "standard", "fast"):
        yield Note("speed", Disposition.DROPPED, "the upstream has no such speed")
    elif speed == "fast" and request.extra.get("service_tier") is not None:
        yield Note("service_tier", Disposition.DROPPED, "speed says which tier it is")


def _configured_twice(request: Request) -> Iterator[Note]:
    """Where toolsets say which tools of a server are allowed, the older place for that counts no more."""
    listed = any(isinstance(tool, ServerTool) and tool.type == TOOLSET for tool in request.tools)
    for index, server in enumerate(servers(request) if listed else ()):
        if server.get("tool_configuration"):
            path = f"mcp_servers.{index}.tool_configuration"
            yield Note(path, Disposition.DROPPED, "the toolset in tools says which tools are allowed")
