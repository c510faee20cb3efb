"""Whole answers as canonical events, drawn by Hypothesis, and a naive reader of the streams they become."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from stages.block import AnswerEvent
from stages.canonical.events import (
    BLOCK_STOP,
    CitationsDelta,
    JsonDelta,
    MessageEnd,
    ResultStart,
    ServerToolUseStart,
    SignatureDelta,
    TextDelta,
    TextStart,
    ThinkingDelta,
    ThinkingStart,
    ToolUseStart,
    Usage,
)
from stages.wire import json

PLAIN = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
"""Texts that every JSON library takes: no lone surrogates."""

_NUMBERS = st.integers(min_value=0, max_value=10**6)
_STARTS: dict[str, Any] = {"tool_use": ToolUseStart, "server_tool_use": ServerToolUseStart}
_CITATIONS = st.fixed_dictionaries(
    {
        "type": st.just("web_search_result_location"),
        "cited_text": st.just(""),
        "url": st.just("https://a"),
        "title": st.none() | st.just("A"),
        "encrypted_index": st.just("dragoman-cite1.WzAsMCwxXQ=="),
    }
)


def _pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


@st.composite
def _block(draw: st.DrawFn, texts: st.SearchStrategy[str], *, server_tools: bool) -> list[AnswerEvent]:
    kinds = ["text", "thinking", "tool_use", *(["server_tool_use", "result", "cited"] if server_tools else [])]
    kind = draw(st.sampled_from(kinds))
    size = draw(st.integers(min_value=1, max_value=9))
    if kind == "text":
        return [TextStart(), *map(TextDelta, draw(st.lists(texts, max_size=4))), BLOCK_STOP]
    if kind == "cited":
        sources = draw(st.lists(_CITATIONS, min_size=1, max_size=2))
        told = draw(st.lists(texts, min_size=1, max_size=2))
        return [TextStart(cited=True), *map(CitationsDelta, sources), *map(TextDelta, told), BLOCK_STOP]
    if kind == "thinking":
        thoughts = draw(st.lists(texts, max_size=4))
        return [ThinkingStart(), *map(ThinkingDelta, thoughts), SignatureDelta(draw(texts)), BLOCK_STOP]
    if kind == "result":
        content = [{"type": "web_search_result", "title": draw(texts), "url": "https://a"}]
        return [ResultStart({"type": "web_search_tool_result", "tool_use_id": "a", "content": content}), BLOCK_STOP]
    arguments = draw(st.dictionaries(texts, st.one_of(texts, st.lists(texts, max_size=2), _NUMBERS), max_size=3))
    fragments = map(JsonDelta, ["", *_pieces(json.encode(arguments).decode(), size)])
    return [_STARTS[kind](f"toolu_{draw(_NUMBERS)}", draw(texts)), *fragments, BLOCK_STOP]


def answers(texts: st.SearchStrategy[str], *, server_tools: bool = True) -> st.SearchStrategy[list[AnswerEvent]]:
    """Draw the events of a whole message; its texts come from `texts`, never empty."""
    usage = st.builds(Usage, _NUMBERS, _NUMBERS, _NUMBERS, _NUMBERS, st.one_of(st.none(), _NUMBERS))
    reasons = st.sampled_from(["end_turn", "tool_use", "max_tokens"])
    ends = st.builds(MessageEnd, reasons, usage, server_tools=st.sampled_from([(), (("mcp", 1), ("web_search", 3))]))
    blocks = st.lists(_block(texts, server_tools=server_tools), max_size=4)
    return st.tuples(blocks, ends).map(lambda drawn: [event for block in drawn[0] for event in block] + [drawn[1]])


_GROWS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


def added_up(stream: bytes) -> dict[str, Any]:
    """Read a stream as the most naive client would, and return the message it adds up to."""
    message: dict[str, Any] = {}
    arguments: dict[int, str] = {}
    for frame in stream.split(b"\n\n")[:-1]:
        event = json.decode(frame.partition(b"data: ")[2])
        match event["type"]:
            case "message_start":
                message = event["message"]
            case "content_block_start":
                assert event["index"] == len(message["content"])
                message["content"].append(event["content_block"])
            case "content_block_delta":
                delta, block = event["delta"], message["content"][event["index"]]
                if field := _GROWS.get(delta["type"]):
                    block[field] += delta[field]
                elif delta["type"] == "citations_delta":
                    block["citations"].append(delta["citation"])
                else:
                    arguments[event["index"]] = arguments.get(event["index"], "") + delta["partial_json"]
            case "message_delta":
                message |= event["delta"]
                message["usage"] |= event["usage"]
            case _:
                continue
    for index, text in arguments.items():
        message["content"][index]["input"] = json.decode(text) if text else {}
    return message
