"""The choice among tools: whether the model may, must or must not call, and which of them.

What a conversation has taken away stays in the list of tools, whose bytes are the beginning of every prompt; the choice
says that it may not be called (law 9).
"""

from __future__ import annotations

from typing import Any

from stages.canonical.place import ROOT
from stages.canonical.report import Report
from stages.canonical.request import ToolChoice
from stages.mapper.tools import Toolbox
from stages.tables.identifiers import upstream_tool_name

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def tool_choice(asked: ToolChoice | None, tools: Toolbox, report: Report, *, parallel: bool = True) -> dict[str, Any]:
    """Translate `tool_choice` into the fields it becomes; without tools there is nothing to choose.

    A tool that is not declared, because the upstream has no counterpart for it, cannot be forced.

    Args:
        asked: the client's choice.
        tools: the request's tools.
        report: gets what cannot be done.
        parallel: whether the upstream can be told how many calls there may be at once.
    """
    if asked is None and not tools.withdrawn:
        return {}
    kind = asked.type if asked is not None else "auto"
    if not (tools.declared or tools.offered):
        if kind in ("any", "tool"):
            report.approximated(ROOT.field("tool_choice"), "no tool is declared upstream, so none can be forced")
        return {}
    chosen = _by_name(asked, tools, report) if asked is not None and kind == "tool" else _CHOICES[kind]
    if tools.withdrawn and chosen in ("auto", "required"):
        allowed = tools.allowed()
        chosen = {"type": "allowed_tools", "mode": chosen, "tools": allowed} if allowed else "none"
    single = asked is not None and bool(asked.disable_parallel_tool_use)
    if single and not parallel:
        report.dropped(
            ROOT.field("tool_choice").field("disable_parallel_tool_use"),
            "the upstream cannot be told to make one call at a time",
        )
    return {"tool_choice": chosen} | ({"parallel_tool_calls": False} if single and parallel else {})


def _by_name(asked: ToolChoice, tools: Toolbox, report: Report) -> Any:
    """Choose the tool that a client forces."""
    name = upstream_tool_name(asked.name or "")
    chosen = tools.server_tools.forced(asked.name, alone=len(tools.declared) == 1)
    if chosen is not None:
        return chosen
    if any(tool.get("name") == name and not tool.get("defer_loading") for tool in tools.declared):
        return {"type": "function", "name": name}
    report.approximated(ROOT.field("tool_choice"), "the tool is not declared upstream, so it cannot be forced")
    return "auto"
