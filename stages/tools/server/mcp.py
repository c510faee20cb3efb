"""MCP servers that the upstream speaks to: Anthropic's connector and OpenAI's `mcp` tool.

Source: `BetaRequestMCPServerURLDefinition`, `BetaMCPToolset`, `Mcp` and `McpCall` of the two SDKs, and recorded calls.
There are two ways to ask: a server with a `tool_configuration`, and since 2025-11 a server and one `mcp_toolset`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from stages.canonical.place import TOOLS, Place
from stages.canonical.report import Report
from stages.canonical.request import JsonObject, Request, ServerTool
from stages.tables.identifiers import digest
from stages.tools.changes import server_tools_of
from stages.tools.server.row import (
    MCP_TOOL,
    CallBlock,
    ClientNames,
    DeclarationContext,
    ResultBlock,
    ServerToolRow,
    ToolBlocks,
    item_id,
    undo,
)
from stages.wire import json
from stages.wire.lenient import mapping, objects, text

_UPSTREAM = "mcp"
"""The upstream's word."""

MCP_TOOLSET = "mcp_toolset"
"""Anthropic's `type` of the tool that stands for a server's tools."""

LISTING = "mcp_tool_listing"
"""Anthropic's `type` of the block with the tools of a server, as it listed them."""

_PREFIX = "mcp_"
_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}\Z")
_NOT_IN_LABELS = re.compile(r"[^A-Za-z0-9_-]")


def servers(request: Request) -> list[JsonObject]:
    """The servers that a request names, as they came."""
    return objects(request.extra.get("mcp_servers"))


def label_of(name: str) -> str:
    """Fit a server's name into what the upstream takes as a label; a name that fits stays as it is."""
    return name if _LABEL.match(name) else f"s_{_NOT_IN_LABELS.sub('_', name)[:40]}_{digest(name, 15)}"


def mcp_complaints(request: Request) -> Iterator[str]:
    """What is wrong with a request's servers and toolsets, location first, as the API would say."""
    listed = request.extra.get("mcp_servers")
    if listed is not None and not isinstance(listed, list):
        yield "mcp_servers: Input should be a valid list"
    for index, server in enumerate(listed if isinstance(listed, list) else ()):
        for key in ("name", "url"):
            if not isinstance(server, dict) or not isinstance(server.get(key), str):
                yield f"mcp_servers.{index}.{key}: Field required"
    declared, toolsets = servers(request), list(_toolsets(request))
    if not (declared or toolsets):
        return
    names = Counter(text(server.get("name")) for server in declared)
    sets = Counter(text(tool.body.get("mcp_server_name")) for tool in toolsets)
    for name in names:
        if names[name] > 1:
            yield f"mcp_servers: MCP server names must be unique; '{name}' is used more than once"
        if sets and sets[name] != 1:
            yield f"mcp_servers: MCP server '{name}' must be referenced by exactly one mcp_toolset in tools"
    yield from (f"tools: MCP server '{name}' not found in mcp_servers" for name in sets if name not in names)


def _declare(tool: ServerTool, context: DeclarationContext, place: Place, report: Report) -> JsonObject | None:
    """Declare the server of a toolset, with the tools that may be called."""
    body = tool.body
    server = context.servers.get(text(body.get("mcp_server_name")))
    if server is None:
        report.dropped(place, "no such server among mcp_servers")
        return None
    allowed = _allowed(body)
    if allowed == []:
        return None
    if body.get("tools") and place.outer != TOOLS:  # in front of a conversation that has begun, it would move all of it
        report.approximated(place.field("tools"), "their names are allowed; the upstream asks the server for the rest")
    deferred = {"defer_loading": True} if _deferred(body, context, place, report) else {}
    return _declared(server, allowed) | deferred


def implied(request: Request) -> list[JsonObject]:
    """Declare the servers of a request that has no toolset: then each stands for itself, as it did at first."""
    if any(True for _ in _toolsets(request)):
        return []
    declared = []
    for server in servers(request):
        config = mapping(server.get("tool_configuration"))
        allowed = config.get("allowed_tools")
        if config.get("enabled") is not False and allowed != []:
            declared.append(_declared(server, allowed if isinstance(allowed, list) else None))
    return declared


def _to_blocks(item: JsonObject, names: ClientNames, _: str) -> ToolBlocks:
    """Show a call of a server's tool and what it answered."""
    ident = MCP_TOOL + item_id(item, _PREFIX)
    label = text(item.get("server_label"))
    call = CallBlock(ident, text(item.get("name")), _arguments(item), names.servers.get(label, label))
    failed = item.get("error") is not None or item.get("status") == "failed"
    answer = _error(item.get("error")) if failed else text(item.get("output"))
    content = [{"type": "text", "text": answer}] if answer else []
    result = {"type": "mcp_tool_result", "tool_use_id": ident, "is_error": failed, "content": content}
    return ToolBlocks((call, ResultBlock(result)))


