"""Calls that the upstream ran itself: told once they are done, with ids that no other call has."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.events import BLOCK_STOP, JsonDelta, MessageEnd, ResultStart, ServerToolUseStart
from stages.canonical.plan import AnswerPlan
from stages.correlator.ledger import Ledger, Part
from stages.correlator.server_tool_track import ServerToolTrack
from tests.stages.correlator.items import PLAN as BASE
from tests.stages.correlator.items import added, call, done, ended, message, parts, reasoning, say, told
from tests.support.cases import cases

PLAN = attrs.evolve(
    BASE,
    server_tools={
        "web_search": "web_search",
        "code_interpreter": "code_execution",
        "mcp": "",
        "tool_search": "tool_search_tool_regex",
    },
    servers={"wiki": "The Wiki"},
)

SEARCH: dict[str, Any] = {
    "type": "web_search_call",
    "id": "ws_1",
    "status": "completed",
    "action": {"type": "search", "query": "news", "sources": [{"type": "url", "url": "https://a"}]},
}
RUN: dict[str, Any] = {
    "type": "code_interpreter_call",
    "id": "ci_1",
    "container_id": "cntr_1",
    "code": "1",
    "outputs": [{"type": "image", "url": "data:,"}],
    "status": "completed",
}
ASKED: dict[str, Any] = {"type": "mcp_call", "id": "mcp_1", "server_label": "wiki", "name": "ask", "output": "x"}
LOOKED: dict[str, Any] = {"type": "tool_search_call", "id": "tsc_1", "execution": "server", "arguments": {"q": 1}}
FOUND: dict[str, Any] = {"type": "tool_search_output", "id": "tso_1", "execution": "server", "tools": []}
PAGE: dict[str, Any] = {"type": "web_search_call", "id": "ws_2", "action": {"type": "open_page", "url": "https://a"}}


def streamed(*items: dict[str, Any], plan: AnswerPlan = PLAN) -> list[Part]:
    """Play a stream of these items, each announced and done."""
    events = []
    for index, item in enumerate(items):
        events += [added(item["type"], index, id=item.get("id")), done(item, index)]
    return parts(*events, ended(output=list(items), created_at=0), plan=plan)


def whole(*items: dict[str, Any], plan: AnswerPlan = PLAN) -> list[Part]:
    """Play the same as one object."""
    return parts(ended(output=list(items), created_at=0), plan=plan)


def end_of(made: list[Part]) -> MessageEnd:
    """The ending of a message."""
    end = made[-1]
    assert isinstance(end, MessageEnd)
    return end


def test_a_call_is_two_blocks() -> None:
    """The arguments come after an empty fragment, as the real API sends them; the result is whole as it begins."""
    start, *rest = streamed(SEARCH, message("a"))

    assert start == ServerToolUseStart("srvtoolu_ws_1", "web_search")
    assert rest[:3] == [JsonDelta(""), JsonDelta('{"query":"news"}'), BLOCK_STOP]
    assert isinstance(rest[3], ResultStart)
    assert rest[3].body["tool_use_id"] == "srvtoolu_ws_1"
    assert rest[4] == BLOCK_STOP


def test_a_servers_tool_names_its_server() -> None:
    """As the client calls it."""
    assert streamed(ASKED)[0] == ServerToolUseStart("mcptoolu_mcp_1", "ask", "The Wiki")


def test_streamed_or_whole_is_the_same() -> None:
    """The final object repeats what the stream has told."""
    items = (SEARCH, PAGE, RUN, ASKED, LOOKED, FOUND, message("a"))

    assert streamed(*items) == whole(*items)


@given(st.permutations(range(5)), st.permutations((SEARCH, PAGE, RUN, ASKED, message("a"))))
def test_the_order_of_what_is_said_never_matters(order: list[int], items: list[dict[str, Any]]) -> None:
    """Whichever call is done first, the blocks come whole and in the order in which the calls began."""
    begun = [added(item["type"], index, id=item["id"]) for index, item in enumerate(items)]
    made = parts(*begun, *(done(items[index], index) for index in order), ended(created_at=0), plan=PLAN)

    assert made == whole(*items)


def test_an_ending_counts_calls_and_names_the_container() -> None:
    """And says what had no block: a page, a picture, a server's list."""
    end = end_of(streamed({"type": "mcp_list_tools", "id": "mcpl_1"}, SEARCH, PAGE, RUN, ASKED, ASKED, message("a")))

    assert end.server_tools == (("code_interpreter", 1), ("mcp", 2), ("web_search", 1))
    assert end.container == {"id": "cntr_1", "expires_at": "1970-01-01T00:20:00Z"}
    assert end.left_out == (("code_interpreter_call.image", 1), ("mcp_list_tools", 1), ("web_search_call.open_page", 1))
    assert end.stop_reason == "end_turn"


