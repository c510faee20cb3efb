"""Content blocks that go in, and the parts they become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from stages.canonical.place import Place
from stages.canonical.report import Report
from stages.canonical.request import (
    ChangedTool,
    Compaction,
    ContentBlock,
    Document,
    Image,
    SearchResult,
    Text,
    Tool,
    ToolAddition,
    ToolReference,
    ToolRemoval,
    Unknown,
)
from stages.citing.sources import Sources
from stages.mapper.documents import document_parts, text_instead
from stages.mapper.source_parts import source_parts
from stages.tables.identifiers import upstream_file_id, upstream_tool_name
from stages.tables.media_types import read_base64
from stages.tools.client import declared_name, functions_of
from stages.tools.client.browser_state import BROWSER_STATE, browser_state_text
from stages.wire import json
from stages.wire import responses_request as responses
from stages.wire.responses_request import ContentPart

SUMMARY = "Summary of the conversation so far:"
"""What leads a summary that stands for what was said before it."""

_CITED = frozenset({Document, SearchResult})
_UNSEEN = "[A file that cannot be shown.]"


def parts_of_block(
    block: ContentBlock, place: Place, report: Report, *, files: bool = True, sources: Sources | None = None
) -> list[ContentPart]:
    """Translate one block of a user's message, a system prompt or a tool's result.

    Args:
        block: the block.
        place: where it stands, for the report.
        report: gets what could not be kept.
        files: whether the upstream takes files; else those that are text become text, and the others are reported.
        sources: number what may be cited; None where nothing is.
    """
    if type(block) in _CITED and sources is not None:
        parts = source_parts(block, place, report, sources, _inner)  # type: ignore[arg-type] # it is one of the two
        if parts is not None:
            return parts
    if (
        isinstance(block, Unknown)
        and block.type == BROWSER_STATE
        and (state := browser_state_text(block.body)) is not None
    ):
        return [responses.input_text(state)]
    translate = _PARTS.get(type(block))
    if translate is None:
        if report.disposition_of(place) is None:
            report.approximated(place, "a block without counterpart is shown as text")
        return [_as_text(block)]
    parts = translate(block)
    if files:
        return parts
    shown = [text_instead(part) if part["type"] == "input_file" else part for part in parts]
    if None in shown:
        report.dropped(place, "the upstream takes no files")
    return [responses.input_text(_UNSEEN) if part is None else part for part in shown]


def text_of(block: Unknown) -> str:
    """Show a block that has no counterpart: its type as a tag around what it says, so that the model can read it.

    Without the client's mark for the cache, which moves from turn to turn.
    """
    body = {key: value for key, value in block.body.items() if key != "cache_control"}
    return f"<{block.type}>{json.encode(body).decode()}</{block.type}>"


def text_parts(block: Text) -> list[ContentPart]:
    """Translate a text; the upstream takes no empty ones."""
    return [responses.input_text(block.text)] if block.text else []


def _image(block: Image) -> list[ContentPart]:
    source = block.source
    if source.file_id is not None:
        return [responses.input_image_file(upstream_file_id(source.file_id))]
    if source.url:
        return [responses.input_image(source.url)]
    picture = read_base64(source.data or "", source.media_type, "image/png")
    return [responses.input_image(f"data:{picture.media_type};base64,{picture.data}")]


def _document(block: Document) -> list[ContentPart]:
    inner = [part for item in block.source.content for part in _inner(item)]
    return [*document_parts(block), *inner]


def _inner(block: ContentBlock) -> list[ContentPart]:
    translate = _PARTS.get(type(block))
    return translate(block) if translate else [_as_text(block)]


def _search_result(block: SearchResult) -> list[ContentPart]:
    head = responses.input_text(f"Search result: {block.title}\nSource: {block.source}")
    return [head, *(part for item in block.content for part in _inner(item))]


def _tool_reference(block: ToolReference) -> list[ContentPart]:
    return [responses.input_text(f"The tool {upstream_tool_name(block.tool_name)} is available from here on.")]


def _tool_addition(block: ToolAddition) -> list[ContentPart]:
    return [responses.input_text(f"{_changed(block.tool)} available from here on.")]


def _tool_removal(block: ToolRemoval) -> list[ContentPart]:
    return [responses.input_text(f"{_changed(block.tool)} no longer available.")]


def _changed(tool: ChangedTool) -> str:
    """Name what comes or goes, as the model knows it."""
    known = tool.definition
    if known is None or isinstance(known, Tool):
        name = known.name if known is not None else tool.name
        if name is None:
            return f"The tools of {tool.server_name} are"
        return f"The tool {upstream_tool_name(name)}{f' of {tool.server_name}' if tool.server_name else ''} is"
    functions = functions_of(known)
    if functions is None:
        return f"The tool {known.name or known.body.get('mcp_server_name') or known.type} is"
    return f"The tools {', '.join(map(declared_name, functions))} are"


def _summary(block: Compaction) -> list[ContentPart]:
    return [responses.input_text(f"{SUMMARY}\n\n{block.content}")] if block.content else []


def _as_text(block: Any) -> ContentPart:
    if not isinstance(block, Unknown):  # one that stands where its kind has no meaning, such as a call of the user's
        block = Unknown(type(block).__name__, attrs.asdict(block, filter=_is_said))
    return responses.input_text(text_of(block))


def _is_said(field: attrs.Attribute[Any], _: Any) -> bool:
    """Leave out what a block carries beside its words; the client's mark for the cache moves from turn to turn."""
    return field.name not in ("cache_control", "extra")


_PARTS: dict[type, Callable[[Any], list[ContentPart]]] = {
    Text: text_parts,
    Image: _image,
    Document: _document,
    SearchResult: _search_result,
    ToolReference: _tool_reference,
    ToolAddition: _tool_addition,
    ToolRemoval: _tool_removal,
    Compaction: _summary,
}
"""Block to parts; what is not here is shown as text."""
