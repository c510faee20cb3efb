"""MCP servers: two ways of asking for them, what may be called, and what is shown of a call."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.canonical.place import MESSAGES, TOOLS
from stages.canonical.report import Disposition, Report
from stages.canonical.request import Request, ServerTool
from stages.tools.server.mcp import (
    LISTING,
    MCP,
    forbidden,
    implied,
    label_of,
    list_item,
    mcp_complaints,
    pinned,
    servers,
)
from stages.tools.server.row import CallBlock, ClientNames, DeclarationContext, ResultBlock
from stages.wire import json
from tests.stages.strategies import OBJECTS, TEXTS

SERVER: dict[str, Any] = {"type": "url", "name": "wiki", "url": "https://w/mcp", "authorization_token": "secret"}
DECLARED: dict[str, Any] = {
    "type": "mcp",
    "server_label": "wiki",
    "server_url": "https://w/mcp",
    "authorization": "secret",
    "require_approval": "never",
}
CALL: dict[str, Any] = {
    "type": "mcp_call",
    "id": "mcp_1",
    "server_label": "wiki",
    "name": "ask",
    "arguments": '{"question":"why?"}',
    "output": "because",
    "error": None,
    "status": "completed",
}


def asking(*toolsets: dict[str, Any], listed: Any = (SERVER,)) -> Request:
    """A request with these servers and toolsets."""
    tools = tuple(ServerTool("mcp_toolset", None, {"type": "mcp_toolset", **body}) for body in toolsets)
    return Request("m", (), tools=tools, extra={"mcp_servers": list(listed) if isinstance(listed, tuple) else listed})


def declared(toolset: dict[str, Any], *, native_search: bool = False) -> tuple[Any, dict[str, Disposition]]:
    """What a toolset becomes, and what was reported."""
    request, report = asking({"mcp_server_name": "wiki", **toolset}), Report()
    tool = request.tools[0]
    assert isinstance(tool, ServerTool)
    made = MCP.declare(tool, DeclarationContext(request, native_search=native_search), TOOLS.at(0), report)
    return made, {note.path: note.disposition for note in report.notes}


def both(item: dict[str, Any], names: ClientNames | None = None) -> tuple[CallBlock, dict[str, Any]]:
    """The two blocks of a call."""
    call, result = MCP.to_blocks(item, names or ClientNames(), "").parts
    assert isinstance(call, CallBlock)
    assert isinstance(result, ResultBlock)
    return call, result.body


def back(item: dict[str, Any], names: ClientNames | None = None) -> Any:
    """The item as it comes back from a client."""
    call, result = both(item, names)
    return MCP.to_items({"id": call.id, "name": call.name, "input": call.input, "server_name": call.server}, result, {})


# -- what is asked -----------------------------------------------------------------------------------


def test_a_server_with_its_toolset() -> None:
    """Address and key go upstream, and nobody is asked for approval."""
    assert MCP.handles("mcp_toolset")
    assert declared({}) == (DECLARED, {})


@pytest.mark.parametrize(
    ("toolset", "allowed"),
    [
        ({"default_config": {"enabled": False}, "configs": {"a": {"enabled": True}, "b": {}}}, ["a"]),
        ({"configs": {"a": {"enabled": True}}}, None),
        ({"default_config": {"enabled": True}, "configs": {}}, None),
        ({"tools": [{"name": "a"}, {"name": "b"}], "configs": {"b": {"enabled": False}}}, ["a"]),
    ],
)
def test_what_may_be_called(toolset: dict[str, Any], allowed: list[str] | None) -> None:
    """Where the names that are allowed can be told, they are."""
    made, notes = declared(toolset)

    assert made.get("allowed_tools") == allowed
    assert notes == {}


@pytest.mark.parametrize(
    ("toolset", "names"),
    [
        ({"configs": {"a": {"enabled": False}, "b": {}}}, ["a"]),
        ({"configs": {"a": {"enabled": False}}, "tools": [{"name": "a"}]}, []),
        ({"configs": {"a": {"enabled": False}}, "default_config": {"enabled": False}}, []),
    ],
)
def test_a_tool_that_is_only_forbidden(toolset: dict[str, Any], names: list[str]) -> None:
    """The upstream knows no such list; all other names would have to be known."""
    assert forbidden(toolset) == names


PINNED = [{"name": "a", "description": "Asks.", "input_schema": {"type": "object"}}, {"name": "b"}]


def test_a_list_that_comes_along() -> None:
    """Is the server's own list, in the upstream's words, with the same id each time; without one there is no item."""
    (item,) = pinned(asking({"mcp_server_name": "wiki", "tools": PINNED}, {"mcp_server_name": "other"}))

    assert item == {
        "type": "mcp_list_tools",
        "id": item["id"],
        "server_label": "wiki",
        "tools": [
            {"name": "a", "description": "Asks.", "input_schema": {"type": "object"}, "annotations": None},
            {"name": "b", "description": None, "input_schema": {}, "annotations": None},
        ],
        "error": None,
    }
    assert item["id"].startswith("mcpl_")
    assert item == list_item({"type": LISTING, "mcp_server_name": "wiki", "tools": PINNED})


def test_a_list_in_the_middle_of_a_conversation() -> None:
    """Cannot lead it: that would move all that was cached."""
    request, report = asking({"mcp_server_name": "wiki", "tools": PINNED}), Report()
    tool = request.tools[0]
    assert isinstance(tool, ServerTool)
    MCP.declare(tool, DeclarationContext(request), MESSAGES.at(1), report)

    assert [(note.path, note.disposition) for note in report.notes] == [
        ("messages.1.tools", Disposition.APPROXIMATED),
    ]


def test_a_server_without_allowed_tools_is_not_declared() -> None:
    """Nothing of it may be called."""
    assert declared({"default_config": {"enabled": False}}) == (None, {})


def test_a_servers_tools_are_found_by_a_search() -> None:
    """All or none, and only where there is a search."""
    deferred = {"default_config": {"defer_loading": True}, "configs": {"a": {"defer_loading": False}, "b": {}}}

    assert declared(deferred, native_search=True) == (
        {**DECLARED, "defer_loading": True},
        {"tools.0.configs.a.defer_loading": Disposition.APPROXIMATED},
    )
    assert declared({"default_config": {"defer_loading": True}}) == (
        DECLARED,
        {"tools.0.default_config.defer_loading": Disposition.APPROXIMATED},
    )


def test_a_toolset_of_no_server() -> None:
    """The decoder complains about it; who comes here all the same, loses it."""
    assert declared({"mcp_server_name": "gone"}) == (None, {"tools.0": Disposition.DROPPED})


@pytest.mark.parametrize(
    ("configuration", "made"),
    [
        (None, [DECLARED]),
        ({"enabled": True, "allowed_tools": None}, [DECLARED]),
        ({"allowed_tools": ["ask", 7]}, [{**DECLARED, "allowed_tools": ["ask"]}]),
        ({"allowed_tools": []}, []),
        ({"enabled": False}, []),
    ],
)
def test_the_first_way_of_asking(configuration: Any, made: list[Any]) -> None:
    """Without a toolset each server stands for itself, with its own configuration."""
    assert implied(asking(listed=({**SERVER, "tool_configuration": configuration},))) == made


def test_with_toolsets_nothing_is_implied() -> None:
    """They say all there is to say; and where there is no server, there is nothing."""
    assert implied(asking({"mcp_server_name": "wiki"})) == []
    assert implied(Request("m", ())) == []
    assert servers(asking(listed="x")) == []


def test_a_server_without_a_key() -> None:
    """Is declared without one."""
    assert "authorization" not in implied(asking(listed=({"name": "a", "url": "https://a"},)))[0]


@pytest.mark.parametrize(
    ("request_", "complaint"),
    [
        (asking(listed={}), "mcp_servers: Input should be a valid list"),
        (asking(listed=("x",)), "mcp_servers.0.name: Field required"),
        (asking(listed=({"url": "https://a"},)), "mcp_servers.0.name: Field required"),
        (asking(listed=({"name": "a", "url": 7},)), "mcp_servers.0.url: Field required"),
        (
            asking(listed=(SERVER, SERVER)),
            "mcp_servers: MCP server names must be unique; 'wiki' is used more than once",
        ),
        (
            asking({"mcp_server_name": "wiki"}, {"mcp_server_name": "wiki"}),
            "mcp_servers: MCP server 'wiki' must be referenced by exactly one mcp_toolset in tools",
        ),
        (
            asking({"mcp_server_name": "a"}, listed=(SERVER, {"name": "a", "url": "https://a"})),
            "mcp_servers: MCP server 'wiki' must be referenced by exactly one mcp_toolset in tools",
        ),
        (
            asking({"mcp_server_name": "wiki"}, {"mcp_server_name": "gone"}),
            "tools: MCP server 'gone' not found in mcp_servers",
        ),
    ],
)
def test_what_is_wrong_is_said(request_: Request, complaint: str) -> None:
    """The first complaint names the place."""
    assert next(mcp_complaints(request_)) == complaint


@pytest.mark.parametrize(
    "request_", [asking(), asking({"mcp_server_name": "wiki"}), Request("m", ()), asking(listed=())]
)
def test_what_is_right_is_not_complained_about(request_: Request) -> None:
    """Both ways of asking, and not asking at all."""
    assert list(mcp_complaints(request_)) == []


# -- what is shown -----------------------------------------------------------------------------------


def test_a_call_and_its_answer() -> None:
    """The server is called what the client called it."""
    call, result = both(CALL, ClientNames(servers={"wiki": "The Wiki"}))

    assert call == CallBlock("mcptoolu_mcp_1", "ask", {"question": "why?"}, "The Wiki")
    assert result == {
        "type": "mcp_tool_result",
        "tool_use_id": "mcptoolu_mcp_1",
        "is_error": False,
        "content": [{"type": "text", "text": "because"}],
    }


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ({"type": "http_error", "code": 424, "message": "424: "}, "424: "),
        ({"type": "mcp_tool_execution_error", "content": [{"type": "text", "text": "no"}]}, "no"),
        ({"type": "mcp_protocol_error", "code": 1}, "mcp_protocol_error"),
        ("broken", "broken"),
        (None, "The call failed."),
    ],
)
def test_errors_are_said_in_words(error: Any, words: str) -> None:
    """Whatever form the upstream gives them; and as an error they come back."""
    item = {**CALL, "error": error, "output": None, "status": "failed"}
    _, result = both(item)

    assert (result["is_error"], result["content"]) == (True, [{"type": "text", "text": words}])
    assert back(item)[0]["error"] == {
        "type": "mcp_tool_execution_error",
        "content": [{"type": "text", "text": words}],
    }


@pytest.mark.parametrize("arguments", [None, "", "[1]", "{", 7])
def test_arguments_that_are_no_object(arguments: Any) -> None:
    """A client reads an object, if an empty one."""
    assert both({**CALL, "arguments": arguments})[0].input == {}


def test_an_empty_answer_has_no_text() -> None:
    """Anthropic's has an empty list then."""
    assert both({**CALL, "output": ""})[1]["content"] == []


