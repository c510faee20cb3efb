"""What was said before a call, by who said it: the addresses in it are those that a model may ask for.

Source: `WebFetchURLSourcesParam` of the Anthropic SDK 2.14; what the model itself wrote is no source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from stages.canonical.request import JsonObject
from stages.tools.hosted.row import HostedCall
from stages.wire.lenient import mapping, objects, text

_SAID = frozenset({"text", "url", "source", "content", "title", "context", "data"})
# Members of blocks in which words or addresses stand.


def texts_before(call: HostedCall) -> Iterator[str]:
    """Yield what was said before a call and may be a source of addresses, as the declaration has it."""
    wanted = mapping(call.declared.get("url_sources"))
    messages = [*objects(call.body.get("messages")), {"role": "assistant", "content": call.told}]
    if _filter(wanted.get("user_input"))(""):
        yield from _strings(call.body.get("system"))
    for key, of_results in _RESULTS.items():
        chosen = _filter(wanted.get(key))
        yield from (words for name, block in of_results(messages) if chosen(name) for words in _strings(block))


def _filter(source: Any) -> Callable[[str], bool]:
    """Which tools' results count; `user_input` has no tools, and is all or none."""
    kind, tools = mapping(source).get("type", "all"), objects(mapping(source).get("tools"))
    named = {text(tool.get("name")) for tool in tools}
    return {"none": lambda _: False, "only": named.__contains__, "except": lambda name: name not in named}.get(
        kind, lambda _: True
    )


def _of_user(messages: list[JsonObject]) -> Iterator[tuple[str, Any]]:
    for message in messages:
        content = message.get("content")
        if message.get("role") == "assistant":
            continue
        for block in [{"type": "text", "text": content}] if isinstance(content, str) else objects(content):
            if block.get("type") != "tool_result":
                yield "", block


def _of_results(messages: list[JsonObject], *, client: bool) -> Iterator[tuple[str, Any]]:
    names: dict[str, str] = {}
    for message in messages:
        for block in objects(message.get("content")):
            kind = text(block.get("type"))
            if kind in ("tool_use", "server_tool_use"):
                names[text(block.get("id"))] = text(block.get("name"))
            elif kind == "tool_result" if client else kind in _SERVERS:
                yield names.get(text(block.get("tool_use_id")), ""), block.get("content")


_SERVERS = frozenset({"web_search_tool_result", "web_fetch_tool_result"})
_RESULTS: Mapping[str, Callable[[list[JsonObject]], Iterator[tuple[str, Any]]]] = {
    "user_input": _of_user,
    "client_tool_results": lambda messages: _of_results(messages, client=True),
    "server_tool_results": lambda messages: _of_results(messages, client=False),
}


def _strings(value: Any) -> Iterator[str]:
    """Yield the words of a block, and of all that it is made of; files in base64 have none."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, list):
            waiting += part
        elif isinstance(part, dict) and part.get("type") != "base64":
            waiting += [inner for name, inner in part.items() if name in _SAID]
