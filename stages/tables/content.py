"""Content blocks that go in, and the parts they become."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import attrs

from stages.canonical.report import Report
from stages.canonical.request import (
    ContentBlock,
    Document,
    Image,
    SearchResult,
    Source,
    Text,
    ToolReference,
    Unknown,
)
from stages.tables.identifiers import upstream_tool_name
from stages.wire import json
from stages.wire import responses_request as wire
from stages.wire.responses_request import Part

BILLING_HEADER = "x-anthropic-billing-header"
"""How Claude Code's accounting block begins; it differs between conversations, so it would spoil every cache."""

_NOT_IN_FILENAMES = re.compile(r"[^\w .()-]+")


def parts_of(block: ContentBlock, path: str, report: Report, *, files: bool = True) -> list[Part]:
    """Translate one block of a user's message, a system prompt or a tool's result.

    Args:
        block: the block.
        path: where it stands, for the report.
        report: gets what could not be kept.
        files: whether the upstream takes files; else they are named in text, and reported.
    """
    translate = _PARTS.get(type(block))
    if translate is None:
        report.approximated(path, "a block without counterpart is shown as text")
        return [_as_text(block)]
    parts = translate(block)
    if files or not any(part["type"] == "input_file" for part in parts):
        return parts
    report.dropped(path, "the upstream takes no files")
    return [
        part if part["type"] != "input_file" else wire.input_text("[A file that cannot be shown.]") for part in parts
    ]


def text_of(block: Unknown) -> str:
    """Show a block that has no counterpart: its type as a tag around what it says, so that the model can read it."""
    return f"<{block.type}>{json.encode(block.body).decode()}</{block.type}>"


def _text(block: Text) -> list[Part]:
    return [wire.input_text(block.text)] if block.text else []


def _image(block: Image) -> list[Part]:
    source = block.source
    if source.file_id is not None:
        return [wire.input_image_file(source.file_id)]
    return [wire.input_image(source.url or f"data:{source.media_type or 'image/png'};base64,{source.data or ''}")]


def _document(block: Document) -> list[Part]:
    source = block.source
    parts = [wire.input_text(f"Context of the document below: {block.context}")] if block.context else []
    if source.type in _FILES:
        return [*parts, _FILES[source.type](source, block.title)]
    titled = [wire.input_text(f"Document: {block.title}")] if block.title else []
    inner = [part for item in source.content for part in _inner(item)]
    return [*parts, *titled, *([wire.input_text(source.data)] if source.data else []), *inner]


def _inner(block: ContentBlock) -> list[Part]:
    translate = _PARTS.get(type(block))
    return translate(block) if translate else [_as_text(block)]


def _filename(title: str | None) -> str:
    name = _NOT_IN_FILENAMES.sub("_", title or "document").strip() or "document"
    return name if name.lower().endswith(".pdf") else f"{name}.pdf"


def _search_result(block: SearchResult) -> list[Part]:
    head = wire.input_text(f"Search result: {block.title}\nSource: {block.source}")
    return [head, *(part for item in block.content for part in _inner(item))]


def _tool_reference(block: ToolReference) -> list[Part]:
    return [wire.input_text(f"The tool {upstream_tool_name(block.tool_name)} is available from here on.")]


def _as_text(block: Any) -> Part:
    if not isinstance(block, Unknown):  # one that stands where its kind has no meaning, such as a call of the user's
        block = Unknown(type(block).__name__, attrs.asdict(block, filter=_is_said))
    return wire.input_text(text_of(block))


def _is_said(field: attrs.Attribute[Any], _: Any) -> bool:
    """Leave out what a block carries beside its words; the client's mark for the cache moves from turn to turn."""
    return field.name not in ("cache_control", "extra")


_FILES: dict[str, Callable[[Source, str | None], Part]] = {
    "base64": lambda source, title: wire.input_file_data(
        _filename(title), source.media_type or "application/pdf", source.data or ""
    ),
    "url": lambda source, _: wire.input_file_url(source.url or ""),
    "file": lambda source, _: wire.input_file_id(source.file_id or ""),
}
"""Sources of a document that stay files; the others become text."""

_PARTS: dict[type, Callable[[Any], list[Part]]] = {
    Text: _text,
    Image: _image,
    Document: _document,
    SearchResult: _search_result,
    ToolReference: _tool_reference,
}
"""Block to parts; what is not here is shown as text."""
