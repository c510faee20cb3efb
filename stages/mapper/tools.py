"""Tools: what the upstream is told of, and in which order.

The order never changes while a conversation grows (law 9): tools that are not deferred come first, as the client lists
them, and a deferred one, or one that a message brings along, where the conversation first speaks of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import attrs

from stages.canonical.omittable import OmittableMembers
from stages.canonical.place import TOOLS, Place
from stages.canonical.report import Note, Report
from stages.canonical.request import (
    AnyTool,
    ContentBlock,
    JsonObject,
    Request,
    Tool,
    ToolAddition,
    ToolChoice,
    ToolReference,
)
from stages.mapper.functions import function_of
from stages.mapper.server_tools import DeclaredServerTools, declare_server_tools, is_searched
from stages.tables.identifiers import upstream_tool_name
from stages.tools.changes import ToolChanges, ToolKey, definition_place, key_of_change, server_tools_of, tool_changes
from stages.tools.client import ToolsetMember, functions_of
from stages.tools.hosted import is_hosted
from stages.tools.hosted.advisor import ADVISOR
from stages.tools.server.mcp import MCP
from stages.wire.cache import by_members
from stages.wire.written import WrittenTools

_ASKING = frozenset({ADVISOR.name})
# Those that need no setting: they ask a model that the request may ask anyway.

PLACEHOLDER = "DeferredToolPlaceholder"
"""What Claude Code lists so that `tools` is not empty of deferred ones; it must never be called."""


MOST_WRITTEN = 2**18
"""Bytes of a list of tools that is remembered with its JSON; the same tools can stand in many lists."""


@attrs.frozen
class Toolbox:
    """The tools of one request.

    Attributes:
        declared: what goes into `tools`.
        deferred: what is declared only once somebody refers to it, by the client's name.
        brought: what is declared where a message brings it along, by the place of its definition.
        withdrawn: those that may not be called any more, as `choice_of` names them; nothing else says so upstream.
        offered: all that are declared, here or in the conversation; only where some are withdrawn.
        hosted: the declarations of those that are run here, by the upstream's name.
        names: the client's name by the upstream's.
        server_tools: those that the upstream runs itself.
        functions: all that the client runs, by the client's name (a toolset's members, whose names others may have as
        well, by the upstream's), as they are or will be declared.
        toolsets: the client's toolset by the upstream's name, for members of one.
        omittables: what may have to be left out of the arguments, by the upstream's name, where anything may.
    """

    declared: list[dict[str, Any]] = attrs.field(repr=False)
    deferred: Mapping[str, dict[str, Any]]
    names: Mapping[str, str]
    server_tools: DeclaredServerTools = attrs.field(factory=DeclaredServerTools)
    functions: Mapping[str, dict[str, Any]] = attrs.field(factory=dict, repr=False)
    toolsets: Mapping[str, str] = attrs.field(factory=dict)
    omittables: Mapping[str, OmittableMembers] = attrs.field(factory=dict, repr=False)
    brought: Mapping[Place, list[JsonObject]] = attrs.field(factory=dict, repr=False)
    withdrawn: frozenset[ToolKey] = frozenset()
    offered: list[JsonObject] = attrs.field(factory=list, repr=False)
    hosted: Mapping[str, JsonObject] = attrs.field(factory=dict, repr=False)

    def key_of(self, declared: JsonObject) -> ToolKey:
        """What the client knows a declared tool by."""
        if declared.get("name") in self.toolsets:
            return "toolset", self.toolsets[declared["name"]]
        if declared["type"] == "function":
            return "tool", self.names.get(declared["name"], declared["name"])
        if declared["type"] == MCP.upstream:
            return "server", self.server_tools.servers.get(declared["server_label"], declared["server_label"])
        return "tool", self.server_tools.names.get(declared["type"], "")

    def loaded_by(self, block: ContentBlock, place: Place) -> list[JsonObject]:
        """What is to be declared where a block stands, if it is not yet."""
        return _LateTools(self.deferred, self.brought).of(block, place)

    def allowed(self) -> list[JsonObject]:
        """Those of the offered tools that may still be called, as a choice names them."""
        return [choice_of(tool) for tool in self.offered if self.key_of(tool) not in self.withdrawn]


def toolbox(
    request: Request,
    report: Report,
    *,
    in_place: bool,
    available: bool = True,
    native_search: bool = False,
    runs: Collection[str] = _ASKING,
) -> Toolbox:
    """Sort the tools of a request.

    Args:
        request: the request.
        report: gets what was changed or left out.
        in_place: whether the upstream takes more tools in the middle of a conversation; else those that are loaded
        there are declared after the others, in the order in which they were first spoken of.
        available: whether the upstream has tools of its own.
        native_search: whether the model can search among deferred tools by itself.
        runs: names of the tools that can be run here; others of them are not declared.
    """
    own = declare_server_tools(request, report, available=available, native_search=native_search, runs=runs)
    functions, notes = _functions_of_all(request.tools)
    report.repeat(notes)
    changes = tool_changes(request)
    if changes.mentions:
        functions = functions.with_brought(changes.defined, report)
    hosted = _hosted(request, report, runs)
    if not hosted.keys() <= set(runs):
        functions = functions.without([name for name in hosted if name not in runs])
    forced = _forced(request.tool_choice, functions, report)
    if "tool_search" in own.names:  # the upstream searches, and must know what there is to find
        functions = functions.deferred_upstream(forced)
    brought = {place: [tool] for place, tool in own.brought.items()} | functions.brought
    late = _LateTools(functions.deferred, brought)
    more = [] if in_place else late.mentioned(changes)
    if searched := is_searched(request):  # by whomever: all of them are declared
        more = [*late.named(sorted(functions.deferred)), *more]
    else:  # what is forced must be among the tools, also where it has been added in the middle before
        more += late.named(forced)
    declared = with_more([*own.declared, *functions.at_once], more) if own.declared or more else functions.at_once
    return Toolbox(
        declared=declared,
        deferred=functions.deferred if in_place and not searched else {},
        names=functions.names,
        server_tools=own,
        functions=functions.by_name,
        toolsets=functions.toolsets,
        omittables=functions.omittables,
        brought=brought if in_place else {},
        withdrawn=changes.removed,
        offered=with_more(declared, late.mentioned(changes)) if changes.removed else [],
        hosted={name: body for name, body in hosted.items() if name in runs},
    )


def _hosted(request: Request, report: Report, runs: Collection[str]) -> Mapping[str, JsonObject]:
    """The declarations of tools that may be run here, by the name of their calls, and a note on each."""
    hosted: dict[str, JsonObject] = {}
    for tool, place in server_tools_of(request):
        if is_hosted(tool):
            name = upstream_tool_name(functions_of(tool)[0].name)  # type: ignore[index] # it is a function
            hosted[name] = tool.body
            if name in runs:
                report.emulated(place, "run here: another request is made for each call, in the middle of the answer")
            elif name in _ASKING:
                report.dropped(place, "nothing can be run here in an answer that is made later")
    return hosted


@attrs.frozen
class _LateTools:
    """What is declared behind the tools that are there from the beginning.

    Attributes:
        deferred: tools of the request by the client's name.
        brought: what messages bring along, by the place of each definition.
    """

    deferred: Mapping[str, JsonObject]
    brought: Mapping[Place, list[JsonObject]]

    def of(self, block: ContentBlock, place: Place) -> list[JsonObject]:
        """Those that a block adds or refers to."""
        if isinstance(block, ToolAddition) and block.tool.definition is not None:
            return self.brought.get(definition_place(place), [])
        kind, name = key_of_change(block) if isinstance(block, (ToolAddition, ToolReference)) else ("", "")
        return [self.deferred[name]] if kind == "tool" and name in self.deferred else []

    def mentioned(self, changes: ToolChanges) -> list[JsonObject]:
        """Those that a conversation speaks of, in its order; the newest definition of a tool comes last."""
        return [tool for mention in changes.mentions for tool in self.of(mention.block, mention.place)]

    def named(self, names: Iterable[str]) -> list[JsonObject]:
        """Those of these names."""
        brought = {tool["name"]: tool for tools in self.brought.values() for tool in tools if "name" in tool}
        found = (self.deferred.get(name) or brought.get(upstream_tool_name(name)) for name in names)
        return [tool for tool in found if tool is not None]


def tool_id(declared: JsonObject) -> str:
    """What tells a declared tool from all others; there is one declaration of it at a time."""
    return str(declared.get("name") or declared.get("server_label") or declared["type"])


def with_more(declared: Iterable[JsonObject], more: Iterable[JsonObject]) -> list[JsonObject]:
    """Put tools behind others, each once; a newer declaration takes the older one's place."""
    return list({tool_id(tool): tool for tool in (*declared, *more)}.values())


