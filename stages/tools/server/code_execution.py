"""Code that runs on the server: Anthropic's code execution and OpenAI's code interpreter.

Source: `CodeExecutionTool20250522` and its successors, `code_interpreter` of the Responses API, and recorded calls.
Newer versions of Anthropic's tool call `bash_code_execution` and `text_editor_code_execution`; the interpreter runs
Python, which the oldest form says, and all clients understand that one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from stages.canonical.place import ROOT, Place, content_of_message
from stages.canonical.plan import Sealing
from stages.canonical.report import Report
from stages.canonical.request import JsonObject, Request, ServerTool, Unknown
from stages.tables.citations import CONTAINER_FILE
from stages.tables.identifiers import FILE_SEAL, CodeFile, digest, upstream_file_id
from stages.tools.server.row import (
    SERVER_TOOL,
    CallBlock,
    ClientNames,
    DeclarationContext,
    ResultBlock,
    ServerToolRow,
    ToolBlocks,
    item_id,
)
from stages.wire.lenient import mapping, objects, text

_NAME = "code_execution"
"""What Anthropic calls the tool."""

CONTAINER_LIFETIME = 20 * 60
"""Seconds that an unused container lives, by the vendor's documentation."""

MAX_FILES = 50
"""How many files the upstream puts into a container."""

FILES_CALL = f"{SERVER_TOOL}ci_files_"
"""What the id of a call starts with that nobody made: its result names the files that an answer links to."""

UPLOAD = "container_upload"
"""The type of the block by which a client puts a file into its container."""

_ITEM = "code_interpreter_call"
_PREFIX = "ci_"
_CONTAINER = re.compile(r"cntr_[A-Za-z0-9]+\Z")
_OURS = re.compile(rf"{SERVER_TOOL}(?P<item>ci_[A-Za-z0-9_]{{1,61}})_(?P<container>cntr_[A-Za-z0-9]+)\Z")


def _handles(kind: str) -> bool:
    """Whether a tool's `type` is a code execution, of whatever date."""
    return kind.startswith("code_execution_")


def _declare(_: ServerTool, context: DeclarationContext, place: Place, report: Report) -> JsonObject:
    """Declare the interpreter upstream, in the container that the client names if it is one of the upstream's.

    Files that the client has put into its container are put into the one that the upstream makes.  A file that comes
    later changes the declaration, and with it the prefix that is cached; there is no other place for it.
    """
    container = _container(context.request, report)
    files = _files(context.request, report) if isinstance(container, dict) else []
    if len(files) > MAX_FILES:
        report.approximated(place, "not all files fit into the container")
    return {
        "type": "code_interpreter",
        "container": container | {"file_ids": files[:MAX_FILES]} if files else container,
    }


def _to_blocks(item: JsonObject, _: ClientNames, __: str) -> ToolBlocks:
    """Show the code and what it printed; pictures that it made have no block of Anthropic's.

    The container's id is part of the block's, because the item cannot come back without it; an item that names none
    comes back as text.
    """
    container = item.get("container_id")
    named = isinstance(container, str) and _CONTAINER.match(container) is not None
    ident = SERVER_TOOL + item_id(item, _PREFIX) + (f"_{container}" if named else "")
    outputs = objects(item.get("outputs"))
    logs = "".join(text(output.get("logs")) for output in outputs if output.get("type") == "logs")
    result = {"type": "code_execution_tool_result", "tool_use_id": ident, "content": _outcome(item, logs)}
    lost = tuple(f"{_ITEM}.{output.get('type')}" for output in outputs if output.get("type") != "logs")
    call = CallBlock(ident, _NAME, {"code": text(item.get("code"))})
    return ToolBlocks((call, ResultBlock(result)), lost, container if named else None)


