"""Rules about tools that come and go in the middle of a conversation: what is spoken of must be known.

Each refusal has the `error_code` that Anthropic's SDKs list for it (`ErrorCode`, SDK 2.14).
"""

from __future__ import annotations

from collections.abc import Iterator

from stages.canonical.failure import Failure, Kind
from stages.canonical.place import Place
from stages.canonical.request import AnyTool, Request, Tool, ToolReference
from stages.decoder.tool_rules import complaints_about, names_of
from stages.tools.changes import Mention, ToolKey, definition_place, tool_changes, tool_key
from stages.tools.server import mcp
from stages.wire.lenient import text

UNRESOLVED = "tool_reference_unresolved"
"""The `error_code` of a change of a tool that nobody has declared."""

CONFLICT = "tool_name_conflict"
"""The `error_code` of a tool that has the name of something which it cannot replace."""


def tool_change_refusal(request: Request) -> Failure | None:
    """Say what is wrong with the tools that a conversation adds and removes; None if nothing is."""
    changes = tool_changes(request)
    return next(_refusals(request, changes.mentions), None) if changes.mentions else None


def _refusals(request: Request, mentions: tuple[Mention, ...]) -> Iterator[Failure]:
    known = {tool_key(tool) for tool in request.tools}
    known |= {("server", text(server.get("name"))) for server in mcp.servers(request)}
    taken = {name: tool_key(tool) for tool in request.tools for name in names_of(tool)}
    for mention in mentions:
        if mention.definition is not None:
            yield from _definition(mention.definition, definition_place(mention.place), taken)
            known.add(mention.key)
        elif not (isinstance(mention.block, ToolReference) or _sums_up(mention.place) or _is_known(mention.key, known)):
            message = f"{mention.place.field('tool')}: '{mention.key[1]}' is not found among the tools so far"
            yield Failure(Kind.INVALID_REQUEST, message, error_code=UNRESOLVED)


def _definition(tool: AnyTool, place: Place, taken: dict[str, ToolKey]) -> Iterator[Failure]:
    """Check a tool that a message brings along; it may replace one of its own name and kind."""
    for wrong in complaints_about(tool):
        yield Failure(Kind.INVALID_REQUEST, f"{place}.{wrong}")
    for name in names_of(tool):
        if taken.setdefault(name, tool_key(tool)) != tool_key(tool):
            kind = "custom" if isinstance(tool, Tool) else tool.type
            message = f"{place}.{kind}.name: '{name}' is the name of another tool"
            yield Failure(Kind.INVALID_REQUEST, message, error_code=CONFLICT)


def _is_known(key: ToolKey, known: set[ToolKey]) -> bool:
    kind, name = key
    return key in known or (kind == "member" and ("server", name.split(" ", 1)[0]) in known)


def _sums_up(place: Place) -> bool:
    """Whether a change stands in a summary: it says what there was, and who made it may have known more."""
    return bool(place) and place.outer[1:] == ("tool_changes",)
