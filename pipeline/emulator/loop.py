"""The tool loop: where in a conversation a request stands, and what it offers.

The emulator keeps no conversation.  Whoever asks sends the whole of it each time, so the prompt that is being worked
on, and how much of it is done, are read from `input` alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from attrs import field, frozen

_SIDE_REQUEST = re.compile(r"<(system-reminder|command-args)>.*?(?:</\1>|\Z)", re.DOTALL)
# What a client says about its surroundings, and what was told to a command that it has carried out itself.
_MAX_NAME = 64
_CALLS = frozenset({"function_call", "custom_tool_call"})


@frozen
class PromptTurn:
    """The prompt being worked on (without what a client says for itself), and how many tool results came since."""

    prompt: str = field(repr=False)
    results: int


def items(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the input as a list of items, also where it was sent as one string."""
    sent = request.get("input")
    if isinstance(sent, str):
        return [{"type": "message", "role": "user", "content": sent}]
    return [item for item in sent or [] if isinstance(item, dict)]


def current_turn(request: dict[str, Any], marker: str = "[[") -> PromptTurn:
    """Find the prompt that the model has to answer now.

    Walks back to the last final answer.  Of the user texts on the way the last one holding `marker` is the prompt,
    since clients put texts of their own behind tool results; without any, the last text is.
    """
    results, chosen, fallback = 0, None, PromptTurn("", 0)
    for item in _since_last_answer(items(request)):
        if item.get("type") == "function_call_output":
            results += 1
        elif item.get("role") == "user":
            texts = [_SIDE_REQUEST.sub("", text) for text in _texts(item)]
            prompt = next((text for text in reversed(texts) if marker in text), None)
            if prompt is not None:
                chosen = PromptTurn(prompt, results)
                break
            fallback = fallback if fallback.prompt else PromptTurn("\n".join(texts), results)
    return chosen or fallback


def _since_last_answer(sent: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Go backwards to the last assistant message that no call follows: that one was a final answer."""
    called = False
    for item in reversed(sent):
        if item.get("role") == "assistant" and not called:
            return
        if item.get("type") in _CALLS:
            called = True
        elif item.get("role") == "user":
            called = False
        yield item


def _texts(item: dict[str, Any]) -> list[str]:
    content = item.get("content")
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content or [] if isinstance(part.get("text"), str)]


def offered(request: dict[str, Any]) -> list[dict[str, Any]]:
    """List the functions that may be called: those of the request, and those added by items of the input.

    The newest of a name counts; a choice of allowed tools leaves out all others.
    """
    functions = {
        tool["name"]: tool
        for tool in declared(request)
        if tool.get("type") == "function" and not tool.get("defer_loading")
    }
    allowed = allowed_tools(request)
    if allowed is None:
        return list(functions.values())
    names = {tool.get("name") for tool in allowed if tool.get("type") == "function"}
    return [tool for name, tool in functions.items() if name in names]


def declared(request: dict[str, Any]) -> list[dict[str, Any]]:
    """List all tools of a request, and of items of its input that add some."""
    added = (item for item in items(request) if item.get("type") in ("additional_tools", "tool_search_output"))
    return [tool for source in (request, *added) for tool in source.get("tools") or []]


def allowed_tools(request: dict[str, Any]) -> list[dict[str, Any]] | None:
    """List the tools that a request allows, as its choice names them; None where it allows all."""
    choice = request.get("tool_choice")
    return choice["tools"] if isinstance(choice, dict) and choice.get("type") == "allowed_tools" else None


def find_tool(request: dict[str, Any], name: str) -> dict[str, Any] | None:
    """Find an offered function by its name, also where a proxy had to shorten that name to fit into 64 characters."""
    tools = offered(request)
    exact = next((tool for tool in tools if tool["name"] == name), None)
    if exact is not None or len(name) <= _MAX_NAME:
        return exact
    return next((tool for tool in tools if _alike(tool["name"], name)), None)


def _alike(shortened: str, name: str) -> bool:
    """Tell whether one name may be the other's short form: half of what fits is the same, the rest may be a hash."""
    return shortened.startswith(name[: _MAX_NAME // 2])


def effort(request: dict[str, Any]) -> str:
    """Tell the reasoning effort in force: the last `configuration_update` wins; `none` where nobody said."""
    sources = [request, *(item for item in items(request) if item.get("type") == "configuration_update")]
    said = [value for source in sources if (value := (source.get("reasoning") or {}).get("effort"))]
    return str(said[-1]) if said else "none"
