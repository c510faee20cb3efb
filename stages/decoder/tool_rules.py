"""Rules about tools and the choice among them: what they declare, and whether a choice can be met.

Source: `docs/facts/request-rules.md`, and Anthropic's page "Tool reference".
"""

from __future__ import annotations

from collections.abc import Iterator

from stages.canonical.request import AnyTool, Caller, Request, ServerTool, Tool
from stages.tools import client
from stages.tools.changes import tool_changes, tools_of
from stages.tools.server import mcp
from stages.wire.cache import by_identity


def declaration_rules(request: Request, _: Caller) -> Iterator[str]:
    """Check that declarations make sense, and that a call can belong to one of them only."""
    names: list[str] = []
    for index, tool in enumerate(request.tools):
        taken, complaints = _declaration(tool)
        names += taken
        for wrong in complaints:
            yield f"tools.{index}.{wrong}"
    if len(names) != len(set(names)):
        yield "tools: Tool names must be unique."


@by_identity
def _declaration(tool: AnyTool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names that a declaration takes, and what is wrong with it, its kind first; the same tools come every turn."""
    if isinstance(tool, ServerTool):
        return tuple(_names(tool)), tuple(f"{tool.type}.{wrong}" for wrong in client.client_tool_complaints(tool))
    return tuple(_names(tool)), tuple(f"custom.{wrong}" for wrong in _function(tool))


def names_of(tool: AnyTool) -> tuple[str, ...]:
    """Everything that nothing else may be called beside a tool."""
    return _declaration(tool)[0]


def complaints_about(tool: AnyTool) -> tuple[str, ...]:
    """What is wrong with one declaration, its kind first."""
    return _declaration(tool)[1]


def _function(tool: Tool) -> Iterator[str]:
    """Check one of the client's own; names that the upstream does not take, and the rest of a schema, are mended."""
    if not tool.name:
        yield "name: String should have at least 1 character"
    if not isinstance(tool.input_schema.get("properties") or {}, dict):
        yield "input_schema.properties: Input should be a valid dictionary"


def _names(tool: AnyTool) -> Iterator[str]:
    """Name everything that nothing else may be called: the tool, or the toolset and what its members are upstream.

    A client's tool may have the name of a member, whose calls name the toolset as well.
    """
    if isinstance(tool, Tool):
        yield tool.name
        return
    name = client.toolset_of(tool) or tool.name
    if name is not None:
        yield name
    for function in client.functions_of(tool) or ():
        if isinstance(function, client.ToolsetMember):
            yield client.declared_name(function)


def server_rules(request: Request, _: Caller) -> Iterator[str]:
    """Check that MCP servers and toolsets belong together."""
    return mcp.mcp_complaints(request)


def choice_rules(request: Request, _: Caller) -> Iterator[str]:
    """Check that what is to be called is there to be called.

    A member of a toolset is not, nor is the toolset: the API takes `auto`, `any` and `none` with them.  Thinking and a
    forced call go together, which the API refuses: the upstream does both.
    """
    chosen = request.tool_choice
    if chosen is None:
        return
    if chosen.type == "tool" and chosen.name is None:
        yield "tool_choice.tool.name: Field required"
    elif chosen.type != "none" and not tools_of(request) and not mcp.servers(request):
        yield "tool_choice: tool_choice may only be specified while providing tools."
    elif chosen.type == "tool" and not _is_offered(chosen.name or "", request):
        yield f"Tool '{chosen.name}' not found in provided tools"


def _is_offered(name: str, request: Request) -> bool:
    """Whether a tool may be called by now: it is declared, and was not taken away."""
    declared = any(tool.name == name and _is_callable(tool) for tool, _ in tools_of(request))
    return declared and ("tool", name) not in tool_changes(request).removed


def _is_callable(tool: AnyTool) -> bool:
    return isinstance(tool, Tool) or client.toolset_of(tool) is None
