"""Tools that run on the server: each is a module with its row, and everything else finds it here."""

from __future__ import annotations

from stages.tools.server.code_execution import CODE_EXECUTION
from stages.tools.server.mcp import MCP
from stages.tools.server.row import ServerToolRow
from stages.tools.server.tool_search import TOOL_SEARCH
from stages.tools.server.web_search import WEB_SEARCH

SERVER_TOOLS: tuple[ServerToolRow, ...] = (WEB_SEARCH, CODE_EXECUTION, MCP, TOOL_SEARCH)
"""All of them."""

BY_UPSTREAM = {row.upstream: row for row in SERVER_TOOLS}
"""By the upstream's `type` of the tool."""

BY_ITEM = {item: row for row in SERVER_TOOLS for item in row.items}
"""By the type of an item of the answer."""

BY_PREFIX = {row.prefix: row for row in SERVER_TOOLS}
"""By how the ids of its calls' items begin."""

PROGRESS = (
    "web_search_call.in_progress",
    "web_search_call.searching",
    "web_search_call.completed",
    "web_search_call.failed",
    "code_interpreter_call.in_progress",
    "code_interpreter_call.interpreting",
    "code_interpreter_call.completed",
    "code_interpreter_call_code.delta",
    "code_interpreter_call_code.done",
    "mcp_list_tools.in_progress",
    "mcp_list_tools.completed",
    "mcp_list_tools.failed",
    "mcp_call.in_progress",
    "mcp_call.completed",
    "mcp_call.failed",
    "mcp_call_arguments.delta",
    "mcp_call_arguments.done",
)
"""Events about how such a call goes on, without `response.`; all that they say comes again with the whole item."""


def row_of(kind: str) -> ServerToolRow | None:
    """The row that serves a client's tool of this `type`; None when there is none."""
    return next((row for row in SERVER_TOOLS if row.handles(kind)), None)
