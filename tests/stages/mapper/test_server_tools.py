"""The tools of a request that the upstream runs itself."""

from __future__ import annotations

from typing import Any

import pytest

from stages.canonical.report import Disposition, Report
from stages.canonical.request import AnyTool, Caller, Request, ServerTool, Tool
from stages.mapper import Target, map_request
from stages.mapper.server_tools import DeclaredServerTools, declare_server_tools, is_searched

SERVER = {"type": "url", "name": "The Wiki", "url": "https://w", "authorization_token": "secret"}


def server(kind: str, **body: Any) -> ServerTool:
    """A server tool of this type, named as Anthropic names it."""
    name = None if kind == "mcp_toolset" else kind.rsplit("_", 1)[0]
    return ServerTool(kind, name, {"type": kind, "name": name, **body})


SEARCH = server("web_search_20250305")
CODE = server("code_execution_20250825")
FIND = server("tool_search_tool_bm25_20251119")
FETCH = server("web_fetch_20250910")
WIKI = server("mcp_toolset", mcp_server_name="The Wiki")


def hosted(
    *tools: AnyTool, available: bool = True, native_search: bool = True, **extra: Any
) -> tuple[DeclaredServerTools, list[tuple[str, Disposition]]]:
    """Declare the hosted tools; return them and what was reported."""
    report = Report()
    made = declare_server_tools(
        Request("m", (), tools=tools, extra=extra), report, available=available, native_search=native_search
    )
    return made, [(note.path, note.disposition) for note in report.notes]


def kinds(made: DeclaredServerTools) -> list[str]:
    """What is declared, by type."""
    return [declared["type"] for declared in made.declared]


def test_every_kind_is_declared_in_the_clients_order() -> None:
    """Under the client's names, with what must be asked for besides."""
    made, notes = hosted(CODE, SEARCH, WIKI, FIND, mcp_servers=[SERVER])

    assert kinds(made) == ["code_interpreter", "web_search", "mcp", "tool_search"]
    assert made.names == {
        "code_interpreter": "code_execution",
        "web_search": "web_search",
        "mcp": "",
        "tool_search": "tool_search_tool_bm25",
    }
    assert list(made.servers.values()) == ["The Wiki"]
    assert made.include == ["code_interpreter_call.outputs", "web_search_call.action.sources"]
    assert notes == []
    assert "secret" not in repr(made)


def test_a_tool_without_a_name_has_its_types() -> None:
    """Its calls must be called something."""
    nameless = ServerTool("tool_search_tool_regex_20251119", None, {})

    assert hosted(nameless)[0].names == {"tool_search": "tool_search_tool_regex"}


def test_a_kind_is_declared_once() -> None:
    """Two searches are one upstream; servers are as many as there are."""
    second = {**SERVER, "name": "b"}
    made, _ = hosted(
        SEARCH, server("web_search_20260209"), WIKI, server("mcp_toolset", mcp_server_name="b"),
        mcp_servers=[SERVER, second],
    )  # fmt: skip

    assert kinds(made) == ["web_search", "mcp", "mcp"]


def test_servers_without_toolsets_stand_for_themselves() -> None:
    """As clients asked at first."""
    made, notes = hosted(mcp_servers=[SERVER])

    assert kinds(made) == ["mcp"]
    assert (made.names, notes) == ({"mcp": ""}, [])


def test_a_server_that_has_nothing_to_call() -> None:
    """Is not declared, and its items would not be understood."""
    made, _ = hosted(server("mcp_toolset", mcp_server_name="The Wiki", default_config={"enabled": False}),
                     mcp_servers=[SERVER])  # fmt: skip

    assert (made.declared, made.names, made.servers) == ([], {}, {})


def test_an_upstream_without_tools_of_its_own() -> None:
    """All that it cannot do is reported; a search among tools becomes their plain declaration."""
    made, notes = hosted(SEARCH, CODE, WIKI, FIND, mcp_servers=[SERVER], available=False)

    assert made == DeclaredServerTools()
    assert sorted(notes) == [
        ("mcp_servers", Disposition.DROPPED),
        ("tools.0", Disposition.DROPPED),
        ("tools.1", Disposition.DROPPED),
        ("tools.2", Disposition.DROPPED),
        ("tools.3", Disposition.APPROXIMATED),
    ]


