"""What was said before a call, by who said it."""

from __future__ import annotations

from typing import Any

import pytest

from stages.tools.hosted.row import HostedCall
from stages.tools.hosted.spoken import texts_before

ALL, NONE = {"type": "all"}, {"type": "none"}


def named(kind: str, *names: str) -> dict[str, Any]:
    """A filter by the names of tools."""
    return {"type": kind, "tools": [{"type": "tool_reference", "name": name} for name in names]}


FETCHED = {"type": "web_fetch_result", "url": "url-f", "content": {"source": {"type": "text", "data": "words-f"}}}
BODY: dict[str, Any] = {
    "system": [{"type": "text", "text": "system"}],
    "messages": [
        {"role": "user", "content": "user"},
        {
            "role": "user",
            "content": [
                {"type": "document", "title": "title", "source": {"type": "base64", "data": "file"}},
                {"type": "document", "source": {"type": "text", "data": "document"}},
                {"type": "search_result", "source": "address", "content": [{"type": "text", "text": "found"}]},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "the model's own"},
                {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"text": "also its own"}},
                {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
                {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"url": "url-s"}]},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "printed"}]},
    ],
}
TOLD = [
    {"type": "server_tool_use", "id": "s2", "name": "web_fetch", "input": {"url": "its own again"}},
    {"type": "web_fetch_tool_result", "tool_use_id": "s2", "content": FETCHED},
]
USER = {"system", "user", "title", "document", "address", "found"}
CLIENT, SEARCHED, READ = {"printed"}, {"url-s"}, {"url-f", "words-f"}


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        (None, USER | CLIENT | SEARCHED | READ),
        ({}, USER | CLIENT | SEARCHED | READ),
        ({"user_input": NONE}, CLIENT | SEARCHED | READ),
        ({"user_input": ALL, "client_tool_results": NONE, "server_tool_results": NONE}, USER),
        ({"user_input": NONE, "client_tool_results": named("only", "Bash"), "server_tool_results": NONE}, CLIENT),
        ({"user_input": NONE, "client_tool_results": named("except", "Bash"), "server_tool_results": NONE}, set()),
        ({"server_tool_results": named("only", "web_search"), "user_input": NONE}, CLIENT | SEARCHED),
        ({"server_tool_results": named("except", "web_search"), "user_input": NONE}, CLIENT | READ),
    ],
)
def test_who_counts(sources: Any, said: set[str]) -> None:
    """As the declaration has it; what the model wrote never does."""
    call = HostedCall({"url_sources": sources}, {}, BODY, TOLD)

    assert set(texts_before(call)) == said
