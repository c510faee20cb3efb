"""Web searches of the upstream: what is searched for, which pages are found, and how the answer cites them.

Nothing is fetched: the pages are made up, on domains that are reserved for examples or that the request allows.
"""

from __future__ import annotations

from typing import Any

from pipeline.emulator.scenario import Citation, MessageItem, Scenario, SearchItem, words

_TOOL = "web_search"
_DOMAINS = ("example.com", "example.org", "example.net")
_CITED = 2
"""Of the pages found, so many are cited: recorded searches list more sources than the text mentions."""

_CAMPAIGN = "?utm_source=openai"
"""Is at the end of every recorded citation's address, and of no source's."""


def hosted_search(request: dict[str, Any]) -> dict[str, Any] | None:
    """Find the request's web search, if it may be used; dated and preview types are the same to us."""
    if request.get("tool_choice") == "none":
        return None
    tools = request.get("tools") or []
    return next((tool for tool in tools if str(tool.get("type")).startswith(_TOOL)), None)


def searches_alone(request: dict[str, Any]) -> bool:
    """Tell whether a request offers a web search and nothing else: then it is made for a search."""
    return len(request.get("tools") or []) == 1 and hosted_search(request) is not None


def looked_up(tool: dict[str, Any], query: str) -> Scenario:
    """Search for `query` and answer with citations.

    Args:
        tool: the search's declaration; nothing is found outside its `filters.allowed_domains`.
        query: what is searched for.
    """
    domains = tuple((tool.get("filters") or {}).get("allowed_domains") or _DOMAINS)
    found = tuple(f"https://{domain}/found/{number}" for number, domain in enumerate(domains, 1))
    pieces = list(words("The emulator has looked nothing up, but this is how a search is told."))
    notes: list[Citation] = []
    for number, (domain, url) in enumerate(zip(domains[:_CITED], found, strict=False), 1):
        pieces += words(f"\n\nThis is what page {number} says")
        notes.append(Citation(len(pieces), url + _CAMPAIGN, f"Page {number} on {domain}"))
        pieces += [f" ([{domain}]({url}{_CAMPAIGN}))", "."]
    return Scenario((SearchItem(query, found), MessageItem(tuple(pieces), citations=tuple(notes))))