def test_a_model_that_cannot_search_among_tools() -> None:
    """It gets them all."""
    made, notes = hosted(FIND, native_search=False)

    assert (made, notes) == (DeclaredServerTools(), [("tools.0", Disposition.APPROXIMATED)])


def test_pages_are_opened_by_the_search() -> None:
    """Without one it is declared for that, under the client's name; the client's own tools are nothing of ours."""
    assert hosted(SEARCH, FETCH, server("bash_20250124"), Tool("a", {}))[1] == [("tools.1", Disposition.APPROXIMATED)]
    made, notes = hosted(FETCH, server("later_20270101"))

    assert notes == [("tools.0", Disposition.APPROXIMATED), ("tools.1", Disposition.DROPPED)]
    assert [tool["type"] for tool in made.declared] == ["web_search"]
    assert made.forced(FETCH.name, alone=True) == "required"


def test_pages_are_read_where_they_were_allowed() -> None:
    """The search is held to the same domains."""
    made, _ = hosted(server("web_fetch_20250910", allowed_domains=["example.com"]))

    assert made.declared == [{"type": "web_search", "filters": {"allowed_domains": ["example.com"]}}]


def test_a_server_without_a_search_reads_no_pages() -> None:
    """There is no counterpart then, and strict mode refuses it in either case."""
    assert hosted(FETCH, available=False) == (DeclaredServerTools(), [("tools.0", Disposition.DROPPED)])


@pytest.mark.parametrize(
    ("tools", "limit", "notes"),
    [
        ((server("web_search_20250305", max_uses=3),), 3, []),
        ((server("web_search_20250305", max_uses=0),), 1, []),
        ((server("web_search_20250305", max_uses="3"),), None, []),
        ((SEARCH,), None, []),
        (
            (SEARCH, server("web_fetch_20250910", max_uses=7)),
            None,
            [("tools.1", Disposition.APPROXIMATED), ("tools.1.max_uses", Disposition.DROPPED)],
        ),
        (
            (server("web_fetch_20250910", max_uses=7),),
            7,
            [("tools.0", Disposition.APPROXIMATED), ("tools.0.max_uses", Disposition.TRANSLATED)],
        ),
        ((server("web_search_20250305", max_uses=3), CODE), None, [("tools.0.max_uses", Disposition.DROPPED)]),
    ],
)
def test_searches_are_limited_where_they_can_be(
    tools: tuple[ServerTool, ...], limit: int | None, notes: list[tuple[str, Disposition]]
) -> None:
    """The upstream's limit counts the calls of all tools, so one for the searches alone would hinder others."""
    made, reported = hosted(*tools)

    assert (made.limit, reported) == (limit, notes)


@pytest.mark.parametrize(
    ("name", "alone", "forced"),
    [
        ("web_search", True, "required"),
        (
            "web_search",
            False,
            {"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]},
        ),
        ("code_execution", True, "required"),
        ("code_execution", False, {"type": "code_interpreter"}),
        ("tool_search_tool_bm25", False, None),
        ("", False, None),
        (None, True, None),
        ("other", True, None),
    ],
)
def test_how_a_hosted_tool_is_forced(name: str | None, alone: bool, forced: Any) -> None:
    """By its type, or by allowing nothing else; a search for tools cannot be, and a server's tools are not named."""
    assert hosted(SEARCH, CODE, WIKI, FIND, mcp_servers=[SERVER])[0].forced(name, alone=alone) == forced


def test_who_searches_among_tools() -> None:
    """Only a tool of the server's says so; Claude Code's own search is a function."""
    assert is_searched(Request("m", (), tools=(Tool("ToolSearch", {}), FIND)))
    assert not is_searched(Request("m", (), tools=(Tool("ToolSearch", {}), SEARCH)))


def test_keys_of_servers_are_in_no_repr() -> None:
    """Neither of what came, nor of what is sent (law 7)."""
    request = Request("m", (), tools=(WIKI,), extra={"mcp_servers": [SERVER]})
    mapped = map_request(request, Caller(), Target(), message_id="msg_1")

    assert mapped.body["tools"][0]["authorization"] == "secret"
    assert "secret" not in repr((request, mapped))
