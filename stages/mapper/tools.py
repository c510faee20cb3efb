"""Tools and the choice among them: what the upstream is told, and in which order.

The order never changes while a conversation grows (law 9): tools that are not deferred come first, as the client lists
them, and a deferred one where a tool's result first refers to it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import attrs

from stages.canonical.omittable import OmittableMembers
from stages.canonical.place import ROOT, TOOLS, Place
from stages.canonical.report import Note, Report
from stages.canonical.request import AnyTool, JsonObject, Message, Request, Tool, ToolChoice, ToolReference, ToolResult
from stages.mapper.functions import function_of
from stages.mapper.server_tools import DeclaredServerTools, declare_server_tools, is_searched
from stages.tables.identifiers import upstream_tool_name
from stages.tools.client import ToolsetMember, functions_of
from stages.wire.cache import by_members

PLACEHOLDER = "DeferredToolPlaceholder"
"""What Claude Code lists so that `tools` is not empty of deferred ones; it must never be called."""

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


@attrs.frozen
class Toolbox:
    """The tools of one request.

    Attributes:
        declared: what goes into `tools`.
        deferred: what is declared only once a result refers to it, by the client's name.
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


def toolbox(
    request: Request, report: Report, *, in_place: bool, available: bool = True, native_search: bool = False
) -> Toolbox:
    """Sort the tools of a request.

    Args:
        request: the request.
        report: gets what was changed or left out.
        in_place: whether the upstream takes more tools in the middle of a conversation; else the deferred ones that
        were referred to are declared after the others, in the order of their first reference.
        available: whether the upstream has tools of its own.
        native_search: whether the model can search among deferred tools by itself.
    """
    own = declare_server_tools(request, report, available=available, native_search=native_search)
    functions, notes = _functions_of_all(request.tools)
    report.repeat(notes)
    forced = _forced(request.tool_choice, functions.places, report)
    deferred: dict[str, JsonObject] = {}
    if "tool_search" in own.names:  # the upstream searches, and must know what there is to find
        functions = functions.deferred_upstream(forced)
        declared = functions.with_deferred(sorted(functions.deferred))
    elif is_searched(request):  # nobody does
        declared = functions.with_deferred(sorted(functions.deferred))
    elif not in_place:
        declared = functions.with_deferred([*references(request.messages), *forced])
    else:  # what is forced must be among the tools, also where it has been added in the middle before
        declared = functions.with_deferred(forced)
        deferred = {name: tool for name, tool in functions.deferred.items() if name not in forced}
    return Toolbox(
        [*own.declared, *declared],
        deferred,
        functions.names,
        own,
        functions.by_name,
        functions.toolsets,
        functions.omittables,
    )


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

    def declare(self, tool: Tool, place: Place, report: Report) -> None:
        """Declare the next tool; a toolset's member is never deferred, and known by the upstream's name alone."""
        made = function_of(tool)
        function, name = made.declared, made.declared["name"]
        for field, disposition, reason in made.notes:
            report.note(place.field(field), disposition, reason)
        self.names[name] = tool.name
        if made.omittable is not None:
            self.omittables[name] = made.omittable
        if isinstance(tool, ToolsetMember):
            self.toolsets[name] = tool.toolset
            self.by_name[name] = function
            self.at_once.append(function)
            return
        self.by_name[tool.name] = function
        if tool.defer_loading:
            self.deferred[tool.name], self.places[tool.name] = function, place
        else:
            self.at_once.append(function)

    def deferred_upstream(self, forced: Collection[str]) -> _Functions:
        """Leave the deferring to the upstream, but for what must be called now."""
        told = {name: tool | {"defer_loading": True} for name, tool in self.deferred.items() if name not in forced}
        return attrs.evolve(self, deferred=self.deferred | told, by_name=self.by_name | told)

    def with_deferred(self, names: Iterable[str]) -> list[JsonObject]:
        """All that are declared at once, and after them the deferred ones of these names, each once."""
        return [*self.at_once, *(self.deferred[name] for name in dict.fromkeys(names) if name in self.deferred)]


@by_members
def _functions_of_all(tools: tuple[AnyTool, ...]) -> tuple[_Functions, list[Note]]:
    """Declare all that the client runs, and what is to be reported; the same tools come with every turn."""
    functions, report = _Functions(), Report()
    for tool, place in _run_by_client(tools, report):
        functions.declare(tool, place, report)
    return functions, report.notes


def _run_by_client(tools: Iterable[AnyTool], report: Report) -> list[tuple[Tool, Place]]:
    """List the functions that the client runs, its own and those of Anthropic's client tools, with their places."""
    run: list[tuple[Tool, Place]] = []
    for index, tool in enumerate(tools):
        place = TOOLS.at(index)
        if isinstance(tool, Tool):
            run += [(tool, place)] if tool.name != PLACEHOLDER else []
        elif (functions := functions_of(tool)) is not None:
            report.translated(place, "to functions with the published schemas")
            if any(isinstance(function, ToolsetMember) and function.defer_loading for function in functions):
                report.approximated(place.field("configs"), "the members of a toolset are declared at once")
            run += [(function, place) for function in functions]
    return run


def _forced(asked: ToolChoice | None, places: Mapping[str, Place], report: Report) -> list[str]:
    """Name the deferred tool that must be called in this turn, if there is one: it cannot wait to be referred to.

    Args:
        asked: the client's choice.
        places: where each deferred tool is declared.
        report: hears that this one is declared now.
    """
    name = asked.name if asked is not None and asked.type == "tool" else None
    if name is None or name not in places:
        return []
    report.translated(places[name].field("defer_loading"), "declared now, because it is forced")
    return [name]


def references(messages: Iterable[Message]) -> list[str]:
    """The names that tool results refer to, each once, in the order of first reference."""
    results = (block for message in messages for block in message.content if isinstance(block, ToolResult))
    return list(dict.fromkeys(name for result in results for name in referred(result)))


def referred(result: ToolResult) -> list[str]:
    """The names that one result refers to."""
    return [inner.tool_name for inner in result.content if isinstance(inner, ToolReference)]


def tool_choice(asked: ToolChoice | None, tools: Toolbox, report: Report, *, parallel: bool = True) -> dict[str, Any]:
    """Translate `tool_choice` into the fields it becomes; without tools there is nothing to choose.

    A tool that is not declared, because the upstream has no counterpart for it, cannot be forced.

    Args:
        asked: the client's choice.
        tools: the request's tools.
        report: gets what cannot be done.
        parallel: whether the upstream can be told how many calls there may be at once.
    """
    if asked is None:
        return {}
    if not tools.declared:
        if asked.type in ("any", "tool"):
            report.approximated(ROOT.field("tool_choice"), "no tool is declared upstream, so none can be forced")
        return {}
    chosen: Any = _CHOICES.get(asked.type)
    if chosen is None:
        name = upstream_tool_name(asked.name or "")
        chosen = tools.server_tools.forced(asked.name, alone=len(tools.declared) == 1)
        if chosen is None and any(
            tool.get("name") == name and not tool.get("defer_loading") for tool in tools.declared
        ):
            chosen = {"type": "function", "name": name}
        elif chosen is None:
            chosen = "auto"
            report.approximated(ROOT.field("tool_choice"), "the tool is not declared upstream, so it cannot be forced")
    single = bool(asked.disable_parallel_tool_use)
    if single and not parallel:
        report.dropped(
            ROOT.field("tool_choice").field("disable_parallel_tool_use"),
            "the upstream cannot be told to make one call at a time",
        )
    return {"tool_choice": chosen} | ({"parallel_tool_calls": False} if single and parallel else {})
