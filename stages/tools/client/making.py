"""What the families of Anthropic's client tools share: a declaration without a schema becomes functions with one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs

from stages.canonical.request import JsonObject, ServerTool, Tool
from stages.tables.identifiers import upstream_tool_name

Maker = Callable[[ServerTool], list[Tool]]
"""Makes the functions that a declaration stands for."""

_COMMON = frozenset({"type", "name", "cache_control", "strict", "defer_loading"})
# Fields of a declaration that become attributes of the function.


@attrs.frozen
class ToolsetMember(Tool):
    """A function that is one of a toolset's: its calls name the toolset beside the member.

    Attributes:
        toolset: what `toolset_name` says in calls and results, `computer` or `browser`.
    """

    toolset: str = attrs.field(kw_only=True)


def upstream_name(name: str, toolset: str | None = None) -> str:
    """Name a function upstream, in a declaration and in a call alike.

    There are no toolsets upstream, and both of Anthropic's have a `screenshot`, as a client's own tools may: a member
    carries its toolset in its name.
    """
    return upstream_tool_name(f"{toolset}__{name}" if toolset else name)


def declared_name(tool: Tool) -> str:
    """Name a tool upstream, whether it is a client's own, one of Anthropic's, or a member of a toolset."""
    return upstream_name(tool.name, tool.toolset if isinstance(tool, ToolsetMember) else None)


def schema(properties: Mapping[str, JsonObject], *required: str) -> JsonObject:
    """Make the JSON schema of an object with these properties."""
    return {"type": "object", "properties": dict(properties), "required": list(required)}


def described(kind: str, description: str, **rest: Any) -> JsonObject:
    """Make the JSON schema of one property."""
    return {"type": kind, "description": description, **rest}


def numbers(count: int, description: str) -> JsonObject:
    """Make the JSON schema of a list of exactly so many whole numbers."""
    return described("array", description, items={"type": "integer"}, minItems=count, maxItems=count)


def client_function(
    tool: ServerTool, name: str, description: str, parameters: JsonObject, *, told: frozenset[str] = frozenset()
) -> Tool:
    """Make the one function of a declaration.

    Args:
        tool: the declaration.
        name: the published name, for a client that left it out.
        description: what the function does.
        parameters: its JSON schema.
        told: fields of the declaration that the description already says; what nobody says is kept in `extra`.
    """
    return Tool(
        name=tool.name or name,
        input_schema=parameters,
        description=description,
        strict=tool.body.get("strict") is True or None,
        defer_loading=tool.body.get("defer_loading") is True,
        cache_control=mark(tool),
        extra=left_over(tool, told),
    )


def mark(tool: ServerTool) -> JsonObject | None:
    """Read the client's mark for the cache."""
    value = tool.body.get("cache_control")
    return value if isinstance(value, dict) else None


def left_over(tool: ServerTool, told: frozenset[str]) -> JsonObject:
    """Read the fields of a declaration that nothing here has words for."""
    return {key: value for key, value in tool.body.items() if key not in _COMMON | told}
