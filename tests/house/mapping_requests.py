"""The tables of the mapping page about requests: fields from the tables, and samples run through the mapper."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from stages.canonical.report import Disposition, Note
from stages.canonical.request import Caller, Request
from stages.decoder import decode_request
from stages.mapper import Mapped, Target, map_request
from stages.tables.fields import FIELDS, Fields, Row
from stages.tables.fields.blocks import BLOCK_NODES, SHOWN
from stages.tables.fields.row import CACHE
from stages.tables.fields.settings import SETTING_NODES
from stages.tables.fields.tools import TOOL_NODES
from tests.house.mapping_table import Table, code
from tests.support import samples
from tests.support.field_canaries import MEANT, marked

MAPPER, TABLES = "tests/stages/mapper", "tests/stages/tables"
SERVER_TOOLS, CLIENT_TOOLS = "tests/stages/tools/server", "tests/stages/tools/client"
DEFAULTS = f"{MAPPER}/field_report/test_defaults.py"

FAITHFUL = (Disposition.KEPT, Disposition.TRANSLATED)

TOP_PROOFS = {
    "model": f"{TABLES}/test_models.py",
    "messages": f"{MAPPER}/test_conversation.py",
    "system": f"{MAPPER}/test_conversation.py",
    "max_tokens": f"{MAPPER}/test_settings.py",
    "metadata": f"{MAPPER}/test_settings.py",
    "stop_sequences": "tests/stages/filters/test_stop_scanner.py",
    "stream": "tests/stages/test_mapper.py::test_a_full_request_is_translated",
    "temperature": f"{MAPPER}/test_settings.py",
    "top_p": f"{MAPPER}/test_settings.py",
    "thinking": f"{MAPPER}/test_thinking.py",
    "output_config": f"{MAPPER}/test_thinking.py",
    "output_format": f"{MAPPER}/test_formats.py",
    "tools": f"{MAPPER}/test_tools.py",
    "tool_choice": f"{MAPPER}/test_tools.py",
    "service_tier": f"{MAPPER}/test_settings.py",
    "speed": f"{MAPPER}/test_settings.py",
    "cache_control": f"{MAPPER}/test_breakpoints.py",
    "container": f"{SERVER_TOOLS}/test_code_execution.py",
    "mcp_servers": f"{SERVER_TOOLS}/test_mcp.py",
    "betas": "tests/stages/test_mapper.py::test_no_field_is_lost_in_silence",
    "diagnostics": f"{TABLES}/test_diagnostics.py",
    "safeguards": "tests/end_to_end/test_mapping_coverage.py::test_nothing_is_lost_in_silence",
    "context_management": "tests/stages/history/test_tool_uses.py",
    "compaction": f"{MAPPER}/test_summarising.py",
}
"""Which test proves a field at the top; the others are those of `test_every_field_is_said`."""

NODE_PROOFS = {
    "message": f"{MAPPER}/test_conversation.py",
    "message output_config": f"{MAPPER}/test_thinking.py",
    "said_effort": f"{MAPPER}/test_thinking.py",
    "metadata": f"{MAPPER}/test_settings.py",
    "context_management": "tests/stages/history/test_tool_uses.py",
    "amount": "tests/stages/history/test_tool_uses.py",
    "compaction_config": f"{MAPPER}/test_summarising.py",
    "block.compaction": "tests/stages/history/test_summaries.py",
    "thinking": f"{MAPPER}/test_thinking.py",
    "output_config": f"{MAPPER}/test_thinking.py",
    "output_config format": f"{MAPPER}/test_formats.py",
    "format": f"{MAPPER}/test_formats.py",
    "schema": "tests/stages/schemas/test_repair.py",
    "tool_choice": f"{MAPPER}/test_tools.py",
    "cache_control": f"{MAPPER}/test_breakpoints.py",
    "mcp_server": f"{SERVER_TOOLS}/test_mcp.py",
    "mcp_configuration": f"{SERVER_TOOLS}/test_mcp.py",
    "mcp_members": f"{SERVER_TOOLS}/test_mcp.py",
    "mcp_member": f"{SERVER_TOOLS}/test_mcp.py",
    "container": f"{SERVER_TOOLS}/test_code_execution.py",
    "location": f"{SERVER_TOOLS}/test_web_search.py",
    "members": f"{CLIENT_TOOLS}/test_toolset.py",
    "member": f"{CLIENT_TOOLS}/test_toolset.py",
    "block": f"{MAPPER}/test_conversation.py",
    "block.server_tool_use": f"{SERVER_TOOLS}/test_web_search.py",
    "block.web_search_tool_result": f"{SERVER_TOOLS}/test_web_search.py",
    "block.web_fetch_tool_result": "tests/stages/tools/hosted/test_web_fetch.py",
    "block.advisor_tool_result": "tests/pipeline/request/test_hosted_loop.py",
    "block.code_execution_tool_result": f"{SERVER_TOOLS}/test_code_execution.py",
    "block.tool_search_tool_result": f"{SERVER_TOOLS}/test_tool_search.py",
    "block.mcp_tool_use": f"{SERVER_TOOLS}/test_mcp.py",
    "block.mcp_tool_result": f"{SERVER_TOOLS}/test_mcp.py",
    "block.thinking": f"{MAPPER}/test_reasoning.py",
    "block.image": f"{MAPPER}/test_parts.py",
    "block.document": f"{MAPPER}/test_parts.py",
    "block.search_result": f"{MAPPER}/test_parts.py",
    "source": f"{MAPPER}/test_parts.py",
    "citation": "tests/stages/citing/test_sources.py",
    "citations_config": f"{MAPPER}/test_source_parts.py",
    "result": f"{SERVER_TOOLS}/test_foreign.py",
    "state_change": f"{SERVER_TOOLS}/test_foreign.py",
    "tab": f"{SERVER_TOOLS}/test_foreign.py",
    "tool_change": f"{MAPPER}/test_tool_changes.py",
    "block.tool_addition": f"{MAPPER}/test_tool_changes.py",
    "block.tool_removal": f"{MAPPER}/test_tool_changes.py",
    "block.compaction tool_changes": f"{MAPPER}/test_tool_changes.py",
    "mcp_tool": f"{SERVER_TOOLS}/test_foreign.py",
    "transformations": f"{DEFAULTS}::test_blocks",
    "tool.custom": f"{MAPPER}/test_tools.py",
    "tool.mcp_toolset": f"{SERVER_TOOLS}/test_mcp.py",
    "tool.web_search": f"{SERVER_TOOLS}/test_web_search.py",
    "tool.web_fetch": f"{MAPPER}/test_tools.py",
    "tool.code_execution": f"{SERVER_TOOLS}/test_code_execution.py",
    "tool.tool_search_tool_bm25": f"{SERVER_TOOLS}/test_tool_search.py",
    "tool.tool_search_tool_regex": f"{SERVER_TOOLS}/test_tool_search.py",
    "tool.bash": f"{CLIENT_TOOLS}/test_making.py",
    "tool.advisor": "tests/pipeline/request/test_hosted_loop.py",
    "tool.memory": f"{CLIENT_TOOLS}/test_making.py",
    "tool.text_editor": f"{CLIENT_TOOLS}/test_text_editor.py",
    "tool.computer": f"{CLIENT_TOOLS}/test_computer.py",
    "tool.computer_toolset": f"{CLIENT_TOOLS}/test_toolset.py",
    "tool.browser_toolset": f"{CLIENT_TOOLS}/test_toolset.py",
    "tool": f"{MAPPER}/test_tools.py",
}
"""Which test proves what is translated: of one field, else of a node, else of a group."""

USERS = ("block.browser_state", "block.container_upload")
"""Blocks without a counterpart that stand in what a client says, not in answers."""

GROUPS: dict[str, Mapping[str, Fields]] = {
    "Fields of settings": SETTING_NODES,
    "Fields of content blocks": {node: rows for node, rows in BLOCK_NODES.items() if node.startswith("block.")},
    "Fields inside of content blocks": {
        node: rows for node, rows in BLOCK_NODES.items() if not node.startswith("block.")
    },
    "Fields of tools": TOOL_NODES,
}
"""The nodes, in the page's order."""


