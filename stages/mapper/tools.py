"""Tools and the choice among them: what the upstream is told, and in which order.

The order never changes while a conversation grows (law 9): tools that are not deferred come first, as the client lists
them, and a deferred one where a tool's result first refers to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from stages.canonical.omittable import OmittableMembers
from stages.canonical.report import Disposition, Note, Report
from stages.canonical.request import AnyTool, Message, Request, Tool, ToolChoice, ToolReference, ToolResult
from stages.mapper.functions import function_of
from stages.mapper.server_tools import DeclaredServerTools, declare_server_tools, is_searched
from stages.tables.identifiers import upstream_tool_name
from stages.tools.client import ToolsetMember, functions_of

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
        omittables: what may have to be left out of the arguments, by the upstream's name, for those of which anything may.
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
    declared: list[dict[str, Any]] = []
    deferred: dict[str, dict[str, Any]] = {}
    functions: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    toolsets: dict[str, str] = {}
    places: dict[str, str] = {}
    omittables: dict[str, OmittableMembers] = {}
    for path, tool in _run_by_client(request.tools, report):
        made = function_of(tool)
        function = made.declared
        report.notes += [Note(f"{path}.{field}", disposition, reason) for field, disposition, reason in made.notes]
        names[function["name"]] = tool.name
        if made.omittable is not None:
            omittables[function["name"]] = made.omittable
        if isinstance(tool, ToolsetMember):
            toolsets[function["name"]] = tool.toolset
        functions[function["name"] if isinstance(tool, ToolsetMember) else tool.name] = function
        if tool.defer_loading and not isinstance(tool, ToolsetMember):
            deferred[tool.name], places[tool.name] = function, path
        else:
            declared.append(function)
    forced = _forced(request.tool_choice, places, report)
    if "tool_search" in own.names:  # the upstream searches, and must know what there is to find
        for name in sorted(deferred):
            functions[name] = deferred[name] if name in forced else deferred[name] | {"defer_loading": True}
            declared.append(functions[name])
        deferred = {}
    elif is_searched(request):  # nobody does
        declared += [deferred[name] for name in sorted(deferred)]
        deferred = {}
    elif not in_place:
        found = dict.fromkeys([*references(request.messages), *forced])
        declared += [deferred[name] for name in found if name in deferred]
        deferred = {}
    else:  # what is forced must be among the tools, also where it has been added in the middle before
        declared += [deferred.pop(name) for name in forced]
    return Toolbox([*own.declared, *declared], deferred, names, own, functions, toolsets, omittables)


def _run_by_client(tools: Iterable[AnyTool], report: Report) -> list[tuple[str, Tool]]:
    """List the functions that the client runs, its own and those of Anthropic's client tools, with their places."""
    found: list[tuple[str, Tool]] = []
    for index, tool in enumerate(tools):
        path = f"tools.{index}"
        if isinstance(tool, Tool):
            found += [(path, tool)] if tool.name != PLACEHOLDER else []
        elif (functions := functions_of(tool)) is not None:
            report.notes.append(Note(path, Disposition.TRANSLATED, "to functions with the published schemas"))
            if any(isinstance(function, ToolsetMember) and function.defer_loading for function in functions):
                report.approximated(f"{path}.configs", "the members of a toolset are declared at once")
            found += [(path, function) for function in functions]
    return found


def _forced(asked: ToolChoice | None, places: Mapping[str, str], report: Report) -> list[str]:
    """Name the deferred tool that must be called in this turn, if there is one: it cannot wait to be referred to.

    Args:
        asked: the client's choice.
        places: where each deferred tool is declared.
        report: hears that this one is declared now.
    """
    name = asked.name if asked is not None and asked.type == "tool" else None
    if name is None or name not in places:
        return []
    report.notes.append(
        Note(f"{places[name]}.defer_loading", Disposition.TRANSLATED, "declared now, because it is forced")
    )
    return [name]


def references(messages: Iterable[Message]) -> list[str]:
    """The names that tool results refer to, each once, in the order of first reference."""
    found: dict[str, None] = {}
    for message in messages:
        for block in message.content:
            if isinstance(block, ToolResult):
                found.update(dict.fromkeys(referred(block)))
    return list(found)


def referred(result: ToolResult) -> list[str]:
    """The names that one result refers to."""
    return [inner.tool_name for inner in result.content if isinstance(inner, ToolReference)]


def choice(asked: ToolChoice | None, tools: Toolbox, report: Report, *, parallel: bool = True) -> dict[str, Any]:
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
            report.approximated("tool_choice", "no tool is declared upstream, so none can be forced")
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
            report.approximated("tool_choice", "the tool is not declared upstream, so it cannot be forced")
    single = bool(asked.disable_parallel_tool_use)
    if single and not parallel:
        report.dropped(
            "tool_choice.disable_parallel_tool_use", "the upstream cannot be told to make one call at a time"
        )
    return {"tool_choice": chosen} | ({"parallel_tool_calls": False} if single and parallel else {})
