"""A web search item as blocks."""

from __future__ import annotations

from typing import Any

import attrs

from stages.canonical.events import BLOCK_STOP, JsonDelta, MessageEnd, ResultStart, ServerToolUseStart, TextStart
from stages.canonical.plan import AnswerPlan
from stages.correlator.ledger import Ledger
from stages.wire.responses_stream import StreamEvent, dump

PLAN = AnswerPlan("msg_1", "claude-opus-5-5", "gpt-6.2-astra", web_search=True)
ACTION = {"type": "search", "query": "news", "sources": [{"type": "url", "url": "https://a.example/"}] * 2}


def told(plan: AnswerPlan, *actions: dict[str, Any]) -> list[Any]:
    """Play a response of searches and a text."""
    items: list[dict[str, Any]] = [
        {"type": "web_search_call", "id": f"ws_{n}", "status": "completed", "action": action}
        for n, action in enumerate(actions)
    ]
    items.append({"type": "message", "id": "msg_u", "content": [{"type": "output_text", "text": "Found."}]})
    events = [
        StreamEvent(type=f"response.output_item.{phase}", output_index=index, item=dump(item))
        for index, item in enumerate(items)
        for phase in ("added", "done")
    ]
    ledger = Ledger(plan)
    ending = StreamEvent(type="response.completed", response=dump({"status": "completed"}))
    return list(ledger.read((*events, ending)))


def test_a_search_is_a_call_and_its_result() -> None:
    """The query comes as the call's arguments, each source once as a result, and the search is counted."""
    parts = told(PLAN, ACTION)

    assert parts[:4] == [
        ServerToolUseStart("srvtoolu_ws_0", "web_search"),
        JsonDelta(""),
        JsonDelta('{"query":"news"}'),
        BLOCK_STOP,
    ]
    assert isinstance(parts[4], ResultStart)
    assert parts[4].body["tool_use_id"] == "srvtoolu_ws_0"
    assert [found["url"] for found in parts[4].body["content"]] == ["https://a.example/"]
    assert parts[5:7] == [BLOCK_STOP, TextStart()]
    assert isinstance(parts[-1], MessageEnd)
    assert (parts[-1].web_searches, parts[-1].stop_reason) == (1, "end_turn")


def test_an_opened_page_is_left_out_and_counted() -> None:
    """Anthropic has no block for it."""
    parts = told(PLAN, {"type": "open_page", "url": "https://a.example/"})

    assert parts[0] == TextStart()
    assert parts[-1].left_out == (("web_search_call", 1),)


def test_a_client_that_declared_no_search_sees_none() -> None:
    """A block that a client does not expect could not be sent back by it."""
    parts = told(attrs.evolve(PLAN, web_search=False), ACTION)

    assert parts[0] == TextStart()
    assert parts[-1].web_searches == 0
