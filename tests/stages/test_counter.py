"""Counting a whole request: each part adds what it should, and recorded requests come out as the upstream charged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stages.canonical.request import (
    ContentBlock,
    Message,
    OutputConfig,
    Request,
    Role,
    ServerTool,
    Text,
    Tool,
    ToolReference,
    ToolResult,
    ToolUse,
)
from stages.counter import ANSWER, FORMAT, MESSAGE, SAID, TOOL_LIST, Tokens, estimate, prompt_tokens
from stages.counter.blocks import CALL, RESULT
from stages.counter.signatures import HEAD
from stages.tools.client import functions_of

HELLO = Message("user", (Text("hello there"),))


def words(text: str) -> int:
    """Count words: a vocabulary that can be checked by eye."""
    return len(text.split())


def asking(*messages: Message, **more: Any) -> Request:
    """Make a request of these messages."""
    return Request("claude-opus-5-5", messages or (HELLO,), **more)


def test_a_message_costs_its_text_and_its_borders() -> None:
    """The smallest request is one message and the opening of the answer."""
    assert prompt_tokens(asking(), words) == ANSWER + MESSAGE + 2


def test_the_models_own_texts_are_items_of_their_own() -> None:
    """An assistant's message becomes one item a text, each with a channel in its border."""
    said = Message("assistant", (Text("one"), Text("two three")))

    assert prompt_tokens(asking(HELLO, said), words) - prompt_tokens(asking(), words) == 2 * (MESSAGE + SAID) + 3


def test_the_system_prompt_is_one_item() -> None:
    """All system blocks share one border, and an emptied billing header costs nothing since it is not sent."""
    system = (Text(""), Text("be kind"), Text("be brief"))

    assert prompt_tokens(asking(system=system, billing=(0,)), words) - prompt_tokens(asking(), words) == MESSAGE + 4
    assert prompt_tokens(asking(system=system[:1], billing=(0,)), words) == prompt_tokens(asking(), words)


def test_a_call_and_its_result() -> None:
    """A call costs name and arguments, a result what is in it, each with its own borders and no message's."""
    call = Message("assistant", (ToolUse("toolu_1", "read", {"path": "a b"}),))
    result = Message("user", (ToolResult("toolu_1", (Text("three little words"),)),))

    assert (
        prompt_tokens(asking(HELLO, call, result), words) - prompt_tokens(asking(), words) == CALL + 1 + 2 + RESULT + 3
    )


def test_text_between_results_makes_messages() -> None:
    """Text before and after a result are two items, as the mapper makes them."""
    mixed = Message("user", (Text("a"), Text("b"), ToolResult("t", ()), Text("c")))

    assert prompt_tokens(asking(mixed), words) == ANSWER + 2 * MESSAGE + RESULT + 3


def test_tools_cost_their_signature() -> None:
    """A tool costs what the model reads of it, and the list its frame."""
    tool = Tool("read", {"type": "object", "properties": {"path": {"type": "string"}}}, "Reads a file.")

    more = prompt_tokens(asking(tools=(tool,)), words) - prompt_tokens(asking(), words)

    assert more == TOOL_LIST + words(HEAD) + words("// Reads a file. type read = (_: { path?: string, }) => any;")


def test_a_deferred_tool_costs_once_it_was_referred_to() -> None:
    """What the model has not been shown is not charged."""
    tool = Tool("deep", {"type": "object"}, "A tool.", defer_loading=True)
    call = Message("assistant", (ToolUse("t", "ToolSearch", {}),))
    found = Message("user", (ToolResult("t", (ToolReference("deep"),)),))

    assert prompt_tokens(asking(tools=(tool,)), words) == prompt_tokens(asking(), words)
    assert prompt_tokens(asking(HELLO, call, found, tools=(tool,)), words) > prompt_tokens(
        asking(HELLO, call, found), words
    )


def test_a_client_tool_of_anthropics_costs_what_it_becomes() -> None:
    """The model reads a function, or as many as a toolset has, none of which waits to be referred to."""
    bash = ServerTool("bash_20250124", "bash", {"type": "bash_20250124", "name": "bash"})
    late = {name: {"defer_loading": True} for name in ("key", "wait")}
    desktop = ServerTool("computer_toolset_20260801", None, {"type": "computer_toolset_20260801", "configs": late})
    function = functions_of(bash)
    assert function is not None

    assert prompt_tokens(asking(tools=(bash,)), words) == prompt_tokens(asking(tools=tuple(function)), words)
    assert prompt_tokens(asking(tools=(desktop,)), words) > 17 * 5 + prompt_tokens(asking(), words)


