"""The least that a request can cost: what is certain, where `count` is what is likely."""

from __future__ import annotations

from collections.abc import Iterator

from stages.canonical.request import ContentBlock, Document, Request, Text, ToolResult
from stages.counter.blocks import Tokens

LONGEST_TOKENIZED = 10_000
"""Characters for which one token is taken off: long texts may be counted in pieces, and a cut can split a token."""


def least(request: Request, tokens: Tokens) -> int:
    """Count the texts of a request and nothing else, with the upstream's own tokenizer: it cannot charge less.

    Left out is whatever is sent in another form than it came in: tools, arguments, pictures, files, reasoning, borders.
    And since neighbouring texts could share a token upstream, one is taken off for each of them.

    Args:
        request: what the client asked.
        tokens: the exact number of tokens of one text.
    """
    texts = [text for text in _texts(request) if text]
    return sum(max(0, tokens(text) - 1 - len(text) // LONGEST_TOKENIZED) for text in texts)


def _texts(request: Request) -> Iterator[str]:
    yield from _of(request.system)
    for message in request.messages:
        yield from _of(message.content)


def _of(blocks: tuple[ContentBlock, ...]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Text(text=text) if text.strip():
                yield text
            case ToolResult(content=content):
                yield from _of(content)
            case Document(source=source) if source.type == "text":
                yield source.data or ""
            case _:
                pass
