"""A search among deferred tools: two items upstream, two blocks here."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.place import TOOLS
from stages.canonical.report import Disposition, Report
from stages.canonical.request import Request, ServerTool
from stages.tools.server.row import CallBlock, ClientNames, DeclarationContext, ResultBlock, ToolBlocks
from stages.tools.server.tool_search import TOOL_SEARCH
from tests.stages.strategies import OBJECTS

FUNCTIONS: dict[str, dict[str, Any]] = {
    name: {"type": "function", "name": name.replace(".", "_"), "defer_loading": True} for name in ("look", "a.b")
}
NAMES = ClientNames("tool_search_tool_bm25", {function["name"]: name for name, function in FUNCTIONS.items()})
SAME: dict[str, Any] = {"call_id": None, "execution": "server", "status": "completed"}
ASKED: dict[str, Any] = {"type": "tool_search_call", **SAME, "arguments": {"queries": ["look"]}}
FOUND: dict[str, Any] = {"type": "tool_search_output", **SAME, "tools": [*FUNCTIONS.values()]}


def test_a_search_is_declared_where_the_model_has_one() -> None:
    """Elsewhere it is reported that there is nothing to search for."""
    tool, report = ServerTool("tool_search_tool_regex", "tool_search_tool_regex", {}), Report()
    request = Request("m", ())

    assert TOOL_SEARCH.handles("tool_search_tool_bm25_20251119")
    assert TOOL_SEARCH.declare(tool, DeclarationContext(request, native_search=True), TOOLS.at(0), report) == {
        "type": "tool_search"
    }
    assert report.notes == []
    assert TOOL_SEARCH.declare(tool, DeclarationContext(request), TOOLS.at(0), report) is None
    assert [(note.path, note.disposition) for note in report.notes] == [("tools.0", Disposition.APPROXIMATED)]


def test_a_call_is_shown_under_the_clients_name() -> None:
    """With the arguments as the model wrote them."""
    told = TOOL_SEARCH.to_blocks({**ASKED, "id": "tsc_1"}, NAMES, "")

    assert told.parts == (CallBlock("srvtoolu_tsc_1", "tool_search_tool_bm25", {"queries": ["look"]}),)
    assert TOOL_SEARCH.to_blocks({**ASKED, "id": "tsc_1", "arguments": "x"}, NAMES, "").parts == (
        CallBlock("srvtoolu_tsc_1", "tool_search_tool_bm25", {}),
    )


def test_what_was_found_is_told_by_name() -> None:
    """Under the names of the client, those in a namespace too; it answers the call before it."""
    namespace = {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "new"}]}
    told = TOOL_SEARCH.to_blocks({**FOUND, "tools": [*FOUND["tools"], namespace, {}]}, NAMES, "srvtoolu_tsc_1")

    assert told.parts == (
        ResultBlock(
            {
                "type": "tool_search_tool_result",
                "tool_use_id": "srvtoolu_tsc_1",
                "content": {
                    "type": "tool_search_tool_search_result",
                    "tool_references": [
                        {"type": "tool_reference", "tool_name": name} for name in ("look", "a.b", "new")
                    ],
                },
            }
        ),
    )


@pytest.mark.parametrize("item", [{**ASKED, "execution": "client"}, FOUND])
def test_what_belongs_to_nothing_is_left_out(item: dict[str, Any]) -> None:
    """A search that the client should run, which was not asked for; and an answer to no call."""
    assert TOOL_SEARCH.to_blocks(item, NAMES, "") == ToolBlocks(left_out=(item["type"],))


@given(OBJECTS, st.lists(st.sampled_from(sorted(FUNCTIONS)), unique=True))
def test_a_search_comes_back_as_it_was(arguments: dict[str, Any], names: list[str]) -> None:
    """Both items, except for their ids, which the upstream does not ask for."""
    asked = {**ASKED, "arguments": arguments}
    found = {**FOUND, "tools": [FUNCTIONS[name] for name in names]}
    (call,) = TOOL_SEARCH.to_blocks({**asked, "id": "tsc_1"}, NAMES, "").parts
    assert isinstance(call, CallBlock)
    (result,) = TOOL_SEARCH.to_blocks({**found, "id": "tso_1"}, NAMES, call.id).parts
    assert isinstance(result, ResultBlock)

    back = TOOL_SEARCH.to_items({"id": call.id, "name": call.name, "input": call.input}, result.body, FUNCTIONS)

    assert back == [asked, found]


@pytest.mark.parametrize(
    ("result", "tools"),
    [
        (None, None),
        ({"content": {"type": "tool_search_tool_result_error", "error_code": "unavailable"}}, []),
        ({"content": {"tool_references": [{"tool_name": "gone"}, {"tool_name": "look"}]}}, [FUNCTIONS["look"]]),
        ({"content": "x"}, []),
    ],
)
def test_results_that_are_not_as_they_were(result: Any, tools: Any) -> None:
    """A tool that is no longer listed is no longer found; without a result there is a call alone."""
    call = {"id": "srvtoolu_tsc_1", "input": {"queries": ["look"]}}

    assert TOOL_SEARCH.to_items(call, result, FUNCTIONS) == [
        ASKED,
        *([] if tools is None else [{**FOUND, "tools": tools}]),
    ]


def test_another_services_search_is_one_that_the_client_ran() -> None:
    """So that the model knows what was found, and need not search again."""
    call = {"id": "srvtoolu_01AB", "name": "tool_search_tool_bm25", "input": {"query": "look"}}
    result = {"content": {"tool_references": [{"type": "tool_reference", "tool_name": "look"}]}}
    ran = {"call_id": "srvtoolu_01AB", "execution": "client", "status": "completed"}

    assert TOOL_SEARCH.to_items(call, result, FUNCTIONS) == [
        {"type": "tool_search_call", **ran, "arguments": {"query": "look"}},
        {"type": "tool_search_output", **ran, "tools": [FUNCTIONS["look"]]},
    ]
    assert TOOL_SEARCH.to_items(call, None, FUNCTIONS) is None


@pytest.mark.parametrize("call", [{}, {"input": {}}, {"id": 7, "input": {}}, {"id": "srvtoolu_tsc_1", "input": None}])
def test_a_damaged_search_is_no_item(call: dict[str, Any]) -> None:
    """Without an id, or without what was searched for."""
    assert TOOL_SEARCH.to_items(call, {}, FUNCTIONS) is None