def file_blocks(annotations: Iterable[JsonObject], sealing: Sealing | None) -> ToolBlocks:
    """Show the files that a text links to, once it is told: the upstream names them no earlier.

    Anthropic names them in the result of the call that made them, and programs look for them there. That result was
    told before the text, so they get a result of their own, under a call that says what it is.

    Args:
        annotations: the text's, of whatever kind; each file is named once.
        sealing: seals the ids.
    """
    names = dict[str, str]()
    for annotation in annotations:
        if annotation.get("type") == CONTAINER_FILE:
            ident = CodeFile(text(annotation.get("container_id")), text(annotation.get("file_id"))).client_id
            if ident is not None:
                names.setdefault(sealing.sealed(ident) if sealing else ident, text(annotation.get("filename")))
    if not names:
        return ToolBlocks()
    ident = FILES_CALL + digest(" ".join(names), 24)
    code = "".join(f"# {' '.join(name.split())}\n" for name in names.values())
    files = [{"type": "code_execution_output", "file_id": file} for file in names]
    outcome = {"type": "code_execution_result", "stdout": "", "stderr": "", "return_code": 0, "content": files}
    result = {"type": "code_execution_tool_result", "tool_use_id": ident, "content": outcome}
    return ToolBlocks((CallBlock(ident, _NAME, {"code": code}), ResultBlock(result)))


def _to_items(call: JsonObject, result: JsonObject | None, _: Mapping[str, JsonObject]) -> list[JsonObject] | None:
    """Make the item of a call that we told again, with what it printed; none of one that only named files."""
    if text(call.get("id")).startswith(FILES_CALL):
        return []
    ours, arguments = _OURS.match(text(call.get("id"))), call.get("input")
    if ours is None or not isinstance(arguments, dict):
        return None
    content = mapping((result or {}).get("content"))
    logs = text(content.get("stdout")) + text(content.get("stderr"))
    failed = content.get("type") == "code_execution_tool_result_error" or content.get("return_code") not in (0, None)
    item = {"type": _ITEM, "id": ours["item"], "container_id": ours["container"], "code": text(arguments.get("code"))}
    outputs: Any = [{"type": "logs", "logs": logs}] if logs else None
    return [{**item, "outputs": outputs, "status": "failed" if failed else "completed"}]


def _outcome(item: JsonObject, logs: str) -> JsonObject:
    failed = item.get("status") in ("failed", "incomplete")
    if failed and not logs:
        return {"type": "code_execution_tool_result_error", "error_code": "unavailable"}
    outcome = {"type": "code_execution_result", "stdout": logs, "stderr": "", "return_code": int(failed)}
    return {**outcome, "content": []}


def _container(request: Request, report: Report) -> Any:
    """Name the container: the client's, or the upstream's choice, which is the one that an earlier call ran in.

    A client that sends back the container of an answer has that call in its conversation as well. To say so again
    would only change the declaration, and with it the prefix that is cached.
    """
    container = request.extra.get("container")
    named = container.get("id") if isinstance(container, dict) else container
    if not isinstance(named, str):
        return {"type": "auto"}
    if not _CONTAINER.match(named):
        report.dropped(ROOT.field("container"), "not a container of the upstream's")
        return {"type": "auto"}
    blocks = (block for message in request.messages for block in message.content if isinstance(block, Unknown))
    used = any(ours["container"] == named for b in blocks if (ours := _OURS.match(text(b.body.get("id")))))
    return {"type": "auto"} if used else named


def _files(request: Request, report: Report) -> list[str]:
    """List the files that the client has put into its container, each once; what code has made is in it already."""
    named: dict[str, None] = {}
    for at, message in enumerate(request.messages):
        for index, block in enumerate(message.content):
            if isinstance(block, Unknown) and block.type == UPLOAD and (ident := text(block.body.get("file_id"))):
                named[ident] = None
                if len(named) <= MAX_FILES:
                    report.translated(content_of_message(at).at(index), "to a file in the interpreter's container")
    return [upstream_file_id(ident) for ident in named if CodeFile.of(FILE_SEAL.sub("", ident)) is None]


CODE_EXECUTION = ServerToolRow(
    upstream="code_interpreter",
    handles=_handles,
    declare=_declare,
    to_blocks=_to_blocks,
    to_items=_to_items,
    items=(_ITEM,),
    prefix=_PREFIX,
    include=("code_interpreter_call.outputs",),
    choice={"type": "code_interpreter"},
)
"""The row of this tool."""
