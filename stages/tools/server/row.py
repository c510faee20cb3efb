"""What a row of the server tools says: how one is declared, how its calls are shown, and how they go back.

A server tool is one that the upstream runs itself; OpenAI's pages call it a hosted tool.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property

import attrs

from stages.canonical.place import Place
from stages.canonical.report import Report
from stages.canonical.request import JsonObject, Request, ServerTool
from stages.tables.identifiers import digest
from stages.wire.lenient import objects, text

SERVER_TOOL = "srvtoolu_"
"""What the ids of `server_tool_use` blocks start with."""

MCP_TOOL = "mcptoolu_"
"""What the ids of `mcp_tool_use` blocks start with."""

DIRECT = {"type": "direct"}
"""The `caller` of a call that the model made itself, not from within code."""

_BLOCK_ID = re.compile(rf"(?:{SERVER_TOOL}|{MCP_TOOL})([a-z]+_)")
_ITEM_ID = re.compile(r"[A-Za-z0-9_]{1,64}\Z")


@attrs.frozen
class ClientNames:
    """What the client calls the things that an item names.

    Attributes:
        tool: the client's name of the server tool.
        tools: the client's name of a function by the upstream's.
        servers: the client's name of an MCP server by the upstream's label.
    """

    tool: str = ""
    tools: Mapping[str, str] = attrs.field(factory=dict)
    servers: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen
class CallBlock:
    """A block that says what was called, and with what; `server` is set for a tool of an MCP server."""

    id: str
    name: str
    input: JsonObject = attrs.field(repr=False)
    server: str | None = None


@attrs.frozen
class ResultBlock:
    """A block that says what came of it, in Anthropic's shape."""

    body: JsonObject = attrs.field(repr=False)


@attrs.frozen
class ToolBlocks:
    """What a client gets to see of an item.

    Attributes:
        parts: the blocks, in order; none when the item has no counterpart.
        left_out: a word for each thing about it that has none.
        container: the id of the machine that it ran on.
    """

    parts: tuple[CallBlock | ResultBlock, ...] = ()
    left_out: tuple[str, ...] = ()
    container: str | None = None


@attrs.frozen
class DeclarationContext:
    """What a declaration may depend on besides itself.

    Attributes:
        request: the whole request.
        native_search: whether the model can search among deferred tools by itself.
    """

    request: Request
    native_search: bool = False

    @cached_property
    def servers(self) -> Mapping[str, JsonObject]:
        """The MCP servers of the request by their names."""
        return {text(server.get("name")): server for server in objects(self.request.extra.get("mcp_servers"))}


@attrs.frozen
class ServerToolRow:
    """One row: a tool of Anthropic's servers, and the one of OpenAI's that does the same.

    Attributes:
        upstream: the upstream's `type` of the tool.
        handles: whether it stands for a client's tool of this `type`.
        declare: the upstream's declaration, or None when there can be none, which is then reported.
        to_blocks: what the client sees of an item; the last argument is the id of the call that waits for a result.
        to_items: the items of a call that a client was shown, from its block, its result's and the functions by the
            client's name; None when an item cannot be made of them.
        items: the types of the items that it reads.
        prefix: how the ids of its calls' items start.
        include: what must be asked for, or the upstream tells less than a client is shown.
        choice: how it is forced; None when it can only be forced by offering nothing else.
    """

    upstream: str
    handles: Callable[[str], bool]
    declare: Callable[[ServerTool, DeclarationContext, Place, Report], JsonObject | None]
    to_blocks: Callable[[JsonObject, ClientNames, str], ToolBlocks]
    to_items: Callable[[JsonObject, JsonObject | None, Mapping[str, JsonObject]], list[JsonObject] | None]
    items: tuple[str, ...]
    prefix: str
    include: tuple[str, ...] = ()
    choice: JsonObject | None = None


def item_id(item: JsonObject, prefix: str) -> str:
    """The id of an item; one is made up where the upstream gives none of its usual form."""
    ident = item.get("id")
    if isinstance(ident, str) and ident.startswith(prefix) and _ITEM_ID.match(ident):
        return ident
    return f"{prefix}{digest(text(ident), 24)}"


def undo(block_id: object, prefix: str) -> str | None:
    """The item's id in a block's id of ours; None for another service's."""
    if not isinstance(block_id, str) or not block_id.startswith((SERVER_TOOL, MCP_TOOL)):
        return None
    ident = block_id.split("_", 1)[1]
    return ident if ident.startswith(prefix) and _ITEM_ID.match(ident) else None


def item_prefix(block_id: object) -> str:
    """How the item's id in a block's id begins, such as `ws_`; empty for an id of another form."""
    match = _BLOCK_ID.match(block_id) if isinstance(block_id, str) else None
    return match[1] if match else ""
