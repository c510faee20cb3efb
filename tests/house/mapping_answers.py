"""The tables of the mapping page about answers: items run through the whole program, and what can go wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import trio

from stages.canonical.failure import Kind
from stages.tables import errors, headers, stops
from stages.tools.server import BY_ITEM
from tests.house.mapping_table import Table, code
from tests.support import samples
from tests.support.running import client_of
from tests.support.upstream import ScriptedUpstream, json_script

TRACKS, TABLES = "tests/stages/correlator", "tests/stages/tables"
SERVER_TOOLS = "tests/stages/tools/server"

URL = {"type": "url_citation", "url": "https://example.com", "title": "Found", "start_index": 0, "end_index": 5}
SEARCH = {"type": "search", "query": "weather", "queries": ["weather"]}
FOUND = {**SEARCH, "sources": [{"type": "url", "url": "https://example.com"}]}


def said(*parts: dict[str, Any]) -> dict[str, Any]:
    """A message item of these parts."""
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": list(parts)}


def text(*annotations: dict[str, Any]) -> dict[str, Any]:
    """A part of text."""
    return {"type": "output_text", "text": "words", "annotations": list(annotations), "logprobs": []}


THOUGHT = {
    "type": "reasoning",
    "id": "rs_1",
    "summary": [{"type": "summary_text", "text": "hm"}],
    "encrypted_content": "x",
}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look", "arguments": "{}"}
CODE = {"type": "code_interpreter_call", "id": "ci_1", "status": "completed", "code": "1", "container_id": "cntr_1"}
MCP = {"type": "mcp_call", "id": "mcp_1", "server_label": "books", "name": "find", "arguments": "{}", "output": "x"}
FOR_SEARCH = {"call_id": None, "execution": "server", "status": "completed"}

ITEMS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "`message`, `output_text`": ([said(text())], f"{TRACKS}/test_message_track.py"),
    "`message`, `output_text` with a `url_citation`": ([said(text(URL))], f"{TRACKS}/test_message_track_citations.py"),
    "`message`, `refusal`": ([said({"type": "refusal", "refusal": "no"})], f"{TRACKS}/test_message_track.py"),
    "`reasoning`, before something": ([THOUGHT, said(text())], f"{TRACKS}/test_reasoning_track.py"),
    "`reasoning`, at the end": ([said(text()), THOUGHT], f"{TRACKS}/test_ledger.py"),
    "`function_call`": ([CALL], f"{TRACKS}/test_call_track.py"),
    "`web_search_call`, a search": (
        [{"type": "web_search_call", "id": "ws_1", "status": "completed", "action": FOUND}],
        f"{SERVER_TOOLS}/test_web_search.py",
    ),
    "`web_search_call`, a page": (
        [{"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "open_page"}}],
        f"{SERVER_TOOLS}/test_web_search.py",
    ),
    "`code_interpreter_call`": (
        [{**CODE, "outputs": [{"type": "logs", "logs": "1"}]}],
        f"{SERVER_TOOLS}/test_code_execution.py",
    ),
    "`mcp_list_tools`": (
        [{"type": "mcp_list_tools", "id": "mcpl_1", "server_label": "books", "tools": []}],
        f"{SERVER_TOOLS}/test_mcp.py",
    ),
    "`mcp_call`": ([MCP], f"{SERVER_TOOLS}/test_mcp.py"),
    "`mcp_approval_request`": (
        [{"type": "mcp_approval_request", "id": "mcpr_1", "server_label": "books", "name": "find", "arguments": "{}"}],
        f"{SERVER_TOOLS}/test_mcp.py",
    ),
    "`tool_search_call`, `tool_search_output`": (
        [
            {"type": "tool_search_call", "id": "tsc_1", **FOR_SEARCH, "arguments": {"query": "late"}},
            {"type": "tool_search_output", "id": "tso_1", **FOR_SEARCH, "tools": []},
        ],
        f"{SERVER_TOOLS}/test_tool_search.py",
    ),
    "an item of a later day": ([{"type": "later_call", "id": "x_1"}, said(text())], f"{TRACKS}/test_tracks.py"),
}
"""Each kind of item of an answer, and the test of what reads it."""

ASKED = samples.request(
    model="gpt-5.6-sol",
    tools=[samples.LOOK, samples.LATE]
    + [
        samples.TOOLS[kind]
        for kind in ("web_search_20250305", "code_execution_20250825", "tool_search_tool_regex_20251119", "mcp_toolset")
    ],
    mcp_servers=[samples.SERVER],
)
"""Declares every tool that an item may be a call of."""


def tables() -> Iterator[Table]:
    """All tables about answers."""
    yield _items()
    yield _stops()
    yield from _errors()
    yield _headers()


def _response(output: list[dict[str, Any]], status: str = "completed", reason: str | None = None) -> dict[str, Any]:
    details = {"reason": reason} if reason else None
    usage = {"input_tokens": 1, "output_tokens": 1}
    whole = {"id": "resp_1", "object": "response", "model": "m", "status": status, "output": output, "usage": usage}
    return {**whole, "incomplete_details": details, "error": None}


def answered(response: dict[str, Any]) -> dict[str, Any]:
    """Ask the whole program, whose upstream answers so."""

    async def ask() -> Any:
        reply = await client_of(ScriptedUpstream(json_script(response))).request(
            "POST", "/v1/messages", json.dumps(ASKED).encode()
        )
        return reply.json()

    message: dict[str, Any] = trio.run(ask)
    return message


def _items() -> Table:
    missing = set(BY_ITEM) - {item["type"] for items, _ in ITEMS.values() for item in items}
    assert not missing, f"items without a sample: {missing}"
    rows = []
    for name, (items, proof) in ITEMS.items():
        message = answered(_response(items))
        rows.append((name, _blocks(message), code(message["stop_reason"]), proof))
    intro = (
        "Each run through the whole program, with every tool declared that it may be a call of. `response.created`, "
        "`in_progress`, `queued` and keep-alives say nothing to a client; unknown events and items are left out and "
        "counted."
    )
    return Table("Items of an answer", intro, ("item", "blocks", "`stop_reason`"), rows)


def _blocks(message: dict[str, Any]) -> str:
    names = []
    for block in message["content"]:
        kinds = ", ".join(dict.fromkeys(code(citation["type"]) for citation in block.get("citations") or ()))
        names.append(code(block["type"]) + (f" with {kinds}" if kinds else ""))
    return ", ".join(names) or "none"


def _stops() -> Table:
    proof = f"{TABLES}/test_stops.py"
    ends = [("completed", None), *(("incomplete", reason) for reason in (*stops.INCOMPLETE, "another reason"))]
    rows = []
    for status, reason in ends:
        message = answered(_response([said(text())], status, reason))
        cause = f"`{status}`" + (f", {code(reason)}" if reason in stops.INCOMPLETE else f", {reason}" if reason else "")
        rows.append((cause, code(message["stop_reason"]), proof))
    rows.append(("`completed`, with a `function_call`", code(answered(_response([CALL]))["stop_reason"]), proof))
    refused = answered(_response([said({"type": "refusal", "refusal": "no"})]))
    rows.append(("`completed`, with a `refusal`", code(refused["stop_reason"]), proof))
    rows.append(("a stop sequence, found here", "`stop_sequence`", "tests/stages/filters/test_stop_scanner.py"))
    rows.append(
        ("the client's limit, below the upstream's least", "`max_tokens`", "tests/stages/filters/test_token_limit.py")
    )
    return Table("Why an answer ended", "Run through the whole program.", ("upstream", "`stop_reason`"), rows)


def _errors() -> Iterator[Table]:
    yield Table(
        "Failures",
        "Before the first write a failure is an HTTP error, after it the one `error` event of the stream.",
        ("kind", "status", "`error.type`", "`x-should-retry`", "what it means"),
        [
            (
                kind.name.lower().replace("_", " "),
                str(kind.status),
                code(kind.error_type),
                {None: "not sent", True: "true", False: "false"}[kind.should_retry],
                kind.meaning,
                "tests/stages/canonical/test_failure.py",
            )
            for kind in Kind
        ],
    )
    proof = f"{TABLES}/test_errors.py"
    by_code = [(code(word), kind.name.lower().replace("_", " "), proof) for word, kind in errors.BY_CODE.items()]
    yield Table(
        "Errors by code", "`error.code`, or `error.type` where that says nothing.", ("upstream", "kind"), by_code
    )
    by_status = [(str(status), kind.name.lower().replace("_", " "), proof) for status, kind in errors.BY_STATUS.items()]
    yield Table("Errors by status", "For errors without a code that says more.", ("upstream", "kind"), by_status)


def _headers() -> Table:
    now, proof = datetime(2026, 1, 1, tzinfo=UTC), f"{TABLES}/test_headers.py"
    sent = {
        f"x-ratelimit-{field}-{limited}": value
        for limited in headers.RATE_LIMITS
        for field, value in (("limit", "100"), ("remaining", "9"), ("reset", "1m26s"))
    }
    rows = []
    for name, value in sent.items():
        told = headers.rate_limits({name: value}, now)
        rows.append((code(f"{name}: {value}"), ", ".join(code(f"{theirs}: {said}") for theirs, said in told), proof))
    for name, value in (("retry-after", "1.2"), ("retry-after-ms", "1200")):
        rows.append((code(f"{name}: {value}"), code(f"retry-after: {headers.retry_after({name: value}, now)}"), proof))
    intro = "As they would be told at the beginning of 2026. Every answer has a `request-id` of ours."
    return Table("Headers of an answer", intro, ("upstream", "client"), rows)
