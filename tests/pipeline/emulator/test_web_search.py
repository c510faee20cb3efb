"""A hosted web search is played as it was recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.emulator.answer import answer
from stages.wire import json, sse
from tests.pipeline.emulator.talk import BASH, asked, calls, output, said, streamed

SEARCH = {"type": "web_search"}
SOURCES = ["web_search_call.action.sources"]
_RECORDED = "openai/web_search/chatlas__test_openai_web_search__0__stream.json"


def searching(prompt: str = "What is a dragoman?", **more: Any) -> dict[str, Any]:
    """Make a request that offers nothing but a web search."""
    return asked(prompt, **{"tools": [SEARCH], **more})


def test_a_request_that_offers_a_search_alone_gets_one() -> None:
    """The prompt is what is searched for; the answer cites what was found."""
    call, message = output(searching())

    assert call["action"] == {"type": "search", "queries": ["What is a dragoman?"], "query": "What is a dragoman?"}
    part = message["content"][0]
    assert [note["type"] for note in part["annotations"]] == ["url_citation", "url_citation"]
    for note in part["annotations"]:
        assert part["text"][note["start_index"] : note["end_index"]].startswith("([")
        assert note["url"] in part["text"][note["start_index"] : note["end_index"]]


def test_sources_are_told_where_they_are_included() -> None:
    """More pages are found than cited, and only `include` brings their addresses; citations point at some of them."""
    call, message = output(searching(include=SOURCES))

    found = [source["url"] for source in call["action"]["sources"]]
    cited = [note["url"].removesuffix("?utm_source=openai") for note in message["content"][0]["annotations"]]
    assert len(found) == 3
    assert cited == found[:2]
    assert {source["type"] for source in call["action"]["sources"]} == {"url"}


def test_allowed_domains_are_kept_to() -> None:
    """With a filter nothing else is found."""
    tools = [{**SEARCH, "filters": {"allowed_domains": ["docs.example.edu"]}}]
    call, message = output(searching(tools=tools, include=SOURCES))

    assert [source["url"].split("/")[2] for source in call["action"]["sources"]] == ["docs.example.edu"]
    assert [note["url"].split("/")[2] for note in message["content"][0]["annotations"]] == ["docs.example.edu"]


def test_a_cue_searches_among_other_tools() -> None:
    """`[[search words]]` says what to look for; without it such a request is answered with words."""
    tools = [SEARCH, BASH]

    call, _ = output(asked("Go: [[search plain words]]", tools=tools))
    assert call["action"]["query"] == "plain words"
    assert [item["type"] for item in output(asked("Go.", tools=tools))] == ["message"]


@pytest.mark.parametrize("more", [{"tools": [BASH]}, {"tools": [SEARCH], "tool_choice": "none"}])
def test_nothing_is_searched_that_may_not_be(more: dict[str, Any]) -> None:
    """Without the tool, or where calls are forbidden, the text says so."""
    assert "none that fits" in said(asked("[[search words]]", **more))
    assert calls(asked("[[search words]]", **more)) == []


def test_searches_are_counted() -> None:
    """`tool_usage` tells how many there were."""
    assert answer(searching()).body["tool_usage"]["web_search"] == {"num_requests": 1}
    assert answer(asked("hello")).body["tool_usage"]["web_search"] == {"num_requests": 0}


def test_a_search_costs_no_output() -> None:
    """A limit cuts the text behind the search, and with it the citations that it has not reached."""
    whole = answer(searching(max_output_tokens=16)).body

    assert [item["type"] for item in whole["output"]] == ["web_search_call", "message"]
    assert whole["incomplete_details"] == {"reason": "max_output_tokens"}
    part = whole["output"][1]["content"][0]
    assert all(note["end_index"] <= len(part["text"]) for note in part["annotations"])


def test_events_have_the_shape_of_recorded_ones(shared: Path) -> None:
    """Same kinds of events in the same order, and the same keys in the same places."""
    record = json.decode((shared / "recordings" / _RECORDED).read_bytes())
    real = [json.decode(payload) for payload in sse.Decoder().feed(record["body"].encode())]
    ours = streamed(searching(model="gpt-4.1", stream_options={"include_obfuscation": False}))

    assert _story(ours) == _story([{k: v for k, v in event.items() if k != "obfuscation"} for event in real])


def _story(told: list[dict[str, Any]]) -> list[Any]:
    """Reduce events to their kinds and keys, and runs of the same to one; the response object is judged elsewhere."""
    story: list[Any] = []
    for event in told:
        shape = [event["type"], list(event), list(event.get("item", ())), _inner(event)]
        if not story or story[-1] != shape:
            story.append(shape)
    return story


def _inner(event: dict[str, Any]) -> list[Any]:
    part: dict[str, Any] = event.get("part") or next(iter(event.get("item", {}).get("content", ())), {})
    notes = [event.get("annotation", {}), *part.get("annotations", ())]
    return [list(event.get("item", {}).get("action", ())), list(part), [list(note) for note in notes]]
