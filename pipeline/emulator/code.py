"""Code that the upstream runs: nothing is run, but it is told as if, with the files that it would have made."""

from __future__ import annotations

from typing import Any

from pipeline.emulator.ids import AnswerIds
from pipeline.emulator.loop import items
from pipeline.emulator.scenario import CodeItem, FileCitation, MessageItem, Scenario, words

INTERPRETER = "code_interpreter"
"""The `type` of the tool."""

FOLDER = "/mnt/data/"
"""Where code finds files, and leaves them."""


def interpreter(request: dict[str, Any]) -> dict[str, Any] | None:
    """Find the request's interpreter, if it may be used."""
    tools = [] if request.get("tool_choice") == "none" else request.get("tools") or []
    return next((tool for tool in tools if tool.get("type") == INTERPRETER), None)


def ran(names: tuple[str, ...], *, expired: bool) -> Scenario:
    """Run code that makes files, and answer with a link to each.

    Args:
        names: of the files.
        expired: whether the machine is gone once the answer is told.
    """
    code = "".join(f"open('{FOLDER}{name}', 'w').write('{name}')\n" for name in names) or "print(1)\n"
    pieces, notes = list(words("The emulator has run nothing, but this is how code is told.")), list[FileCitation]()
    for name in names:
        notes.append(FileCitation(len(pieces) + 1, name))
        pieces += ["\n\n", f"[{name}](sandbox:{FOLDER}{name})"]
    return Scenario((CodeItem(code, "1\n", names, expired), MessageItem(tuple(pieces), citations=tuple(notes))))


def wanted_container(request: dict[str, Any]) -> str | None:
    """The machine that a request names; None where it leaves the choice to the API."""
    tool = interpreter(request)
    named = tool.get("container") if tool else None
    return named if isinstance(named, str) else None


def earlier_container(request: dict[str, Any]) -> str | None:
    """The machine that the last call of the conversation ran on: the API's choice, as long as it lives."""
    called = [item for item in items(request) if item.get("type") == "code_interpreter_call"]
    return str(called[-1].get("container_id")) if called else None


def any_container(request: dict[str, Any], ids: AnswerIds) -> str:
    """The machine that a request names or has used, else a new one; nobody looks whether it lives."""
    return wanted_container(request) or earlier_container(request) or ids.container


def made_file(ids: AnswerIds, name: str) -> tuple[str, bytes]:
    """The id and the content of a file that the code of an answer has made."""
    return ids.container_file(name), f"{name} by the emulator\n".encode()