def choice_of(declared: JsonObject) -> JsonObject:
    """Name a declared tool as a list of tools that may be called does."""
    named = {name: declared[name] for name in declared if name in ("name", "server_label")}
    return {"type": declared["type"], **named}


@attrs.define
class _Functions:
    """The functions that the client runs, declared one by one; most attributes are those of `Toolbox`.

    Once all are declared it is shared between requests, so that nobody may change it.

    Attributes:
        at_once: those that are not deferred, as the client lists them.
        deferred: the others, by the client's name.
        places: where each of the deferred ones is declared.
    """

    at_once: list[JsonObject] = attrs.field(factory=list)
    deferred: dict[str, JsonObject] = attrs.field(factory=dict)
    places: dict[str, Place] = attrs.field(factory=dict)
    by_name: dict[str, JsonObject] = attrs.field(factory=dict)
    names: dict[str, str] = attrs.field(factory=dict)
    toolsets: dict[str, str] = attrs.field(factory=dict)
    omittables: dict[str, OmittableMembers] = attrs.field(factory=dict)
    brought: dict[Place, list[JsonObject]] = attrs.field(factory=dict)

    def declare(self, tool: Tool, place: Place, report: Report) -> None:
        """Declare the next tool; a toolset's member is never deferred, and known by the upstream's name alone."""
        function = self.made(tool, place, report)
        if tool.defer_loading and not isinstance(tool, ToolsetMember):
            self.deferred[tool.name], self.places[tool.name] = function, place
        else:
            self.at_once.append(function)

    def with_brought(self, defined: Iterable[tuple[AnyTool, Place]], report: Report) -> _Functions:
        """Declare what messages bring along as well; what is deferred there is loaded all the same, by being there."""
        more = attrs.evolve(
            self,
            by_name=dict(self.by_name),
            names=dict(self.names),
            toolsets=dict(self.toolsets),
            omittables=dict(self.omittables),
            brought={},
        )
        for tool, place in _run_by_client(defined, report):
            more.brought.setdefault(place, []).append(more.made(tool, place, report))
        return more

    def made(self, tool: Tool, place: Place, report: Report) -> JsonObject:
        """Make the declaration of a tool, and note under which names it is known; the newest of a name counts."""
        made = function_of(tool)
        function, name = made.declared, made.declared["name"]
        for field, disposition, reason in made.notes:
            report.note(place.field(field), disposition, reason)
        self.names[name] = tool.name
        self.omittables.pop(name, None)
        if made.omittable is not None:
            self.omittables[name] = made.omittable
        if isinstance(tool, ToolsetMember):
            self.toolsets[name] = tool.toolset
        self.by_name[name if isinstance(tool, ToolsetMember) else tool.name] = function
        return function

    def without(self, names: Collection[str]) -> _Functions:
        """Declare all but these."""
        return attrs.evolve(
            self,
            at_once=[function for function in self.at_once if function["name"] not in names],
            deferred={name: tool for name, tool in self.deferred.items() if tool["name"] not in names},
            brought={
                place: [tool for tool in tools if tool["name"] not in names] for place, tools in self.brought.items()
            },
        )

    def deferred_upstream(self, forced: Collection[str]) -> _Functions:
        """Leave the deferring to the upstream, but for what must be called now."""
        told = {name: tool | {"defer_loading": True} for name, tool in self.deferred.items() if name not in forced}
        return attrs.evolve(self, deferred=self.deferred | told, by_name=self.by_name | told)


