"""Web search in both directions, and back again."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.report import Report
from stages.canonical.request import Caller, Request
from stages.decoder import decode
from stages.mapper import Mapped, Target, map_request
from stages.tables import web_search
from stages.tables.profiles import PROFILES
from stages.wire import json

SEARCH = {
    "type": "web_search_call",
    "id": "ws_1",
    "status": "completed",
    "action": {"type": "search", "query": "news", "sources": [{"type": "url", "url": "https://a.example/"}]},
}


def mapped(body: dict[str, Any], profile: str = "openai") -> Mapped:
    """Map a request that declares a web search."""
    whole = {"model": "claude-opus-5-5", "max_tokens": 500, "messages": [{"role": "user", "content": "q"}], **body}
    request = decode(json.encode(whole))
    assert isinstance(request, Request)
    return map_request(request, Caller(), Target(PROFILES[profile]), message_id="msg_1")


def test_the_tool_is_declared_with_its_filters_and_place() -> None:
    """Domains and location go upstream; blocked domains cannot, and are reported."""
    report = Report()
    body = {
        "allowed_domains": ["a.example"],
        "blocked_domains": ["b.example"],
        "user_location": {"type": "approximate", "city": "Ghent", "region": None},
    }

    assert web_search.tool_of(body, "tools.0", report) == {
        "type": "web_search",
        "filters": {"allowed_domains": ["a.example"]},
        "user_location": {"type": "approximate", "city": "Ghent"},
    }
    assert [note.path for note in report.notes] == ["tools.0.blocked_domains"]


def test_a_request_with_a_search_asks_for_its_sources_and_limits_its_uses() -> None:
    """`max_uses` is `max_tool_calls`, and without the include there would be no sources."""
    result = mapped({"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 8}]})

    assert result.body["tools"] == [{"type": "web_search"}]
    assert result.body["max_tool_calls"] == 8
    assert web_search.INCLUDE in result.body["include"]
    assert result.plan.web_search


def test_a_server_without_search_is_not_asked_for_one() -> None:
    """What the profile lacks is dropped and reported."""
    result = mapped({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "llama.cpp")

    assert "tools" not in result.body
    assert not result.plan.web_search
    assert result.report.unfaithful() is not None


@pytest.mark.parametrize(
    ("action", "query"),
    [
        ({"type": "search", "query": "a"}, "a"),
        ({"type": "search", "queries": ["b", "c"]}, "b"),
        ({"type": "search"}, ""),
        ({"type": "open_page", "url": "https://a.example/"}, None),
        (None, None),
    ],
)
def test_only_searches_have_a_query(action: Any, query: str | None) -> None:
    """Opened pages are no searches."""
    assert web_search.query_of({"action": action}) == query


def test_what_was_told_comes_back_as_the_item_it_was() -> None:
    """The call and its result become one item again, with id, query and sources, in its place."""
    ident = web_search.tool_use_id("ws_1")
    result = mapped(
        {
            "tools": [{"type": "web_search_20250305", "name": "web_search"}],
            "messages": [
                {"role": "user", "content": "q"},
                {
                    "role": "assistant",
                    "content": [
                        {"type": "server_tool_use", "id": ident, "name": "web_search", "input": {"query": "news"}},
                        web_search.result_block(ident, SEARCH),
                        {"type": "text", "text": "Found."},
                    ],
                },
                {"role": "user", "content": "more"},
            ],
        }
    )

    kinds = [item["type"] for item in result.body["input"]]
    assert kinds == ["message", "web_search_call", "message", "message"]
    item = result.body["input"][1]
    assert (item["id"], item["action"]["query"]) == ("ws_1", "news")
    assert item["action"]["sources"] == [{"type": "url", "url": "https://a.example/"}]


def test_a_search_of_another_service_is_shown_as_text() -> None:
    """An id that is not ours cannot go back as an item; what it says is not lost."""
    foreign = {"type": "server_tool_use", "id": "srvtoolu_01", "name": "web_search", "input": {"query": "old news"}}
    result = mapped(
        {
            "messages": [
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": [foreign]},
                {"role": "user", "content": "more"},
            ]
        }
    )

    assert "old news" in result.body["input"][1]["content"][0]["text"]
