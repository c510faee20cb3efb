"""`compaction`: the conversation is summed up, in an answer that is nothing else.

The upstream gets the same prefix as the turn before, so it reads the conversation from its cache, and the instructions
behind it.
"""

from __future__ import annotations

from typing import Any

from stages.canonical.place import ROOT
from stages.canonical.report import Report
from stages.canonical.request import JsonObject, Request
from stages.tools.changes import net_changes, wire_form
from stages.wire import responses_request as responses

INSTRUCTIONS = (
    "Write a summary of this conversation, from which you will go on without seeing the conversation itself. Call no "
    "tool. Say what was asked and what is wanted in the end, what was done and found out, which files, names, numbers, "
    "commands and decisions matter, what went wrong and how it was mended, what is being done now, and what has to be "
    "done next. Leave out nothing that the work depends on, and invent nothing. Answer with the summary alone."
)
"""What the upstream is asked where the client has no words of its own."""


def summarised(request: Request) -> bool:
    """Whether a request asks for a summary."""
    return isinstance(request.extra.get("compaction"), dict)


def changes_summed_up(request: Request) -> tuple[JsonObject, ...] | None:
    """What the summary says of tools that came and went in the conversation; None where none is asked for."""
    return tuple(map(wire_form, net_changes(request.messages))) if summarised(request) else None


def ask_for_summary(body: dict[str, Any], request: Request, report: Report) -> None:
    """Make a request for the next turn one for a summary; one that asks for none stays as it is.

    Args:
        body: the upstream request, which gets the instructions as the user's, and may call no tool.
        request: what the client asked.
        report: gets the note.
    """
    if not summarised(request):
        return
    asked = request.extra["compaction"].get("instructions")
    text = asked if isinstance(asked, str) and asked.strip() else INSTRUCTIONS
    body["input"].append(responses.message_item("user", [responses.input_text(text)]))
    if body.get("tools"):
        body["tool_choice"] = "none"
    report.emulated(ROOT.field("compaction"), "the upstream is asked for a summary, behind the same conversation")
