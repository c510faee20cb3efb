"""One of everything that a request may hold, as it comes over the wire."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

MODEL = "claude-sonnet-5-5"
"""Stands for an upstream model that takes the most."""

TEXT: Json = {"type": "text", "text": "plain words"}
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

SOURCES: dict[str, Json] = {
    "image base64": {"type": "base64", "media_type": "image/png", "data": PIXEL},
    "image url": {"type": "url", "url": "https://example.com/a.png"},
    "image file": {"type": "file", "file_id": "file_image"},
    "document base64": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQK"},
    "document url": {"type": "url", "url": "https://example.com/a.pdf"},
    "document file": {"type": "file", "file_id": "file_document"},
    "document text": {"type": "text", "media_type": "text/plain", "data": "words of a document"},
    "document content": {"type": "content", "content": [TEXT]},
}
"""Every source of a picture and of a document."""

USERS: dict[str, Json] = {
    "text": TEXT,
    **{
        f"{name} source": {"type": name.split()[0], "source": source}
        | ({"title": "A title", "context": "a context"} if name.startswith("document") else {})
        for name, source in SOURCES.items()
    },
    "search_result": {"type": "search_result", "source": "https://example.com", "title": "Found", "content": [TEXT]},
    "container_upload": {"type": "container_upload", "file_id": "file_upload"},
    "browser_state": {"type": "browser_state", "tabs": [{"tab_id": 1, "url": "https://example.com", "active": True}]},
    "a block of a later day": {"type": "later", "words": "unheard of"},
}
"""What a user's message may be made of, results apart."""

RESULTS: dict[str, Json] = {
    "tool_result": {"type": "tool_result", "tool_use_id": "toolu_1", "content": "what came of it"},
    "tool_result with is_error": {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": "what went wrong",
        "is_error": True,
    },
    "tool_result with a picture": {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [TEXT, {"type": "image", "source": SOURCES["image url"]}],
    },
    "tool_result with a tool_reference": {
        "type": "tool_result",
        "tool_use_id": "toolu_1",
        "content": [{"type": "tool_reference", "tool_name": "late"}],
    },
}
"""What came of the call `toolu_1`, in its forms."""

CALL: Json = {"type": "tool_use", "id": "toolu_1", "name": "look", "input": {"at": "it"}}

SEALED: dict[str, list[Json]] = {
    "thinking": [{"type": "thinking", "thinking": "hm", "signature": "of another service"}],
    "redacted_thinking": [{"type": "redacted_thinking", "data": "sealed"}],
}
"""What the model thought, and another service has sealed."""


def _hosted(name: str, result: str, content: Any) -> list[Json]:
    call = {"type": "server_tool_use", "id": "srvtoolu_foreign", "name": name, "input": {"query": "weather"}}
    return [call, {"type": result, "tool_use_id": "srvtoolu_foreign", "content": content}]


ANSWERS: dict[str, list[Json]] = {
    **SEALED,
    "web_search": _hosted(
        "web_search",
        "web_search_tool_result",
        [{"type": "web_search_result", "url": "https://example.com", "title": "Found", "encrypted_content": "x"}],
    ),
    "web_fetch": _hosted(
        "web_fetch",
        "web_fetch_tool_result",
        {
            "type": "web_fetch_result",
            "url": "https://example.com",
            "content": {"type": "document", "source": SOURCES["document text"]},
        },
    ),
    "code_execution": _hosted(
        "code_execution",
        "code_execution_tool_result",
        {"type": "code_execution_result", "stdout": "1", "stderr": "", "return_code": 0, "content": []},
    ),
    "bash_code_execution": _hosted(
        "bash_code_execution",
        "bash_code_execution_tool_result",
        {"type": "bash_code_execution_result", "stdout": "1", "stderr": "", "return_code": 0, "content": []},
    ),
    "text_editor_code_execution": _hosted(
        "text_editor_code_execution",
        "text_editor_code_execution_tool_result",
        {"type": "text_editor_code_execution_create_result", "is_file_update": False},
    ),
    "tool_search": _hosted(
        "tool_search_tool_regex",
        "tool_search_tool_result",
        {
            "type": "tool_search_tool_search_result",
            "tool_references": [{"type": "tool_reference", "tool_name": "look"}],
        },
    ),
    "advisor": _hosted("advisor", "advisor_tool_result", {"type": "advisor_result", "text": "advice"}),
    "mcp": [
        {"type": "mcp_tool_use", "id": "mcptoolu_1", "name": "find", "server_name": "books", "input": {"query": "x"}},
        {"type": "mcp_tool_result", "tool_use_id": "mcptoolu_1", "is_error": False, "content": [TEXT]},
    ],
    "mcp_tool_listing": [{"type": "mcp_tool_listing", "mcp_server_name": "books", "tools": [{"name": "find"}]}],
    "compaction": [{"type": "compaction", "content": "what was said so far", "encrypted_content": "x"}],
    "fallback": [{"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}],
}
"""What an answer of an earlier turn may be made of, texts and calls apart; each with what belongs to it."""

SYSTEM: dict[str, Json] = {
    "tool_addition": {"type": "tool_addition", "tool": {"type": "tool_reference", "name": "late"}},
    "tool_addition of a definition": {
        "type": "tool_addition",
        "tool": {
            "type": "tool_definition",
            "definition": {"name": "brought", "description": "Brought along.", "input_schema": {"type": "object"}},
        },
    },
    "tool_removal": {"type": "tool_removal", "tool": {"type": "tool_reference", "name": "late"}},
}
"""What only a system message may hold."""

LOOK: Json = {"name": "look", "description": "Looks.", "input_schema": {"type": "object", "properties": {}}}
LATE: Json = {"name": "late", "defer_loading": True, "input_schema": {"type": "object", "properties": {}}}
SERVER: Json = {"type": "url", "name": "books", "url": "https://example.com/mcp"}

TOOLS: dict[str, Json] = {
    "custom": LOOK,
    **{
        kind: {"type": kind, "name": name}
        for kind, name in {
            "web_search_20250305": "web_search",
            "web_fetch_20250910": "web_fetch",
            "code_execution_20250825": "code_execution",
            "tool_search_tool_regex_20251119": "tool_search_tool_regex",
            "tool_search_tool_bm25_20251119": "tool_search_tool_bm25",
            "bash_20250124": "bash",
            "text_editor_20250124": "str_replace_editor",
            "text_editor_20250728": "str_replace_based_edit_tool",
            "memory_20250818": "memory",
        }.items()
    },
    "computer_20251124": {
        "type": "computer_20251124",
        "name": "computer",
        "display_width_px": 800,
        "display_height_px": 600,
    },
    "computer_toolset_20260801": {"type": "computer_toolset_20260801"},
    "browser_toolset_20260801": {"type": "browser_toolset_20260801"},
    "mcp_toolset": {"type": "mcp_toolset", "mcp_server_name": "books"},
    "advisor_20260301": {"type": "advisor_20260301", "name": "advisor", "model": "claude-opus-5-5"},
}
"""Every kind of tool."""


def request(*messages: Json, **fields: Any) -> Json:
    """Make a body of these messages, behind a greeting."""
    hello = {"role": "user", "content": "hello"}
    return {"model": MODEL, "max_tokens": 4000, "messages": [hello, *messages], **fields}


def with_tool(tool: Json) -> Json:
    """Make a body that declares one tool, and whatever that tool needs beside it."""
    servers = {"mcp_servers": [SERVER]} if tool.get("type") == "mcp_toolset" else {}
    more = [LATE] if str(tool.get("type")).startswith("tool_search") else []
    return request(tools=[tool, *more], **servers)