def tables() -> Iterator[Table]:
    """All tables about requests."""
    yield Table(
        "Fields at the top of a request",
        "What becomes of each where no stage has more to say; `explain` tells what became of those of one request.",
        ("field", "fate", "why"),
        [
            (
                code(name),
                row.disposition.value,
                row.reason,
                TOP_PROOFS.get(name, f"{DEFAULTS}::test_every_field_is_said"),
            )
            for name, row in FIELDS.items()
        ],
    )
    for title, nodes in GROUPS.items():
        intro = "Nodes of a group are told apart by their `type`; a date at its end does not matter."
        yield Table(title, intro, ("node", "fields", "fate", "why"), [*_marks(title), *_of_nodes(nodes)])
    yield from _samples()


def _marks(title: str) -> list[tuple[str, ...]]:
    """The row of the mark that most nodes may have, once."""
    row, proof = CACHE["cache_control"], f"{MAPPER}/test_breakpoints.py"
    first = next(iter(GROUPS)) == title
    return (
        [("all that may be marked", code("cache_control"), row.disposition.value, row.reason, proof)] if first else []
    )


def _of_nodes(nodes: Mapping[str, Fields]) -> list[tuple[str, ...]]:
    """One row for the fields of a node that share a fate, a reason and a test; nodes with the same row share it."""
    together: dict[tuple[str, str, str, str], list[str]] = {}
    for node, fields in nodes.items():
        alike: dict[tuple[str, str, str], list[str]] = {}
        for name, row in fields.items():
            if row is not CACHE.get(name):
                alike.setdefault((row.disposition.value, row.reason, _proof(node, name, row)), []).append(code(name))
        for (disposition, why, test), names in alike.items():
            together.setdefault((", ".join(names), disposition, why, test), []).append(code(node))
    return [
        (", ".join(listed), names, disposition, why, test)
        for (names, disposition, why, test), listed in together.items()
    ]


