"""Tools and the choice among them: what the upstream is told, and in which order.

The order never changes while a conversation grows (law 9): tools that are not deferred come first, as the client lists
them, and a deferred one where a tool's result first refers to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from stages.canonical.report import Report
from stages.canonical.request import Message, Request, ServerTool, Tool, ToolChoice, ToolReference, ToolResult
from stages.tables import web_search
from stages.tables.identifiers import upstream_tool_name
from stages.tables.schemas import fits_strict, repair
from stages.wire import responses_request as wire

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
        searches: how many web searches are allowed; None sets no limit.
    """

    declared: list[dict[str, Any]]
    deferred: Mapping[str, dict[str, Any]]
    names: Mapping[str, str]
    searches: int | None = None

    @property
    def hosted(self) -> set[str]:
        """The names of tools that the upstream runs itself."""
        return {web_search.NAME} if self.web_search else set()

    @property
    def web_search(self) -> bool:
        """Whether a web search is among the tools."""
        return any(tool["type"] == web_search.NAME for tool in self.declared)


def toolbox(request: Request, report: Report, *, in_place: bool, hosted: bool = True) -> Toolbox:
    """Sort the tools of a request.

    Args:
        request: the request.
        report: gets what was changed or left out.
        in_place: whether the upstream takes more tools in the middle of a conversation; else the deferred ones that
        were referred to are declared after the others, in the order of their first reference.
        hosted: whether the upstream has a web search of its own.
    """
    declared: list[dict[str, Any]] = []
    deferred: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    searches: list[dict[str, Any]] = []
    for index, tool in enumerate(request.tools):
        if isinstance(tool, ServerTool):
            searches += _search(tool, f"tools.{index}", report, hosted=hosted)
            continue
        if tool.name == PLACEHOLDER:
            continue
        function = _function(tool, f"tools.{index}", report)
        names[function["name"]] = tool.name
        if tool.defer_loading:
            deferred[tool.name] = function
        else:
            declared.append(function)
    if not in_place:
        declared += [deferred[name] for name in references(request.messages) if name in deferred]
        deferred = {}
    limits = (
        tool.body for tool in request.tools if isinstance(tool, ServerTool) and web_search.is_web_search(tool.type)
    )
    uses = [body.get("max_uses") for body in limits] if searches else []
    return Toolbox([*searches, *declared], deferred, names, max((n for n in uses if isinstance(n, int)), default=None))


def references(messages: Iterable[Message]) -> list[str]:
    """The names that tool results refer to, each once, in the order of first reference."""
    found: dict[str, None] = {}
    for message in messages:
        for block in message.content:
            if isinstance(block, ToolResult):
                found.update((inner.tool_name, None) for inner in block.content if isinstance(inner, ToolReference))
    return list(found)


def choice(asked: ToolChoice | None, tools: Toolbox, report: Report) -> dict[str, Any]:
    """Translate `tool_choice` into the fields it becomes; without tools there is nothing to choose.

    A tool that is not declared cannot be forced: one that was dropped, or that no result has referred to yet.
    """
    if asked is None or not tools.declared:
        return {}
    chosen: Any = _CHOICES.get(asked.type)
    if chosen is None:
        name = upstream_tool_name(asked.name or "")
        if asked.name in tools.hosted:
            chosen = "required"  # a hosted tool cannot be named, but these requests offer nothing else
        elif any(tool.get("name") == name for tool in tools.declared):
            chosen = {"type": "function", "name": name}
        else:
            chosen = "auto"
            report.approximated("tool_choice", "the tool is not declared upstream, so it cannot be forced")
    return {"tool_choice": chosen} | ({"parallel_tool_calls": False} if asked.disable_parallel_tool_use else {})


def _search(tool: ServerTool, path: str, report: Report, *, hosted: bool) -> list[dict[str, Any]]:
    """Declare a web search, or report a server tool that has no counterpart."""
    if hosted and web_search.is_web_search(tool.type):
        return [web_search.tool_of(tool.body, path, report)]
    report.dropped(path, f"no counterpart for {tool.type}")
    return []


def _function(tool: Tool, path: str, report: Report) -> dict[str, Any]:
    parameters, changes = repair(tool.input_schema)
    for change in changes:
        report.approximated(f"{path}.input_schema", change)
    strict = bool(tool.strict) and fits_strict(parameters)
    if tool.strict and not strict:
        report.approximated(
            f"{path}.strict", "the schema is outside the upstream's strict subset, so it is only asked for"
        )
    return wire.function(upstream_tool_name(tool.name), tool.description, parameters, strict=strict)
