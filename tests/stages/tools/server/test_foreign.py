"""Blocks without a counterpart, as a model gets to read them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from stages.tools.server.foreign import SEALED, as_text
from stages.wire import json
from tests.stages.strategies import OBJECTS, TEXTS


@pytest.mark.parametrize(
    ("kind", "body", "text", "lost"),
    [
        ("server_tool_use", {"name": "f", "input": {"q": 1}}, '{"name":"f","input":{"q":1}}', []),
        ("compaction", {"content": "So far.", "encrypted_content": "x"}, "So far.", ["encrypted_content"]),
        ("advisor_tool_result", {"content": {"type": "advisor_result", "text": "Do."}}, "Do.", []),
        ("mcp_tool_result", {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, "a\nb", []),
        (
            "mcp_tool_result",
            {"content": [{"type": "text", "text": "a"}], "is_error": True},
            '{"content":[{"type":"text","text":"a"}],"is_error":true}',
            [],
        ),
        (
            "web_search_tool_result",
            {"content": [{"url": "u", "encrypted_content": "x"}, {"url": "v", "encrypted_content": "y"}]},
            '{"content":[{"url":"u"},{"url":"v"}]}',
            ["encrypted_content"],
        ),
        (
            "web_fetch_tool_result",
            {"content": {"content": {"source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}}}},
            '{"content":{"content":{"source":{"type":"base64","media_type":"application/pdf"}}}}',
            ["data"],
        ),
        ("odd", {"content": []}, '{"content":[]}', []),
        ("odd", {"content": [{"type": "text", "text": 7}]}, '{"content":[{"type":"text","text":7}]}', []),
    ],
)
def test_a_block_is_text_in_a_tag(kind: str, body: dict[str, Any], text: str, lost: list[str]) -> None:
    """Plain where it says nothing but text; without what only its own service can read."""
    links = {"type": kind, "id": "srvtoolu_1", "tool_use_id": "srvtoolu_1", "caller": {"type": "direct"}}

    assert as_text(kind, links | body | {"cache_control": {"type": "ephemeral"}}) == (f"<{kind}>{text}</{kind}>", lost)


@pytest.mark.parametrize(
    ("kind", "body", "lost"),
    [
        ("fallback", {"type": "fallback", "from": {"model": "a"}, "to": {"model": "b"}}, ["from", "to"]),
        ("mcp_tool_listing", {"mcp_server_name": "a", "tools": []}, ["mcp_server_name", "tools"]),
        ("compaction", {"type": "compaction", "encrypted_content": "x"}, ["encrypted_content"]),
    ],
)
def test_blocks_that_say_nothing(kind: str, body: dict[str, Any], lost: list[str]) -> None:
    """Notes of the service to its client, and what is nothing but a seal."""
    assert as_text(kind, body) == ("", lost)


@given(TEXTS, OBJECTS)
def test_any_block_is_text(kind: str, body: dict[str, Any]) -> None:
    """Whatever it holds, and the mark for the cache changes nothing."""
    text, lost = as_text(kind, body)

    assert set(lost) <= SEALED | {"data"} | body.keys()
    assert as_text(kind, {**body, "cache_control": {}}) == (text, lost)
    assert json.encode(text)