def test_a_client_that_declared_nothing_sees_nothing() -> None:
    """It would not understand the blocks; they are counted as left out, and the turn is over."""
    end = end_of(streamed(SEARCH, RUN, plan=attrs.evolve(PLAN, server_tools={})))

    lines = told(streamed(SEARCH, RUN, plan=attrs.evolve(PLAN, server_tools={})))
    assert lines == [lines[0], "end_turn"]
    assert "web_search_call, code_interpreter_call" in lines[0]
    assert (end.server_tools, end.container) == ((), None)
    assert end.left_out == (("code_interpreter_call", 1), ("web_search_call", 1))


def test_a_search_among_tools_is_two_items() -> None:
    """What was found answers the first call that has no answer yet; an answer to nothing is left out."""
    second = {**LOOKED, "id": "tsc_2"}
    made = streamed(LOOKED, second, FOUND, FOUND | {"id": "tso_2"}, FOUND | {"id": "tso_3"}, message("a"))
    results = [part.body["tool_use_id"] for part in made if isinstance(part, ResultStart)]

    assert results == ["srvtoolu_tsc_1", "srvtoolu_tsc_2"]
    assert end_of(made).left_out == (("tool_search_output", 1),)
    assert end_of(made).server_tools == (("tool_search", 2),)


def test_no_two_calls_have_one_id() -> None:
    """Clients key results by it, and servers exist that give no ids at all."""
    nameless = {key: value for key, value in SEARCH.items() if key != "id"}
    made = parts(done(nameless, 0), done(nameless, 1), done(nameless, 2), ended(), plan=PLAN)
    calls = [part.id for part in made if isinstance(part, ServerToolUseStart)]
    results = [part.body["tool_use_id"] for part in made if isinstance(part, ResultStart)]

    assert len(set(calls)) == 3
    assert results == calls


@cases(
    ("items", "reason"),
    [
        ((SEARCH,), "pause_turn"),
        ((message("a"), SEARCH), "pause_turn"),
        ((SEARCH, reasoning("hm")), "pause_turn"),
        ((SEARCH, message("a")), "end_turn"),
        ((SEARCH, call()), "tool_use"),
        ((call(), SEARCH), "tool_use"),
        ((SEARCH, PAGE), "pause_turn"),
        ((PAGE,), "end_turn"),
        ((SEARCH, message("")), "end_turn"),
        ((SEARCH, {"type": "hologram", "id": "h"}), "end_turn"),
        ((ASKED, {"type": "mcp_approval_request", "id": "mcpr_1"}), "end_turn"),
    ],
)
def test_a_turn_that_is_not_over(items: tuple[dict[str, Any], ...], reason: str) -> None:
    """A message whose last word is the upstream's own call has no answer yet; the client sends it back."""
    assert end_of(streamed(*items)).stop_reason == reason


@pytest.mark.parametrize("plan", [PLAN, attrs.evolve(PLAN, server_tools={})])
def test_what_never_speaks_holds_nobody_back(plan: AnswerPlan) -> None:
    """Lists of tools are announced together, and some are never said to be done (recorded)."""
    lists = [added("mcp_list_tools", index, id=f"mcpl_{index}") for index in range(3)]
    done_late = done({"type": "mcp_list_tools", "id": "mcpl_1"}, 1)

    assert told(parts(*lists, say("text", "a", item_id="m", output_index=3), plan=plan)) == ["text: a"]
    assert end_of(parts(*lists, done_late, done(message("a"), 3), ended(), plan=plan)).left_out == (
        ("mcp_list_tools", 1),
    )


def test_an_unfinished_call_says_nothing() -> None:
    """Its query and its result come no earlier than at its end."""
    made = parts(added("web_search_call", 0, id="ws_1"), ended("incomplete"), plan=PLAN)

    assert told(made) == ["max_tokens"]


def test_a_call_is_told_once() -> None:
    """However often it comes."""
    track = ServerToolTrack(PLAN, "web_search_call")
    track.complete(SEARCH)
    before = track.take()
    track.complete(SEARCH)

    assert len(before) == 6
    assert track.take() == []


def test_results_count_against_what_may_wait() -> None:
    """A call that waits for its turn must not hold more than the limit (law 6)."""
    ledger = Ledger(PLAN, waiting=1000)
    big = {**ASKED, "output": "x" * 2000}
    made = [part for event in (added("message", 0, id="m"), done(big, 1)) for part in ledger.feed(event)]

    assert told(made) == ["failure None"]