def _to_items(call: JsonObject, result: JsonObject | None, _: Mapping[str, JsonObject]) -> list[JsonObject] | None:
    """Make the item of a call that we told again."""
    ident, asked = undo(call.get("id"), _PREFIX), call.get("input")
    if ident is None or not isinstance(asked, dict) or not text(call.get("name")):
        return None
    label, arguments = label_of(text(call.get("server_name"))), json.encode(asked).decode()
    answer = _said((result or {}).get("content"))
    failed = bool((result or {}).get("is_error"))
    item = {"type": "mcp_call", "id": ident, "server_label": label, "name": call["name"], "arguments": arguments}
    error = {"type": "mcp_tool_execution_error", "content": [{"type": "text", "text": answer}]}
    outcome: JsonObject = {"output": None, "error": error} if failed else {"output": answer, "error": None}
    return [{**item, **outcome, "status": "failed" if failed else "completed"}]


def pinned(request: Request) -> list[JsonObject]:
    """Make the items of the lists that toolsets bring along: a server whose list there is is not asked for it."""
    toolsets = (tool for tool in request.tools if isinstance(tool, ServerTool) and tool.type == MCP_TOOLSET)
    return [list_item(tool.body) for tool in toolsets if tool.body.get("tools")]


def list_item(body: JsonObject) -> JsonObject:
    """Make the item of a server's list of tools, of a toolset or a listing block; the same list has the same id."""
    label = label_of(text(body.get("mcp_server_name")))
    tools = [
        {
            "name": text(tool.get("name")),
            "description": tool.get("description"),
            "input_schema": mapping(tool.get("input_schema")),
            "annotations": None,
        }
        for tool in objects(body.get("tools"))
    ]
    ident = f"mcpl_{digest(label + json.encode(tools).decode(), 40)}"
    return {"type": "mcp_list_tools", "id": ident, "server_label": label, "tools": tools, "error": None}


def forbidden(body: JsonObject) -> list[str]:
    """The tools that a toolset switches off, and that the upstream would offer all the same."""
    if mapping(body.get("default_config")).get("enabled") is False or body.get("tools"):
        return []
    configs = mapping(body.get("configs"))
    return [name for name, config in configs.items() if mapping(config).get("enabled") is False]


def _toolsets(request: Request) -> Iterator[ServerTool]:
    return (tool for tool, _ in server_tools_of(request) if tool.type == MCP_TOOLSET)


def _declared(server: JsonObject, allowed: list[Any] | None) -> JsonObject:
    name = text(server.get("name"))
    declared: JsonObject = {"type": _UPSTREAM, "server_label": label_of(name), "server_url": text(server.get("url"))}
    if token := text(server.get("authorization_token")):
        declared["authorization"] = token
    if allowed is not None:
        declared["allowed_tools"] = [tool for tool in allowed if isinstance(tool, str)]
    return {**declared, "require_approval": "never"}


def _allowed(body: JsonObject) -> list[str] | None:
    """List the tools that may be called; None where the upstream need not be told, or cannot be."""
    configs = {name: mapping(config).get("enabled") for name, config in mapping(body.get("configs")).items()}
    if mapping(body.get("default_config")).get("enabled") is False:
        return [name for name, enabled in configs.items() if enabled]
    if body.get("tools"):
        names = [text(tool.get("name")) for tool in objects(body["tools"])]
        return [name for name in names if configs.get(name) is not False]
    return None


def _deferred(body: JsonObject, context: DeclarationContext, place: Place, report: Report) -> bool:
    """Whether the server's tools are found by a search; the upstream defers all of them or none."""
    default = bool(mapping(body.get("default_config")).get("defer_loading"))
    for name, config in mapping(body.get("configs")).items():
        if bool(mapping(config).get("defer_loading", default)) != default:
            where = place.field("configs").field(name).field("defer_loading")
            report.approximated(where, "a server's tools are deferred together")
    if default and not context.native_search:
        where = place.field("default_config").field("defer_loading")
        report.approximated(where, "without a tool search, nothing is deferred")
    return default and context.native_search


def _arguments(item: JsonObject) -> JsonObject:
    try:
        value = json.decode(text(item.get("arguments")) or "{}")
    except json.MalformedJson:
        return {}
    return value if isinstance(value, dict) else {}


def _error(error: Any) -> str:
    """Say an error in words: some are text, some an object with a message, some with the blocks of an answer."""
    if isinstance(error, dict):
        return text(error.get("message")) or _said(error.get("content")) or text(error.get("type"))
    return text(error) or "The call failed."


def _said(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(text(part.get("text")) for part in objects(content))


MCP = ServerToolRow(
    upstream=_UPSTREAM,
    handles=MCP_TOOLSET.__eq__,
    declare=_declare,
    to_blocks=_to_blocks,
    to_items=_to_items,
    items=("mcp_call",),
    prefix=_PREFIX,
)
"""The row of this tool."""