@given(OBJECTS, st.text(max_size=20), st.sampled_from(["wiki", "The Wiki", "ö", "x" * 80]))
def test_a_call_comes_back_as_it_was(arguments: dict[str, Any], output: str, name: str) -> None:
    """Id, server, tool, arguments and answer survive the way through the client."""
    written = json.encode(arguments).decode()
    item = {**CALL, "server_label": label_of(name), "arguments": written, "output": output}

    assert back(item, ClientNames(servers={label_of(name): name})) == [item]


@pytest.mark.parametrize(
    "call",
    [
        {},
        {"id": "mcptoolu_01AB", "name": "a", "input": {}},
        {"id": "mcptoolu_mcp_1", "name": "a", "input": None},
        {"id": "mcptoolu_mcp_1", "input": {}},
    ],
)
def test_another_services_call_is_no_item(call: dict[str, Any]) -> None:
    """It has no id that the upstream knows, or says too little."""
    assert MCP.to_items(call, None, {}) is None


def test_an_answer_may_come_back_as_a_string() -> None:
    """The API takes one for the list of texts."""
    call = {"id": "mcptoolu_mcp_1", "name": "ask", "input": {"question": "why?"}, "server_name": "wiki"}

    assert MCP.to_items(call, {"content": "because"}, {}) == [CALL]


@given(TEXTS, TEXTS)
def test_labels_are_what_the_upstream_takes(one: str, other: str) -> None:
    """They begin with a letter, and two names never become one."""
    label = label_of(one)

    assert label[0].isascii()
    assert label[0].isalpha()
    assert len(label) <= 64
    assert (label == label_of(other)) == (one == other)
    assert label_of(label) == label
