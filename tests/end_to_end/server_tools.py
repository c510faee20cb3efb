"""Recorded answers with calls that the upstream ran itself: who would have asked for them, and what must be seen.

The expectation is read from the recording's own whole response, by code that shares nothing with ours.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.end_to_end.recorded import load, recordings, whole_response

CALLS = ("web_search_call", "code_interpreter_call", "mcp_call", "tool_search_call")
"""The items of such calls."""

SEARCH = "tool_search_tool_regex"
"""What the client here calls its search among tools."""


def hosted_recordings() -> list[Path]:
    """List the recordings with such calls, as paths below the recordings."""
    return [path for path in recordings() if any(item["type"] in CALLS for item in output(path))]


def output(path: Path) -> list[dict[str, Any]]:
    """The items of a recorded answer; none where it failed."""
    response = whole_response(load(path)) or {}
    items: list[dict[str, Any]] = response.get("output") or []
    return items


def asked(path: Path) -> dict[str, Any]:
    """A client's request that would have been answered so."""
    labels = sorted({item["server_label"] for item in output(path) if item["type"] == "mcp_call"})
    declared = (whole_response(load(path)) or {}).get("tools") or []
    functions = {tool["name"]: tool for tool in declared if tool["type"] == "function"}
    return {
        "model": "claude-sonnet-5-5",
        "max_tokens": 128_000,
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [
            {"type": "web_search_20250305", "name": "web_search"},
            {"type": "code_execution_20250825", "name": "code_execution"},
            {"type": SEARCH, "name": SEARCH},
            *({"type": "mcp_toolset", "mcp_server_name": label} for label in labels),
            *(
                {
                    "name": name,
                    "input_schema": tool["parameters"] or {"type": "object"},
                    "defer_loading": bool(tool.get("defer_loading")),
                }
                for name, tool in functions.items()
            ),
        ],
        "mcp_servers": [{"type": "url", "name": label, "url": f"https://{label}"} for label in labels],
    }


def expected(items: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The blocks of these calls, in order, each in short; and those that name the files which a text links to."""
    return [block for item in items for block in _blocks(item) or _files(item)]


def _files(item: dict[str, Any]) -> list[tuple[Any, ...]]:
    """A call of nobody's with the names of files that code has made, behind the text that is the first to tell them."""
    links = [link for part in item.get("content") or [] for link in part.get("annotations") or []]
    made = {link["file_id"]: link["filename"] for link in links if link["type"] == "container_file_citation"}
    listed = "".join(f"# {name}\n" for name in made.values())
    return [("server_tool_use", "code_execution", listed), ("code_execution_tool_result", "")] if made else []


def _blocks(item: dict[str, Any]) -> list[tuple[Any, ...]]:
    action = item.get("action") or {}
    match item["type"]:
        case "web_search_call" if action.get("type") == "search":
            urls = [source["url"] for source in action.get("sources") or [] if "url" in source]
            query = action.get("query") or next(iter(action.get("queries") or ()), "")
            return [("server_tool_use", "web_search", query), ("web_search_tool_result", list(dict.fromkeys(urls)))]
        case "code_interpreter_call":
            logs = "".join(made.get("logs", "") for made in item["outputs"] or [])
            code = ("server_tool_use", "code_execution", item["code"])
            return [code, ("code_execution_tool_result", logs)]
        case "mcp_call":
            call = ("mcp_tool_use", item["name"], item["server_label"], json.loads(item["arguments"]))
            return [call, ("mcp_tool_result", item["error"] is not None, item["output"])]
        case "tool_search_call" if item["execution"] == "server":
            return [("server_tool_use", SEARCH, item["arguments"])]
        case "tool_search_output" if item["execution"] == "server":
            return [("tool_search_tool_result", [tool["name"] for tool in item["tools"]])]
    return []


def seen(content: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """The blocks of such calls in a message of ours, each in short."""
    blocks = [block for block in content if block["type"] not in ("text", "thinking", "tool_use")]
    return [(block["type"], *_SHORT[block["type"]](block)) for block in blocks]


def _given(block: dict[str, Any]) -> tuple[Any, ...]:
    one = {"web_search": "query", "code_execution": "code"}.get(block["name"])
    return block["name"], block["input"][one] if one else block["input"]


def _answered(block: dict[str, Any]) -> tuple[Any, ...]:
    said = "\n".join(part["text"] for part in block["content"])
    return block["is_error"], None if block["is_error"] else said


_SHORT: dict[str, Callable[[dict[str, Any]], tuple[Any, ...]]] = {
    "server_tool_use": _given,
    "mcp_tool_use": lambda block: (block["name"], block["server_name"], block["input"]),
    "mcp_tool_result": _answered,
    "web_search_tool_result": lambda block: ([found["url"] for found in block["content"]],),
    "code_execution_tool_result": lambda block: (block["content"]["stdout"],),
    "tool_search_tool_result": lambda block: ([found["tool_name"] for found in block["content"]["tool_references"]],),
}


def is_paused(items: list[dict[str, Any]]) -> bool:
    """Whether the last word is a call's that the upstream ran."""
    if any(item["type"] == "mcp_approval_request" for item in items):
        return False
    words = [item for item in items if _blocks(item) or item["type"] in ("message", "function_call")]
    return bool(words) and bool(_blocks(words[-1]))


def kept(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What of these calls an upstream must be told again in the next turn."""
    return [
        {"type": item["type"], **{key: item.get(key) for key in _KEPT[item["type"]]}} for item in items if _blocks(item)
    ]


_KEPT = {
    "web_search_call": ("id",),
    "code_interpreter_call": ("id", "code", "container_id"),
    "mcp_call": ("id", "name"),
    "tool_search_call": ("arguments", "execution", "call_id"),
    "tool_search_output": ("execution", "call_id"),
}
