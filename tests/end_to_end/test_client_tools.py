"""What the real Claude Code does with tools that are not everyday ones: `make client`."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any

import pytest

from stages.wire import json
from tests.support.claude import PATH, VERSIONS, Run
from tests.support.client_harness import ClientHarness, harness
from tests.support.directives import cue, script
from tests.support.readable import PDF
from tests.support.recorder import Exchange

pytestmark = pytest.mark.client

SERVER = Path(__file__).parent.parent / "support" / "mcp_server.py"
"""A small MCP server; the arguments name its tools."""

SCHEMA = {
    "type": "object",
    "properties": {"title": {"type": "string"}, "pages": {"type": "integer"}},
    "required": ["title", "pages"],
    "additionalProperties": False,
}


def results(run: Run) -> list[Any]:
    """What the tools answered, in order; none of it is an error, and the run has ended well."""
    blocks = run.blocks("user", "tool_result")
    assert not any(block.get("is_error") for block in blocks)
    assert run.final["is_error"] is False
    return [block["content"] for block in blocks]


def names(exchange: Exchange) -> list[str]:
    """The functions that a request declares."""
    return [tool["name"] for tool in exchange.request["tools"]]


def added(exchange: Exchange) -> list[str]:
    """The functions that its input adds on the way."""
    return [tool["name"] for item in exchange.input if item["type"] == "additional_tools" for tool in item["tools"]]


def called(exchange: Exchange) -> list[str]:
    """The functions that its input says were called."""
    return [item["name"] for item in exchange.input if item["type"] == "function_call"]


async def test_structured_output() -> None:
    """`--json-schema` is a tool of the client with the person's schema; what the model calls it with is the answer."""
    async with harness() as here:
        prompt = script("Name it.", cue("StructuredOutput", title="A tale", pages=3))
        run = await here.desk.ask(prompt, "--json-schema", json.encode(SCHEMA).decode())

        assert run.final["structured_output"] == {"title": "A tale", "pages": 3}
        assert results(run) == ["Structured output provided successfully"]
        (exchange,) = here.about("Name it.")
        (tool,) = [tool for tool in exchange.request["tools"] if tool["name"] == "StructuredOutput"]
        assert tool["parameters"]["properties"] == SCHEMA["properties"]
        assert "text" not in exchange.request
        here.audit()


@pytest.mark.parametrize("version", VERSIONS)
async def test_web_search(version: str) -> None:
    """The client's search is a request of its own that the upstream searches for; its pages come back as links."""
    async with harness(version) as here:
        found = [cue("ToolSearch", query="select:WebSearch", max_results=1)] if version == "latest" else []
        run = await here.desk.ask(script("Search.", *found, cue("WebSearch", query="what is a dragoman")))

        told = results(run)[-1]
        assert 'Links: [{"title":' in told
        for url in ("https://example.com/found/1", "https://example.org/found/2", "https://example.net/found/3"):
            assert f'"url":"{url}"' in told
        assert "This is what page 2 says" in told
        (search,) = here.about("Perform a web search")
        assert search.request["tools"] == [{"type": "web_search"}]
        assert search.request.get("tool_choice", "auto") == "auto"
        assert search.request["max_tool_calls"] == 8
        assert "web_search_call.action.sources" in search.request["include"]
        assert [item["type"] for item in search.output][-2:] == ["web_search_call", "message"]
        assert "Links: [" in here.about("Search.")[-1].input[-1]["output"]
        here.audit()


@pytest.mark.parametrize(("version", "inside"), [("latest", True), ("2.0.77", False), ("1.0.128", False)])
async def test_a_document_is_read(version: str, *, inside: bool) -> None:
    """A PDF that the client reads reaches the upstream as a file, byte for byte; older ones send it later on."""
    async with harness(version) as here:
        path = here.desk.work / "page.pdf"
        path.write_bytes(PDF)
        run = await here.desk.ask(script("Read it.", cue("Read", file_path=str(path))))

        assert "PDF file read" in str(results(run)[0])
        last = here.about("Read it.")[-1].input[-1]
        (file,) = [part for part in last["output" if inside else "content"] if part["type"] == "input_file"]
        assert file["file_data"] == f"data:application/pdf;base64,{base64.b64encode(PDF).decode()}"
        assert file["filename"].endswith(".pdf")
        here.audit()


def with_tools(here: ClientHarness, server: str, *tools: str) -> tuple[str, str]:
    """Put a server of these tools on the desk, and give the options that make the client start it."""
    python = shutil.which("python3", path=PATH)
    if python is None:
        pytest.skip("the client's path leads to no python3")
    program = here.desk.work / SERVER.name
    shutil.copyfile(SERVER, program)
    servers = {server: {"command": python, "args": [str(program), *tools]}}
    return "--mcp-config", json.encode({"mcpServers": servers}).decode()


async def test_a_tool_whose_name_is_too_long_for_the_upstream() -> None:
    """A name of 120 characters is shortened for the upstream, and its call finds the way back to the tool."""
    async with harness() as here:
        server, tool = "s" * 40, "t" * 73
        name = f"mcp__{server}__{tool}"
        prompt = script("Ring.", cue(name, what="a bell"))
        run = await here.desk.ask(prompt, *with_tools(here, server, tool), environment={"ENABLE_TOOL_SEARCH": "false"})

        assert len(name) == 120
        assert [block["name"] for block in run.blocks("assistant", "tool_use")] == [name]
        assert results(run) == [[{"type": "text", "text": f"heard of a bell in {tool}"}]]
        first, second = here.about("Ring.")
        (short,) = [declared for declared in names(first) if declared.startswith("mcp__")]
        assert len(short) == 64
        assert called(second) == [short]
        here.audit()


@pytest.mark.parametrize(("model", "in_place"), [("opus", True), ("gpt-5.6", False), ("gpt-5", False)])
async def test_tools_are_searched_for(model: str, *, in_place: bool) -> None:
    """Of sixty tools none goes upstream before it was searched for; then it can be called.

    Newer models are told of it where that happened, older ones behind the tools that they know.
    """
    async with harness() as here:
        found = ["mcp__many__tool_41", "mcp__many__tool_7"]
        steps = [
            cue("ToolSearch", query="select:" + ",".join(found), max_results=5),
            "+".join(cue(name, what=what) for name, what in zip(found, ("a bell", "a drum"), strict=True)),
            cue("ToolSearch", query="select:mcp__many__tool_3", max_results=5),
            cue("mcp__many__tool_3", what="a gong"),
        ]
        options = with_tools(here, "many", *(f"tool_{number}" for number in range(60)))
        run = await here.desk.ask(script("Play.", *steps), "--model", model, *options)

        told = [part["text"] for content in results(run) for part in content if part["type"] == "text"]
        heard = {"heard of a bell in tool_41", "heard of a drum in tool_7", "heard of a gong in tool_3"}
        assert heard <= set(told)
        exchanges = here.about("Play.")
        assert len(exchanges) == 5
        grown = [added(exchange) if in_place else names(exchange)[len(names(exchanges[0])) :] for exchange in exchanges]
        assert [set(late) for late in grown] == [
            set(),
            set(found),
            set(found),
            {*found, "mcp__many__tool_3"},
            {*found, "mcp__many__tool_3"},
        ]
        assert grown[-1][-1] == "mcp__many__tool_3"
        assert called(exchanges[-1]) == ["ToolSearch", *found, "ToolSearch", "mcp__many__tool_3"]
        assert not any(name.startswith(("mcp__", "Deferred")) for name in names(exchanges[0]))
        assert not in_place or len({tuple(names(exchange)) for exchange in exchanges}) == 1
        here.audit()