def test_a_server_tool_costs_its_declaration() -> None:
    """Of tools that Anthropic defines, the declaration is all we know."""
    tool = ServerTool("web_search_20250305", "web_search", {"type": "web_search_20250305", "name": "web search tool"})

    assert prompt_tokens(asking(tools=(tool,)), words) - prompt_tokens(asking(), words) == TOOL_LIST + words(HEAD) + 3


def test_an_answers_schema_costs() -> None:
    """The schema that an answer must fit is read by the model too."""
    config = OutputConfig(format={"type": "json_schema", "schema": {"type": "object", "title": "a b c"}})

    assert prompt_tokens(asking(output_config=config), words) - prompt_tokens(asking(), words) == FORMAT + 3
    assert prompt_tokens(asking(output_config=OutputConfig(effort="high")), words) == prompt_tokens(asking(), words)


def test_a_longer_conversation_never_counts_less() -> None:
    """The counts of a conversation's turns only grow."""
    turns = [HELLO, Message("assistant", (Text("hi"),)), HELLO, Message("system", (Text("note"),))]
    counts = [prompt_tokens(asking(*turns[:length]), words) for length in range(1, len(turns) + 1)]

    assert counts == sorted(set(counts))


# -- against what was charged ----------------------------------------------------------------------------------------


def exact() -> Tokens:
    """Give the exact vocabulary, or skip where the extra `offline` is not installed."""
    toktok = pytest.importorskip("toktok")
    return lambda text: int(toktok.batch_count([text], "o200k_base", threads=1)[0])


def recorded(shared: Path) -> list[tuple[str, Request, int]]:
    """List the recorded requests of gpt-5 and later that are texts, functions, calls and results, with their charge."""
    found = []
    for path in sorted((shared / "recordings" / "openai").glob("*/*.json")):
        recording = json.loads(path.read_text(encoding="utf-8"))
        request, body = recording.get("request"), recording.get("body")
        usage = body.get("usage") if isinstance(body, dict) else None
        if (
            not usage
            or not isinstance(request, dict)
            or not str(request.get("model", "")).startswith(("gpt-5", "gpt-6"))
        ):
            continue
        canonical = canonical_of(request)
        if canonical is not None:
            found.append((path.name, canonical, usage["input_tokens"]))
    return found


def canonical_of(request: dict[str, Any]) -> Request | None:
    """Turn a plain Responses request into the canonical one; None when there is more in it than we turn here."""
    known = {"model", "input", "instructions", "tools", "stream", "store", "reasoning", "include", "max_output_tokens"}
    if set(request) - known or any(tool.get("type") != "function" for tool in request.get("tools") or ()):
        return None
    items = request["input"]
    items = [{"role": "user", "content": items}] if isinstance(items, str) else items
    messages = [message_of(item) for item in items]
    if any(message is None for message in messages):
        return None
    tools = tuple(Tool(t["name"], t.get("parameters") or {}, t.get("description")) for t in request.get("tools") or ())
    system = (Text(request["instructions"]),) if request.get("instructions") else ()
    return Request(request["model"], tuple(filter(None, messages)), system=system, tools=tools)


def message_of(item: dict[str, Any]) -> Message | None:
    """Turn one item into a message; None for anything but text."""
    if item.get("type", "message") != "message":
        return None
    roles: dict[str, Role] = {"developer": "system", "system": "system", "assistant": "assistant", "user": "user"}
    content = item["content"]
    parts = [{"text": content}] if isinstance(content, str) else content
    if not all(isinstance(part.get("text"), str) for part in parts):
        return None
    blocks: tuple[ContentBlock, ...] = tuple(Text(part["text"]) for part in parts)
    return Message(roles[item["role"]], blocks)


def test_recorded_texts_count_exactly(shared: Path) -> None:
    """Requests of texts alone come out to the token as gpt-5 and later models charged them, with few exceptions."""
    tokens = exact()
    texts = [(name, request, charged) for name, request, charged in recorded(shared) if not request.tools]
    off = [
        (name, prompt_tokens(request, tokens), charged)
        for name, request, charged in texts
        if prompt_tokens(request, tokens) != charged
    ]

    assert len(texts) >= 20
    assert off == []


def test_recorded_tools_count_nearly(shared: Path) -> None:
    """Requests with functions come out within 3 tokens of the charge, nearly all of them."""
    tokens = exact()
    tools = [(request, charged) for _, request, charged in recorded(shared) if request.tools]
    near = [abs(prompt_tokens(request, tokens) - charged) <= 3 for request, charged in tools]

    assert len(near) >= 10
    assert sum(near) / len(near) >= 0.9


def test_without_a_vocabulary_recorded_texts_are_near(shared: Path) -> None:
    """The estimate of all recorded requests together is within a tenth of what was charged for them."""
    requests = recorded(shared)
    charged = sum(charge for _, _, charge in requests)

    assert abs(sum(prompt_tokens(request, estimate) for _, request, _ in requests) / charged - 1) < 0.1
