"""Blocks of server tools in a conversation: ours become items again, all others text."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.events import ArgumentsCut, ArgumentsDelta, ArgumentsDone, JsonDelta
from stages.canonical.plan import AnswerPlan
from stages.canonical.report import Disposition, Report
from stages.canonical.request import AnyTool, Message, Request, ServerTool, Text, Tool, ToolResult, ToolUse, Unknown
from stages.collector import Collector
from stages.correlator.ledger import Ledger
from stages.correlator.pause import Pause
from stages.mapper.conversation import Conversation
from stages.mapper.reasoning import ReasoningReplay
from stages.mapper.server_tool_replay import ServerToolReplay
from stages.mapper.tools import Toolbox, toolbox
from stages.tables.profiles import PROFILES
from stages.wire import responses_stream
from stages.wire.responses_stream import StreamEvent
from tests.support.places import place

TOOLS: tuple[AnyTool, ...] = (
    ServerTool("web_search_20250305", "web_search", {}),
    ServerTool("code_execution_20250825", "code_execution", {}),
    ServerTool("tool_search_tool_regex", "tool_search_tool_regex", {}),
    Tool("late.er", {"type": "object", "properties": {}}, defer_loading=True),
)
SERVERS = [{"name": "The Wiki", "url": "https://w"}]
SAME = {"call_id": None, "execution": "server", "status": "completed"}


def boxed(*tools: AnyTool, native_search: bool = True) -> Toolbox:
    """Sort these tools for a model that has everything."""
    request = Request("m", (), tools=tools, extra={"mcp_servers": SERVERS})
    return toolbox(request, Report(), in_place=True, native_search=native_search)


def items_of(box: Toolbox) -> list[dict[str, Any]]:
    """What an upstream says when it uses every tool."""
    function = box.functions["late.er"]
    return [
        {
            "type": "web_search_call",
            "id": "ws_1",
            "status": "completed",
            "action": {
                "type": "search",
                "query": "a",
                "queries": ["a", "b"],
                "sources": [{"type": "url", "url": "https://a"}],
            },
        },
        {
            "type": "code_interpreter_call",
            "id": "ci_1",
            "container_id": "cntr_1",
            "code": "1+1",
            "outputs": [{"type": "logs", "logs": "2"}],
            "status": "completed",
        },
        {
            "type": "mcp_call",
            "id": "mcp_1",
            "server_label": next(iter(box.server_tools.servers)),
            "name": "ask",
            "arguments": '{"q":"x"}',
            "output": "y",
            "error": None,
            "status": "completed",
        },
        {"type": "tool_search_call", **SAME, "arguments": {"paths": ["late"]}},
        {"type": "tool_search_output", **SAME, "tools": [function]},
        {"type": "function_call", "call_id": "call_1", "name": function["name"], "arguments": "{}"}
        | {"namespace": function["name"]},
    ]


def answered(box: Toolbox, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The content of the message that a client gets for these items."""
    plan = AnswerPlan(
        "msg_1", "m", "u", tool_names=box.names, server_tools=box.server_tools.names, servers=box.server_tools.servers
    )
    ledger, collector = Ledger(plan), Collector(plan)
    response = responses_stream.dump(
        {"status": "completed", "output": items, "usage": {"input_tokens": 1, "output_tokens": 1}}
    )
    for part in ledger.feed(StreamEvent("response.completed", response=response)):
        if isinstance(part, ArgumentsDone):
            collector.collect([JsonDelta(part.text)])
        elif not isinstance(part, ArgumentsDelta | ArgumentsCut | Pause):
            collector.collect([part])
    content: list[dict[str, Any]] = collector.message()["content"]
    return content


def sent_back(content: list[dict[str, Any]]) -> Message:
    """The same content as the decoder reads it."""
    return Message(
        "assistant",
        tuple(
            ToolUse(block["id"], block["name"], block["input"])
            if block["type"] == "tool_use"
            else Unknown(block["type"], block)
            for block in content
        ),
    )


def test_what_was_told_comes_back_as_the_same_items() -> None:
    """Through answer, client and history, whatever the upstream ran; the function that it found is namespaced again."""
    box, report = boxed(*TOOLS), Report()
    items = items_of(box)
    content = answered(box, items)
    messages = (sent_back(content), Message("user", (ToolResult("toolu_call_1", (Text("done"),)),)))

    built = Conversation(box, ReasoningReplay("none", "u", "", report), PROFILES["openai"], report).build(
        Request("m", messages)
    )

    assert [block["type"] for block in content] == [
        "server_tool_use",
        "web_search_tool_result",
        "server_tool_use",
        "code_execution_tool_result",
        "mcp_tool_use",
        "mcp_tool_result",
        "server_tool_use",
        "tool_search_tool_result",
        "tool_use",
    ]
    assert [content[4]["server_name"], content[6]["name"], content[8]["name"]] == [
        "The Wiki",
        "tool_search_tool_regex",
        "late.er",
    ]
    assert built[:-1] == items
    assert report.notes == []


