"""The tool that reads a page: what is asked, what is shown, and how that goes back."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.failure import Failure, Kind
from stages.canonical.request import ServerTool
from stages.citing.marks import INSTRUCTION
from stages.citing.sources import Sources
from stages.tools.hosted.pages import Domains, Page, PageFetch
from stages.tools.hosted.row import Denied, HostedCall
from stages.tools.hosted.web_fetch import LONGEST_URL, WEB_FETCH, web_fetch_function

URL = "https://a.example/x"
BODY = {"messages": [{"role": "user", "content": f"Read {URL} or https://a.example/{'y' * LONGEST_URL}"}]}


def asked(url: Any, **declared: Any) -> Any:
    """What is done about a call."""
    return WEB_FETCH.ask(HostedCall(declared, {"url": url}, BODY, []))


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (None, "invalid_tool_input"),
        ("a.example/x", "invalid_tool_input"),
        ("ftp://a.example/x", "invalid_tool_input"),
        ("https:// a", "invalid_tool_input"),
        (f"https://a.example/{'y' * LONGEST_URL}", "url_too_long"),
        ("https://a.example/z", "url_not_in_prior_context"),
    ],
)
def test_what_is_not_read(url: Any, code: str) -> None:
    """Nobody is asked then."""
    assert asked(url) == Denied({"type": "web_fetch_tool_result_error", "error_code": code})


def test_what_is_read() -> None:
    """Within the declaration's limits."""
    assert asked(f" {URL} ") == PageFetch(URL, Domains(), 100_000)
    limits = {"allowed_domains": ["a.example"], "blocked_domains": ["b.example"], "max_content_tokens": 50}
    assert asked(URL, **limits) == PageFetch(URL, Domains(("a.example",), ("b.example",)), 50)
    assert asked(URL, max_content_tokens=10**9) == asked(URL, max_content_tokens="x") == PageFetch(URL)


@pytest.mark.parametrize(
    ("page", "source", "output"),
    [
        (
            Page(URL, "words", "T", retrieved_at="now"),
            {"type": "text", "media_type": "text/plain", "data": "words"},
            f"T\n\nSource: {URL}\n\nwords",
        ),
        (
            Page(URL, pdf="JVBE"),
            {"type": "base64", "media_type": "application/pdf", "data": "JVBE"},
            [
                {"type": "input_text", "text": f"Source: {URL}"},
                {"type": "input_file", "filename": "page.pdf", "file_data": "data:application/pdf;base64,JVBE"},
            ],
        ),
    ],
)
def test_a_page(page: Page, source: dict[str, Any], output: Any) -> None:
    """Is a document, and goes back as the output of the call."""
    call, result = WEB_FETCH.blocks({"id": "toolu_call_a", "input": {"url": URL}}, WEB_FETCH.result({}, page))

    assert result["type"] == "web_fetch_tool_result"
    assert result["content"] == {
        "type": "web_fetch_result",
        "url": URL,
        "content": {"type": "document", "source": source, "title": page.title},
        "retrieved_at": page.retrieved_at,
    }
    made = WEB_FETCH.to_items(call, result, Sources())
    assert made == [
        {"type": "function_call", "call_id": "call_a", "name": "web_fetch", "arguments": f'{{"url":"{URL}"}}'},
        {"type": "function_call_output", "call_id": "call_a", "output": output},
    ]


def test_a_page_that_is_cited() -> None:
    """Is a document with a number, behind the word on how to cite where it is the first."""
    page = Page(URL, "The first sentence is long enough. The second is, too.", "T")
    declared = {"citations": {"enabled": True}}
    call, result = WEB_FETCH.blocks({"id": "toolu_a", "input": {"url": URL}}, WEB_FETCH.result(declared, page))
    sources = Sources()
    outputs = [(WEB_FETCH.to_items(call, result, sources) or [{}])[-1].get("output") for _ in range(2)]

    head = f"T\n\nSource: {URL}\n\n"
    assert outputs == [
        f"{INSTRUCTION}\n\nDocument 0: {head}[0.0] The first sentence is long enough. [0.1] The second is, too.",
        f"Document 1: {head}[1.0] The first sentence is long enough. [1.1] The second is, too.",
    ]
    assert list(sources.known) == ["0", "1"]


def test_why_there_is_none() -> None:
    """In Anthropic's words, for the client and for the model."""
    shown = WEB_FETCH.result({}, "url_not_allowed")
    assert shown == {"type": "web_fetch_tool_result_error", "error_code": "url_not_allowed"}
    assert WEB_FETCH.result({}, Failure(Kind.TIMEOUT, "late"))["error_code"] == "unavailable"
    made = WEB_FETCH.to_items({"id": "srvtoolu_1", "input": {}}, {"content": shown}, Sources())
    assert made is not None
    assert made[-1]["output"] == "[error] url_not_allowed"
    assert WEB_FETCH.to_items({"id": "srvtoolu_1"}, {"content": {"type": "later"}}, Sources()) is None


def test_the_function() -> None:
    """What nobody has words for is kept, for the report."""
    body = {"type": "web_fetch_20260318", "strict": True, "max_uses": 1, "citations": {"enabled": True}, "odd": 1}
    (made,) = web_fetch_function(ServerTool("web_fetch_20260318", "web_fetch", body))

    assert (made.name, made.strict, made.defer_loading) == ("web_fetch", True, False)
    assert made.extra == {"odd": 1}