def _proof(node: str, name: str, row: Row) -> str:
    """The test that proves a row: what is said of it, that its value arrives, or the test of what translates it."""
    said = row.disposition not in FAITHFUL or (row.disposition is Disposition.KEPT and not row.inside)
    if (node, name) in _arriving() and row.disposition in FAITHFUL:
        return "tests/end_to_end/test_values_arrive.py::test_a_value_arrives"
    if said:
        return f"{DEFAULTS}::test_every_row_is_said"
    if row.reason == SHOWN.reason:
        return f"{MAPPER}/test_parts.py" if node in USERS else f"{SERVER_TOOLS}/test_foreign.py"
    return NODE_PROOFS.get(f"{node} {name}") or NODE_PROOFS.get(node) or NODE_PROOFS[node.partition(".")[0]]


@cache
def _arriving() -> frozenset[tuple[str, str]]:
    return frozenset((case.node, case.field) for case in marked()) - set(MEANT)


# -- samples, run through the mapper -----------------------------------------------------------


def run(body: dict[str, Any]) -> Mapped:
    """Map a body as for the upstream's own API."""
    request = decode_request(json.dumps(body).encode())
    assert isinstance(request, Request), request
    return map_request(request, Caller(), Target(), message_id="msg_1")


def _samples() -> Iterator[Table]:
    head = ("sample", "upstream", "said about it")
    hello, call = {"role": "user", "content": "go on"}, {"role": "assistant", "content": [samples.CALL]}
    users = []
    for name, block in samples.USERS.items():
        told = run(samples.request({"role": "user", "content": [block]}))
        proof = f"{MAPPER}/test_parts.py::test_blocks_become_parts"
        users.append((code(name), _items(told.body["input"][1:]), _said(told, "messages.1"), proof))
    for name, block in samples.RESULTS.items():
        told = run(samples.request(call, {"role": "user", "content": [block]}, tools=[samples.LOOK, samples.LATE]))
        proof = f"{MAPPER}/test_conversation.py"
        users.append((code(name), _items(told.body["input"][2:]), _said(told, "messages.2"), proof))
    for name, block in samples.SYSTEM.items():
        told = run(samples.request({"role": "system", "content": [block]}, tools=[samples.LOOK, samples.LATE]))
        proof = f"{MAPPER}/test_tool_changes.py"
        users.append((code(name), _items(told.body["input"][1:]), _said(told, "messages.1"), proof))
    yield Table("Content blocks of users and systems", "Each run through the mapper.", head, users)
    answers = []
    for name, blocks in samples.ANSWERS.items():
        told = run(samples.request({"role": "assistant", "content": [*blocks, samples.TEXT]}, hello))
        thought = name in samples.SEALED
        proof = f"{MAPPER}/test_reasoning.py" if thought else f"{SERVER_TOOLS}/test_foreign.py"
        kinds = ", ".join(code(str(block["type"])) for block in blocks)
        answers.append((kinds, _items(told.body["input"][1:-2]), _said(told, "messages.1"), proof))
    intro = "As another service made them; those of our own answers become the items that they were made of."
    yield Table("Content blocks of earlier answers", intro, head, answers)
    declared = []
    for name, tool in samples.TOOLS.items():
        told = run(samples.with_tool(tool))
        kind = next(key for key in _nodes(name) if key in NODE_PROOFS)
        declared.append((code(name), _tools(told.body.get("tools", [])), _said(told, "tools.0"), NODE_PROOFS[kind]))
    yield Table("Tools", "Each declared alone, with what it needs beside it.", head, declared)


def _nodes(kind: str) -> Iterator[str]:
    """The names under which a tool may be listed, longest first."""
    steps = kind.split("_")
    for length in range(len(steps), 0, -1):
        yield f"tool.{'_'.join(steps[:length])}"
    yield "tool"


def _items(items: list[dict[str, Any]]) -> str:
    return "; ".join(_item(item) for item in items) or "nothing"


def _item(item: dict[str, Any]) -> str:
    parts = item.get("content") if item["type"] == "message" else item.get("output")
    inside = ", ".join(dict.fromkeys(code(part["type"]) for part in parts)) if isinstance(parts, list) else ""
    kind = f"{code(item['role'])} message" if item["type"] == "message" else code(item["type"])
    return f"{kind} of {inside}" if inside else kind


def _tools(tools: list[dict[str, Any]]) -> str:
    """What is declared, but for the deferred sample that a search needs to find something."""
    named = [code(tool.get("name", tool["type"])) for tool in tools if tool.get("name") != samples.LATE["name"]]
    functions = sum(tool["type"] == "function" for tool in tools)
    if len(named) > 3:
        return f"{functions} functions, from {named[0]} to {named[-1]}"
    return ", ".join(named) or "nothing"


def _said(told: Mapped, path: str) -> str:
    notes = [note for note in told.report.notes if _within(note, path)]
    return "; ".join(dict.fromkeys(f"{note.disposition.value}: {note.reason}" for note in notes)) or "translated"


def _within(note: Note, path: str) -> bool:
    return note.path == path or note.path.startswith(f"{path}.")