CALL = Unknown("server_tool_use", {"id": "srvtoolu_ws_1", "name": "web_search", "input": {"query": "q"}})
RESULT = Unknown("web_search_tool_result", {"tool_use_id": "srvtoolu_ws_1", "content": []})


def replayed(*blocks: Unknown, box: Toolbox | None = None, available: bool = True) -> list[list[str] | None]:
    """The types of the items that each block becomes; None for one that becomes text."""
    replay = ServerToolReplay(Message("assistant", blocks), box or boxed(*TOOLS), Report(), available=available)
    made = [replay.items(block) for block in blocks]
    return [None if items is None else [item["type"] for item in items] for items in made]


def test_a_call_brings_its_result_along() -> None:
    """Which needs no item of its own, wherever it stands."""
    assert replayed(CALL, RESULT) == [["web_search_call"], []]
    assert replayed(RESULT, CALL) == [[], ["web_search_call"]]
    assert replayed(CALL) == [["web_search_call"]]


@pytest.mark.parametrize(
    "block",
    [
        RESULT,
        Unknown("server_tool_use", {"id": "srvtoolu_01AB", "name": "web_search", "input": {}}),
        Unknown("server_tool_use", {}),
        Unknown("compaction", {"content": "x"}),
        Unknown("web_search_tool_result", {"tool_use_id": 7}),
        Unknown("server_tool_use", {"id": "srvtoolu_ws_1", "input": "damaged"}),
    ],
)
def test_what_is_not_ours_is_no_item(block: Unknown) -> None:
    """Nor is a result whose call the client has left out."""
    assert replayed(block) == [None]


def test_a_damaged_call_takes_its_result_with_it() -> None:
    """A result in the place of its item's would be read by nobody."""
    damaged = Unknown("server_tool_use", {"id": "srvtoolu_ws_1", "input": "damaged"})

    assert replayed(damaged, RESULT) == [None, None]


def test_an_upstream_without_such_tools_gets_text() -> None:
    """It would refuse the items."""
    assert replayed(CALL, RESULT, available=False) == [None, None]


def test_a_model_that_cannot_search_gets_text() -> None:
    """Of a search that another model ran, while other calls are items for every model."""
    search = Unknown("server_tool_use", {"id": "srvtoolu_tsc_1", "name": "tool_search_tool_regex", "input": {}})

    foreign = Unknown("server_tool_use", {"id": "srvtoolu_01", "name": "tool_search_tool_bm25", "input": {}})
    found = Unknown("tool_search_tool_result", {"tool_use_id": "srvtoolu_01", "content": {"tool_references": []}})
    both = ["tool_search_call", "tool_search_output"]

    assert replayed(search, CALL) == [["tool_search_call"], ["web_search_call"]]
    assert replayed(foreign, found) == [both, []]
    assert replayed(foreign, found, box=boxed()) == [None, None]
    assert replayed(search, CALL, box=boxed(*TOOLS, native_search=False)) == [None, ["web_search_call"]]


def test_the_list_of_a_server() -> None:
    """Goes back as its item, whoever told it, as long as the server is there; then it is not asked again."""
    listed = Unknown("mcp_tool_listing", {"mcp_server_name": "The Wiki", "tools": [{"name": "ask"}]})
    gone = Unknown("mcp_tool_listing", {"mcp_server_name": "gone", "tools": [{"name": "ask"}]})

    assert replayed(listed, gone) == [["mcp_list_tools"], None]
    assert replayed(listed, available=False) == [None]


def test_other_blocks_are_shown_as_text() -> None:
    """With a word about each, and about what was left out of it."""
    report = Report()
    replay = ServerToolReplay(Message("assistant", ()), boxed(), report, available=True)
    found = {"type": "web_search_result", "url": "https://a", "encrypted_content": "gAAA" * 1000}
    result = Unknown("web_search_tool_result", {"tool_use_id": "srvtoolu_01", "content": [found, found]})

    text = replay.text(result, place("messages.1.content.2"))

    assert text.count("https://a") == 2
    assert len(text) < 300
    assert replay.text(Unknown("fallback", {"type": "fallback"}), place("messages.1.content.3")) == ""
    assert [(note.path, note.disposition) for note in report.notes] == [
        ("messages.1.content.2", Disposition.APPROXIMATED),
        ("messages.1.content.2.encrypted_content", Disposition.DROPPED),
        ("messages.1.content.3", Disposition.KEPT),
    ]
