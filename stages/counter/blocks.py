"""What each kind of content block costs."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Any

from stages.canonical.request import (
    Compaction,
    ContentBlock,
    Document,
    Image,
    RedactedThinking,
    SearchResult,
    Source,
    Text,
    Thinking,
    ToolAddition,
    ToolReference,
    ToolRemoval,
    ToolResult,
    ToolUse,
    Unknown,
)
from stages.citing.pieces import pieces_of
from stages.citing.sources import wants_citations
from stages.counter import pictures
from stages.counter.signatures import declared_texts
from stages.wire import carrier, json

Tokens = Callable[[str], int]
"""Counts the tokens of one text."""

CALL = 10
"""The borders of a call: author, channel, recipient, form; the name and the arguments come on top."""

RESULT = 12
"""The borders of a result, the name of the function in them included.  With `CALL`, a recorded pair takes 22 to 23."""

CHANGED = 8
"""The words that say that a tool is there, or is no more."""

SEALED_BYTES, SEALED_HEAD = 6.5, 1_000
"""Characters of sealed reasoning per token, and those every item has; from 80 recorded items of 64 to 2,560 tokens."""

WRAPPED, WRAPPING = 0.75, 250
"""What wrapping it into a carrier adds: base64, and the other fields around it."""

FILE_BYTES = 20
"""Bytes of a file that is no text (PDF, office documents) per token: a page of text in a PDF is 10 to 30 kB."""

NUMBER = 6
"""The number in front of a piece that may be cited, such as `[0.12]`."""

MIN_FILE_TOKENS = 50
"""Tokens of the smallest file; recorded for a PDF of one line on one page."""

FILE_UNSEEN = 1_500
"""Tokens of a file that is somewhere else (an address, a file id): about two pages."""


def count_block(block: ContentBlock, tokens: Tokens) -> int:
    """Count the tokens of one block, all that is in it included."""
    return _COSTS[type(block)](block, tokens)


def _sum(blocks: Iterable[ContentBlock], tokens: Tokens) -> int:
    return sum(count_block(block, tokens) for block in blocks)


def _image(block: Image, _: Tokens) -> int:
    return pictures.picture_tokens(block.source.data)


def _document(block: Document, tokens: Tokens) -> int:
    about = sum(tokens(text) for text in (block.title, block.context) if text)
    shown = about + _SOURCES.get(block.source.type, _elsewhere)(block.source, tokens)
    if not wants_citations(block):
        return shown
    text = block.source.data if block.source.type == "text" else None
    return shown + NUMBER * (len(pieces_of(text)) if text else len(block.source.content))


def _elsewhere(_: Source, __: Tokens) -> int:
    return FILE_UNSEEN


def _file(source: Source, tokens: Tokens) -> int:
    data = source.data or ""
    if (source.media_type or "").startswith("text/"):
        return tokens(_decoded(data))
    return max(MIN_FILE_TOKENS, len(data) * 3 // 4 // FILE_BYTES)


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return data


def _search_result(block: SearchResult, tokens: Tokens) -> int:
    numbers = NUMBER * len(block.content) if wants_citations(block) else 0
    return tokens(block.title) + tokens(block.source) + _sum(block.content, tokens) + numbers


def _thinking(block: Thinking, tokens: Tokens) -> int:
    """Count reasoning that goes back, sealed or as text; another service's is dropped, so it costs nothing."""
    if not block.signature.startswith(carrier.CARRIER_PREFIX):
        return 0
    sealed = (len(block.signature) - WRAPPING) * WRAPPED - SEALED_HEAD
    return max(tokens(block.thinking), int(sealed / SEALED_BYTES))


def _tool_use(block: ToolUse, tokens: Tokens) -> int:
    return CALL + tokens(block.name) + tokens(json.encode(block.input).decode())


def _changed(block: ToolAddition | ToolRemoval, tokens: Tokens) -> int:
    """Count the words about a tool that comes or goes, and the tool where it is brought along."""
    known = block.tool.definition
    return (
        CHANGED + tokens(block.tool.name or "") + sum(map(tokens, declared_texts(known) if known is not None else ()))
    )


_SOURCES: dict[str, Callable[[Source, Tokens], int]] = {
    "base64": _file,
    "text": lambda source, tokens: tokens(source.data or ""),
    "content": lambda source, tokens: _sum(source.content, tokens),
}
"""Where a document's bytes are, and what they cost; all others lie somewhere else."""

_COSTS: dict[type, Callable[[Any, Tokens], int]] = {
    Text: lambda block, tokens: tokens(block.text),
    Image: _image,
    Document: _document,
    SearchResult: _search_result,
    Thinking: _thinking,
    RedactedThinking: lambda block, tokens: 0,  # noqa: ARG005 - never goes back upstream
    ToolUse: _tool_use,
    ToolResult: lambda block, tokens: RESULT + _sum(block.content, tokens),
    ToolReference: lambda block, tokens: tokens(block.tool_name),
    Compaction: lambda block, tokens: tokens(block.content or "") + _sum(block.tool_changes or (), tokens),
    ToolAddition: _changed,
    ToolRemoval: _changed,
    Unknown: lambda block, tokens: tokens(json.encode(block.body).decode()),
}
"""Every kind of block; a new one is missed by a test."""
