"""Tools that come and go while a conversation grows.

System messages hold `tool_addition`s and `tool_removal`s, results refer to tools that were deferred, and a compaction
block has the changes of what it sums up.  A tool is known by its name, an MCP server's tools by their server; an
addition may bring a tool that `tools` does not list.  What was said last about a tool counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from stages.canonical.place import TOOLS, Place, content_of_message
from stages.canonical.request import (
    AnyTool,
    ChangedTool,
    Compaction,
    ContentBlock,
    JsonObject,
    Message,
    Request,
    ServerTool,
    Tool,
    ToolAddition,
    ToolReference,
    ToolRemoval,
    ToolResult,
    mark_of,
)
from stages.wire.cache import by_identity, by_members

ToolKey = tuple[str, str]
"""What a tool is known by: `tool` and its name, `server` and an MCP server's name, `member` and both of them."""

ToolChange = ToolAddition | ToolRemoval
"""A block that adds or removes."""

Steps = tuple[str | int, ...]
"""The way from one place to another inside of it."""


@attrs.frozen
class Mention:
    """A tool is spoken of.

    Attributes:
        key: the tool.
        place: where the block stands that speaks of it.
        block: adds it, removes it, or refers to it in a result.
    """

    key: ToolKey
    place: Place
    block: ToolChange | ToolReference

    @property
    def definition(self) -> AnyTool | None:
        """The tool that is brought along; None where one is only named."""
        return None if isinstance(self.block, ToolReference) else self.block.tool.definition


@attrs.frozen
class ToolChanges:
    """What a conversation says about its tools, in its order."""

    mentions: tuple[Mention, ...] = ()

    @property
    def defined(self) -> list[tuple[AnyTool, Place]]:
        """The tools that messages bring along, with their places."""
        each = ((mention.definition, definition_place(mention.place)) for mention in self.mentions)
        return [(tool, place) for tool, place in each if tool is not None]

    @property
    def removed(self) -> frozenset[ToolKey]:
        """The tools about which it was said last that they are gone."""
        last = {mention.key: mention.block for mention in self.mentions if not isinstance(mention.block, ToolReference)}
        return frozenset(key for key, block in last.items() if isinstance(block, ToolRemoval))


NO_CHANGES = ToolChanges()
"""What most conversations say."""


def definition_place(block: Place) -> Place:
    """Where a block that adds a tool has its definition."""
    return block.field("tool").field("definition")


@by_identity
def tool_changes(request: Request) -> ToolChanges:
    """Find what a request's messages say about its tools; costs a look-up for each message that came before, once."""
    found = [
        Mention(key_of_change(block), within(content_of_message(index), steps), block)
        for index, message in enumerate(request.messages)
        for steps, block in _spoken_of_in(message)
    ]
    return ToolChanges(tuple(found)) if found else NO_CHANGES


@by_identity
def tools_of(request: Request) -> tuple[tuple[AnyTool, Place], ...]:
    """All tools that a request declares, in `tools` and in its messages, with their places."""
    return (*((tool, TOOLS.at(at)) for at, tool in enumerate(request.tools)), *tool_changes(request).defined)


@by_identity
def server_tools_of(request: Request) -> tuple[tuple[ServerTool, Place], ...]:
    """Those whose meaning Anthropic has fixed among all tools that a request declares, with their places."""
    return tuple((tool, place) for tool, place in tools_of(request) if isinstance(tool, ServerTool))


@by_members
def marked_tools(tools: tuple[AnyTool, ...]) -> tuple[int, ...]:
    """Which of these tools the client has marked for the cache; the same tools come with every turn."""
    return tuple(index for index, tool in enumerate(tools) if mark_of(tool) is not None)


def tool_key(tool: AnyTool) -> ToolKey:
    """What a declared tool is known by; a toolset, which has no name, by its type."""
    if isinstance(tool, Tool):
        return "tool", tool.name
    server = tool.body.get("mcp_server_name")
    return ("server", str(server)) if server is not None else ("tool", tool.name or tool.type)


def net_changes(messages: Iterable[Message], last: Compaction | None = None) -> tuple[ToolChange, ...]:
    """The changes that lead from the request's tools to those at the end of some messages.

    Args:
        messages: what was said; a tool that a result refers to is there from then on.
        last: a summary behind them, whose own changes count as well.
    """
    found = [change for message in messages for _, change in _spoken_of_in(message)]
    found += [change for _, change in spoken_of(last)] if last is not None else []
    net: dict[ToolKey, ToolChange] = {}
    for change in map(_as_change, found):
        key, before = key_of_change(change), net.get(key_of_change(change))
        brought = before.tool.definition if before is not None else None
        if type(change) is ToolRemoval and brought is not None:
            del net[key]  # it had come in between, and `tools` never had it
        elif brought is None or change.tool.definition is not None:
            net[key] = change
    return tuple(net.values())


def wire_form(change: ToolChange) -> JsonObject:
    """Write a change as the API does; a definition as it was sent, without its mark for the cache."""
    tool, kind = change.tool, "tool_addition" if type(change) is ToolAddition else "tool_removal"
    named = {"name": tool.name, "server_name": tool.server_name}
    body: JsonObject = {"type": tool.type, **{name: value for name, value in named.items() if value is not None}}
    if tool.definition is not None:
        body["definition"] = _as_sent(tool.definition)
    return {"type": kind, "tool": body}


def _as_sent(tool: AnyTool) -> JsonObject:
    if not isinstance(tool, Tool):
        return {name: value for name, value in tool.body.items() if name != "cache_control"}
    own: dict[str, Any] = {
        name: value
        for name in ("name", "description", "input_schema", "strict", "defer_loading")
        if (value := getattr(tool, name)) not in (None, False)
    }
    return {**own, **tool.extra}


def _as_change(change: ToolChange | ToolReference) -> ToolChange:
    if isinstance(change, ToolReference):
        return ToolAddition(ChangedTool("tool_reference", change.tool_name))
    return change


def key_of_change(change: ToolChange | ToolReference) -> ToolKey:
    """Which tool a block speaks of."""
    if isinstance(change, ToolReference):
        return "tool", change.tool_name
    tool = change.tool
    if tool.definition is not None:
        return tool_key(tool.definition)
    if tool.type == "tool_reference":
        return "tool", tool.name or ""
    server = tool.server_name or ""
    return ("server", server) if tool.name is None else ("member", f"{server} {tool.name}")


def within(place: Place, steps: Steps) -> Place:
    """Where the steps from a place lead."""
    for step in steps:
        place = place.at(step) if isinstance(step, int) else place.field(step)
    return place


def spoken_of(block: ContentBlock) -> Iterator[tuple[Steps, ToolChange | ToolReference]]:
    """What one block says about tools, and where in it."""
    if isinstance(block, ToolChange):
        yield (), block
    elif isinstance(block, ToolResult):
        references = ((("content", at), each) for at, each in enumerate(block.content))
        yield from ((steps, each) for steps, each in references if isinstance(each, ToolReference))
    elif isinstance(block, Compaction):
        changes = ((("tool_changes", at), each) for at, each in enumerate(block.tool_changes or ()))
        yield from ((steps, each) for steps, each in changes if isinstance(each, ToolChange))


@by_identity
def _spoken_of_in(message: Message) -> tuple[tuple[Steps, ToolChange | ToolReference], ...]:
    """What one message says about tools, and where in its content; the same messages come with every turn."""
    return tuple(((at, *steps), each) for at, block in enumerate(message.content) for steps, each in spoken_of(block))
