"""What tools and the choice among them must satisfy."""

from __future__ import annotations

from typing import Any

import pytest

from tests.stages.decoder.bodies import THINKING, TOOL, body, refused, taken
from tests.support.cases import cases

BASH = {"type": "bash_20250124", "name": "bash"}
SEARCH = {"type": "web_search_20250305", "name": "web_search"}
BROWSER: dict[str, Any] = {"type": "browser_toolset_20260801"}
COMPUTER: dict[str, Any] = {"type": "computer_toolset_20260801"}
ENABLED = {"javascript_exec": {"enabled": True}}
UNIQUE = "tools: Tool names must be unique."


def named(name: str, **fields: Any) -> dict[str, Any]:
    """A tool of the client's own."""
    return {**TOOL, "name": name, **fields}


@cases(
    ("tools", "message"),
    [
        ([TOOL, TOOL], UNIQUE),
        ([BASH, named("bash")], UNIQUE),
        ([named("web_search"), SEARCH], UNIQUE),
        ([BASH, {**BASH, "type": "bash_20241022"}], UNIQUE),
        ([BROWSER, BROWSER], UNIQUE),
        ([BROWSER, named("browser")], UNIQUE),
        ([COMPUTER, {"type": "computer_20251124", "name": "computer"}], UNIQUE),
        ([BROWSER, named("browser__screenshot")], UNIQUE),
        ([{**BASH, "name": "shell"}], "tools.0.bash_20250124.name: Input should be 'bash'"),
        (
            [TOOL, {**BROWSER, "configs": {"zoom_in": {"enabled": True}}}],
            "tools.1.browser_toolset_20260801.configs.zoom_in: Extra inputs are not permitted",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_wrong_with_tools(tools: list[dict[str, Any]], message: str) -> None:
    """A call must belong to one declaration; the last of those with one name is a name that we give ourselves."""
    assert refused(body(tools=tools)).message == message


@pytest.mark.parametrize(
    "tools",
    [
        [BROWSER, COMPUTER, BASH, SEARCH, TOOL],
        [BROWSER, named("screenshot"), named("left_click")],
        [{**BROWSER, "configs": ENABLED}],
        [{"type": "from_the_future_20301231", "name": "x"}],
        [named("not a name for Anthropic: it is mended")],
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_may_stand_together(tools: list[dict[str, Any]]) -> None:
    """A client's tool may have the name of a toolset's member; entries without a name do not collide."""
    assert len(taken(body(tools=tools)).tools) == len(tools)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tools": [TOOL], "tool_choice": {"type": "tool"}}, "tool_choice.tool.name: Field required"),
        ({"tool_choice": {"type": "auto"}}, "tool_choice: tool_choice may only be specified while providing tools."),
        ({"tool_choice": {"type": "any"}}, "tool_choice: tool_choice may only be specified while providing tools."),
        (
            {"tool_choice": {"type": "tool", "name": "f"}},
            "tool_choice: tool_choice may only be specified while providing tools.",
        ),
        ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "g"}}, "Tool 'g' not found in provided tools"),
        (
            {"tools": [BROWSER], "tool_choice": {"type": "tool", "name": "screenshot"}},
            "Tool 'screenshot' not found in provided tools",
        ),
        (
            {"tools": [{**BROWSER, "name": "browser"}], "tool_choice": {"type": "tool", "name": "browser"}},
            "Tool 'browser' not found in provided tools",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_wrong_with_a_choice(fields: dict[str, Any], message: str) -> None:
    """What is not there cannot be forced, and neither a toolset nor one of its members may be."""
    assert refused(body(**fields)).message == message


@cases("parallel", [{}, {"disable_parallel_tool_use": True}])
@cases(
    "fields",
    [
        {"tool_choice": {"type": "none"}},
        {"tools": [TOOL], "tool_choice": {"type": "none"}},
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f"}},
        {"tools": [BASH], "tool_choice": {"type": "tool", "name": "bash"}},
        {"tools": [SEARCH], "tool_choice": {"type": "any"}},
        {"tools": [BROWSER], "tool_choice": {"type": "any"}},
        {"tools": [named("f", defer_loading=True)], "tool_choice": {"type": "tool", "name": "f"}},
        {"tools": [TOOL], "tool_choice": {"type": "any"}, "thinking": THINKING, "max_tokens": 4096},
        {"tools": [TOOL], "tool_choice": {"type": "tool", "name": "f"}, "thinking": {"type": "adaptive"}},
    ],
    ids=str,
)
def test_what_may_be_chosen(fields: dict[str, Any], parallel: dict[str, bool]) -> None:
    """Also a tool that is not loaded yet; and a forced call with thinking, which the upstream can do."""
    choice = {**fields["tool_choice"], **parallel}

    assert taken(body(**{**fields, "tool_choice": choice})).tool_choice is not None


TOOLSETS = [{"type": "mcp_toolset", "mcp_server_name": name} for name in ("a", "b")]
SERVERS = [{"type": "url", "name": name, "url": "https://mcp"} for name in ("a", "b")]


def test_servers_and_their_toolsets_belong_together() -> None:
    """Each server has one toolset, or none of them has; and no toolset is without its server."""
    must = "must be referenced by exactly one mcp_toolset in tools"

    assert len(taken(body(tools=TOOLSETS, mcp_servers=SERVERS)).tools) == 2
    assert taken(body(mcp_servers=SERVERS, tool_choice={"type": "any"})).tools == ()
    assert refused(body(tools=TOOLSETS[:1], mcp_servers=SERVERS)).message == f"mcp_servers: MCP server 'b' {must}"
    assert refused(body(tools=TOOLSETS)).message == "tools: MCP server 'a' not found in mcp_servers"
