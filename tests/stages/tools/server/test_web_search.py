"""Web search: what is asked of the upstream, what the client is shown, and how it comes back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.place import TOOLS
from stages.canonical.report import Report
from stages.canonical.request import Request, ServerTool
from stages.tools.server.row import CallBlock, DeclarationContext, ToolBlocks
from stages.tools.server.web_search import WEB_SEARCH
from tests.stages.tools.server.trip import Trip

SEARCH: dict[str, Any] = {
    "type": "web_search_call",
    "id": "ws_1",
    "status": "completed",
    "action": {
        "type": "search",
        "query": "news",
        "queries": ["news"],
        "sources": [{"type": "url", "url": "https://a"}, {"type": "url", "url": "https://b"}],
    },
}

TRIP = Trip(WEB_SEARCH, "web_search")
told, both, back = TRIP.told, TRIP.both, TRIP.back


def test_a_declaration_says_where_to_look_and_from_where() -> None:
    """Allowed domains and the place of the user are all that the upstream takes."""
    body = {
        "type": "web_search_20250305",
        "allowed_domains": ["a.org"],
        "blocked_domains": ["b.org"],
        "user_location": {"type": "approximate", "city": "Ulm", "region": None, "country": "DE", "planet": "Earth"},
    }
    tool, asked = ServerTool("web_search_20250305", "web_search", body), DeclarationContext(Request("m", ()))

    assert WEB_SEARCH.declare(tool, asked, TOOLS.at(0), Report()) == {
        "type": "web_search",
        "filters": {"allowed_domains": ["a.org"]},
        "user_location": {"type": "approximate", "city": "Ulm", "country": "DE"},
    }


def test_every_date_is_served() -> None:
    """And no other tool."""
    assert WEB_SEARCH.handles("web_search_20260318")
    assert not WEB_SEARCH.handles("web_fetch_20250910")


def test_a_search_is_a_call_and_its_result() -> None:
    """Each address once; the upstream knows no title apart from citations, so the address stands for it."""
    sources = [{"url": "https://a"}, {"url": "https://a"}, {"url": ""}, "x", {"url": "https://b", "title": "B"}]
    call, result = both({**SEARCH, "action": {**SEARCH["action"], "sources": sources}})

    assert call == CallBlock("srvtoolu_ws_1", "web_search", {"query": "news"})
    assert (result["type"], result["tool_use_id"]) == ("web_search_tool_result", "srvtoolu_ws_1")
    assert [(found["url"], found["title"]) for found in result["content"]] == [
        ("https://a", "https://a"),
        ("https://b", "B"),
    ]
    assert len({found["encrypted_content"] for found in result["content"]}) == 2


def test_a_search_that_failed_is_an_error() -> None:
    """In Anthropic's shape, and failed it comes back."""
    failed = {**SEARCH, "status": "failed"}
    _, result = both(failed)

    assert result["content"] == {"type": "web_search_tool_result_error", "error_code": "unavailable"}
    assert back(failed)[0]["status"] == "failed"


@pytest.mark.parametrize(
    ("action", "word"),
    [
        ({"type": "open_page", "url": "https://a"}, "open_page"),
        ({"type": "find_in_page", "url": "https://a", "pattern": "x"}, "find_in_page"),
        ({}, "unknown"),
        (None, "unknown"),
        ("search", "unknown"),
    ],
)
def test_only_searches_have_a_counterpart(action: Any, word: str) -> None:
    """Pages that the model opened, or looked through, are not shown, but counted by what was done."""
    assert told({**SEARCH, "action": action}) == ToolBlocks(left_out=(f"web_search_call.{word}",))


@pytest.mark.parametrize(
    ("action", "shown"),
    [
        ({"query": "a"}, {"query": "a"}),
        ({"queries": ["a"]}, {"query": "a"}),
        ({"query": "a", "queries": ["a"]}, {"query": "a"}),
        ({"query": "a", "queries": ["a", "b"]}, {"query": "a", "queries": ["a", "b"]}),
        ({"queries": ["a", "b"]}, {"query": "a", "queries": ["a", "b"]}),
        ({"queries": None, "query": None}, {"query": ""}),
    ],
)
def test_several_queries_are_all_shown(action: dict[str, Any], shown: dict[str, Any]) -> None:
    """The first where Anthropic's clients look for one."""
    call, _ = both({**SEARCH, "action": {"type": "search", **action}})

    assert call.input == shown


texts = st.text(max_size=10)
urls = st.lists(st.text(min_size=1, max_size=10), unique=True, max_size=3)


@given(texts, st.lists(texts, min_size=1, max_size=3), urls)
def test_a_search_comes_back_as_it_was(query: str, queries: list[str], found: list[str]) -> None:
    """Id, queries and sources survive the way through the client."""
    queries = [query or "q", *queries[1:]]
    action: dict[str, Any] = {"type": "search", "query": queries[0], "queries": queries}
    if found:
        action["sources"] = [{"type": "url", "url": url} for url in found]

    assert back({**SEARCH, "action": action}) == [{**SEARCH, "action": action}]


@pytest.mark.parametrize(
    "call",
    [
        {},
        {"id": "srvtoolu_01AB", "input": {"query": "x"}},
        {"id": "srvtoolu_ws_1"},
        {"id": "srvtoolu_ws_1", "input": 1},
    ],
)
def test_another_services_search_is_no_item(call: dict[str, Any]) -> None:
    """It has no id that the upstream knows, or nothing that was asked."""
    assert WEB_SEARCH.to_items(call, None, {}) is None


def test_a_search_without_a_result_comes_back() -> None:
    """A client may have left it out."""
    items = WEB_SEARCH.to_items({"id": "srvtoolu_ws_1", "input": {"queries": [1]}}, None, {})

    assert items is not None
    assert items[0]["action"] == {"type": "search", "query": "", "queries": [""]}


@pytest.mark.parametrize("queries", [5, True, {"q": 1}, "words", [None, 1]])
def test_queries_that_are_no_texts_are_none(queries: Any) -> None:
    """Neither a client's nor an upstream's nonsense breaks a request; the one query stands for them."""
    call = {"id": "srvtoolu_ws_1", "input": {"query": "q", "queries": queries}}
    (item,) = WEB_SEARCH.to_items(call, None, {}) or []
    action = {"type": "search", "query": "q", "queries": queries}

    assert item["action"]["queries"] == ["q"]
    assert both(SEARCH | {"action": action})[0].input == {"query": "q"}
