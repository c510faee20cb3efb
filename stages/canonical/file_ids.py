"""The files that a request names: in pictures, in documents, and for the machines that run code."""

from __future__ import annotations

from collections.abc import Iterator

from stages.canonical.request import ContentBlock, Document, Image, Request, ToolResult, Unknown


def file_ids(request: Request) -> Iterator[str]:
    """Yield the id of every file that a request names, however deep; costs one look at each block."""
    left: list[ContentBlock] = [*request.system]
    left += [block for message in request.messages for block in message.content]
    while left:
        block = left.pop()
        if isinstance(block, Image | Document):
            left += block.source.content
            if block.source.file_id is not None:
                yield block.source.file_id
        elif isinstance(block, ToolResult):
            left += block.content
        elif isinstance(block, Unknown) and isinstance(named := block.body.get("file_id"), str):
            yield named