@by_members
def _functions_of_all(tools: tuple[AnyTool, ...]) -> tuple[_Functions, list[Note]]:
    """Declare all that the client runs, and what is to be reported; the same tools come with every turn."""
    functions, report = _Functions(), Report()
    for tool, place in _run_by_client(((tool, TOOLS.at(at)) for at, tool in enumerate(tools)), report):
        functions.declare(tool, place, report)
    at_once = WrittenTools(with_more(functions.at_once, ()))
    kept = at_once if len(at_once.said) <= MOST_WRITTEN else list(at_once)
    return attrs.evolve(functions, at_once=kept), report.notes


def _run_by_client(tools: Iterable[tuple[AnyTool, Place]], report: Report) -> list[tuple[Tool, Place]]:
    """List the functions that the client runs, its own and those of Anthropic's client tools, with their places."""
    run: list[tuple[Tool, Place]] = []
    for tool, place in tools:
        if isinstance(tool, Tool):
            run += [(tool, place)] if tool.name != PLACEHOLDER else []
        elif (functions := functions_of(tool)) is not None:
            if not is_hosted(tool):
                report.translated(place, "to functions with the published schemas")
            if any(isinstance(function, ToolsetMember) and function.defer_loading for function in functions):
                report.approximated(place.field("configs"), "the members of a toolset are declared at once")
            run += [(function, place) for function in functions]
    return run


def _forced(asked: ToolChoice | None, functions: _Functions, report: Report) -> list[str]:
    """Name the late tool that must be called in this turn, if there is one: it cannot wait to be spoken of.

    Args:
        asked: the client's choice.
        functions: those of the request.
        report: hears that a deferred one is declared now.
    """
    name = asked.name if asked is not None and asked.type == "tool" else None
    if name is None:
        return []
    if name in functions.places:
        report.translated(functions.places[name].field("defer_loading"), "declared now, because it is forced")
    brought = {tool["name"] for tools in functions.brought.values() for tool in tools}
    return [name] if name in functions.places or upstream_tool_name(name) in brought else []
