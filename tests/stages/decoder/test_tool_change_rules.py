"""What is wrong with tools that come and go is said with the `error_code` that Anthropic's SDKs list."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stages.decoder.bodies import TOOL, USER, body, refused, taken
from tests.stages.tools.test_changes import FRESH, added, brought, removed

TOOLSET = {"type": "browser_toolset_20260801"}
SERVER = {"type": "url", "name": "books", "url": "https://example.com/mcp"}
OF_SERVER = {"type": "tool_removal", "tool": {"type": "mcp_tool_reference", "server_name": "books", "name": "find"}}


def changed(*blocks: dict[str, Any], **fields: Any) -> bytes:
    """A body whose system message makes these changes."""
    return body(messages=[USER, {"role": "system", "content": list(blocks)}], **fields)


@pytest.mark.parametrize(
    ("blocks", "fields", "error_code", "words"),
    [
        ((added("nobody"),), {"tools": [TOOL]}, "tool_reference_unresolved", "messages.1.content.0.tool: 'nobody'"),
        ((removed("fresh"), brought(FRESH)), {}, "tool_reference_unresolved", "messages.1.content.0.tool: 'fresh'"),
        ((OF_SERVER,), {}, "tool_reference_unresolved", "messages.1.content.0.tool: 'books find'"),
        (
            (brought({**FRESH, "name": "browser"}),),
            {"tools": [TOOLSET]},
            "tool_name_conflict",
            "messages.1.content.0.tool.definition.custom.name: 'browser' is the name of another tool",
        ),
        ((brought({**FRESH, "name": ""}),), {}, None, "messages.1.content.0.tool.definition.custom.name: String"),
        ((removed("f"),), {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f"}}, None, "Tool 'f' not found"),
    ],
)
def test_what_is_refused(blocks: Any, fields: dict[str, Any], error_code: str | None, words: str) -> None:
    """A 400 each, with the place first."""
    failure = refused(changed(*blocks, **fields))
    assert failure.error_code == error_code
    assert failure.message.startswith(words)


@pytest.mark.parametrize(
    ("blocks", "fields"),
    [
        ((removed("f"), added("f")), {"tools": [TOOL]}),
        ((brought(FRESH), brought(FRESH), removed("fresh")), {}),
        ((brought(FRESH),), {"tool_choice": {"type": "tool", "name": "fresh"}}),
        ((brought({**FRESH, "name": "f"}),), {"tools": [TOOL]}),
        ((OF_SERVER,), {"mcp_servers": [SERVER]}),
        (({"type": "compaction", "content": "s", "tool_changes": [removed("nobody")]},), {}),
    ],
)
def test_what_is_taken(blocks: Any, fields: dict[str, Any]) -> None:
    """Tools may come again, replace their like, and be forced where they are."""
    messages = [USER, {"role": "assistant" if blocks[0]["type"] == "compaction" else "system", "content": list(blocks)}]
    taken(body(messages=messages, **fields))
