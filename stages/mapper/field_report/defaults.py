"""After mapping: every field that no stage has spoken about gets the fate that the tables give it (law 10).

The canonical tree is visited once.  Parts that carry nothing but their own fields are passed by at a glance, since
their fates are what the stages do; what is looked into are fields without an attribute (`Node.extra`), marks for the
cache, declarations and blocks kept as they came, and texts that are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from stages.canonical import request as canonical
from stages.canonical.report import Disposition, Note, Report
from stages.canonical.request import Document, Image, Request, SearchResult, ServerTool, Text, ToolResult, Unknown
from stages.tables import fields
from stages.tables.fields import FIELDS, NODES, UNKNOWN_FIELD, UNKNOWN_KIND, Row

NODE_OF_BLOCK: dict[type, str] = {
    canonical.Text: "block.text",
    canonical.Image: "block.image",
    canonical.Document: "block.document",
    canonical.SearchResult: "block.search_result",
    canonical.Thinking: "block.thinking",
    canonical.RedactedThinking: "block.redacted_thinking",
    canonical.ToolUse: "block.tool_use",
    canonical.ToolResult: "block.tool_result",
    canonical.ToolReference: "block.tool_reference",
}
"""The node of each class of blocks."""

EMPTY = "an empty text says nothing, and the upstream takes none"
"""Why an empty text is left out."""

MOVED = "an answer is made of text and calls upstream, so it is shown as the user's"
"""What becomes of a picture, a file or a found text that stands in the model's own message."""

_FAITHFUL = (Disposition.KEPT, Disposition.TRANSLATED)
_OF_SOURCES = ("media_type", "data", "url", "file_id", "content")
_SOURCED = (Image, Document)
_SHOWN = (Text, Image, Document, SearchResult, canonical.ToolReference)
_IDLE = Row(Disposition.KEPT, "asks for no more than leaving the field out would")


def report_defaults(request: Request, report: Report) -> None:
    """Note what became of everything in the request that the report does not name yet."""
    walker = Walker(report, {note.path: note.disposition for note in report.notes})
    for index, block in enumerate(request.system):
        if not _plain(block) or _is_empty(block, "system"):
            alone = len(request.system) == 1 and _plain(block)
            walker.block(block, "system" if alone else f"system.{index}", "system")
    for index, tool in enumerate(request.tools):
        walker.tool(tool, f"tools.{index}")
    for index, message in enumerate(request.messages):
        walker.message(message, index)
    walker.top(request)


def _plain(block: canonical.ContentBlock) -> bool:
    """Whether a block carries nothing but its own fields, which its stage has dealt with."""
    kind = type(block)
    if kind is Unknown or block.extra or getattr(block, "cache_control", None) is not None:  # type: ignore[union-attr]
        return False
    if kind is ToolResult:
        return all(map(_plain, block.content))  # type: ignore[union-attr]
    return kind not in (Image, Document, SearchResult)


def _is_empty(block: canonical.ContentBlock, role: str) -> bool:
    """Whether a text is left out: an empty one, and one of blanks that the model itself said."""
    return type(block) is Text and (not block.text or (role == "assistant" and block.text.isspace()))


@attrs.frozen
class Walker:
    """Goes down the tree, and notes.

    Attributes:
        report: gets the notes.
        told: what has been said already, by path.
    """

    report: Report
    told: dict[str, Disposition]

    def top(self, request: Request) -> None:
        """Give every field at the top that the request has its fate; those inside settings as well."""
        for name, field in attrs.fields_dict(Request).items():
            value = getattr(request, name)
            if name not in canonical.NO_FIELDS and value not in (field.default, None):
                row = FIELDS.get(name, UNKNOWN_FIELD)
                if isinstance(value, canonical.Node) and self.told.get(name) is not Disposition.DROPPED:
                    self.settings(value, row.inside, name)
                self.note(name, row)
        for name, value in request.extra.items():
            row = FIELDS.get(name, UNKNOWN_FIELD)
            if row.inside and row.disposition in _FAITHFUL and self.told.get(name) is not Disposition.DROPPED:
                self.value(value, row.inside, name)
            self.note(name, _IDLE if row is not UNKNOWN_FIELD and row.says_nothing(value) else row)

    def settings(self, node: canonical.Node, group: str, path: str) -> None:
        """Visit a node that a request has once at most, with its own fields, since some of them depend on its type."""
        own = {field.name: getattr(node, field.name) for field in attrs.fields(type(node)) if field.name != "extra"}
        said = {name: value for name, value in own.items() if value is not None and value is not False}
        self.value({**said, **node.extra}, group, path)

    def message(self, message: canonical.Message, at: int) -> None:
        """Visit a message and what it is made of; a content that is one text may have been a string."""
        if message.extra:
            self.fields(message.extra, NODES["message"], f"messages.{at}")
        if message.output_config is not None and message.output_config.extra:
            self.fields(message.output_config.extra, NODES["said_effort"], f"messages.{at}.output_config")
        for index, block in enumerate(message.content):
            if not _plain(block) or _is_empty(block, message.role):
                content = f"messages.{at}.content"
                alone = len(message.content) == 1 and _plain(block)
                self.block(block, content if alone else f"{content}.{index}", message.role)

    def block(self, block: canonical.ContentBlock, path: str, role: str, *, shown: bool = False) -> None:
        """Visit a block.

        Args:
            block: the block.
            path: where it stands.
            role: who says it; empty inside other blocks.
            shown: whether a stage has spoken about the block around it, and so about a block that it shows as text.
        """
        disposition = self.told.get(path)
        if disposition is Disposition.DROPPED:
            return
        if isinstance(block, Unknown):
            if disposition is None and not shown:
                self.value(block.body, "block", path)
            return
        if role and _is_empty(block, role):
            self.note(path, Row(Disposition.DROPPED, EMPTY))
        elif role == "assistant" and isinstance(block, _SHOWN) and not isinstance(block, Text):
            self.note(path, Row(Disposition.APPROXIMATED, MOVED))
        rows = NODES[NODE_OF_BLOCK[type(block)]]
        self.fields(block.extra, rows, path)
        if getattr(block, "cache_control", None) is not None:
            self.note(f"{path}.cache_control", rows["cache_control"])
        if isinstance(block, ToolResult):
            self.inside(block.content, f"{path}.content", shown=disposition is not None)
        elif isinstance(block, SearchResult):
            self.shown(block.content, f"{path}.content")
        elif isinstance(block, _SOURCED):
            self.source(block.source, f"{path}.source")

    def inside(self, blocks: Iterable[canonical.ContentBlock], path: str, *, shown: bool = False) -> None:
        """Visit the blocks in a block."""
        for index, block in enumerate(blocks):
            if not _plain(block):
                self.block(block, f"{path}.{index}", "", shown=shown)

    def shown(self, blocks: tuple[canonical.ContentBlock, ...], path: str) -> None:
        """Visit the blocks of a document or a search result, where other than texts, pictures and files are text."""
        for index, block in enumerate(blocks):
            if not isinstance(block, _SHOWN):
                self.note(
                    f"{path}.{index}", Row(Disposition.APPROXIMATED, "a block without counterpart is shown as text")
                )
        self.inside(blocks, path, shown=True)

    def source(self, source: canonical.Source, path: str) -> None:
        """Visit the source of a picture or a document."""
        node = fields.node_of("source", source.type)
        if node is None:
            self.note(path, UNKNOWN_KIND)
            return
        own = {name: getattr(source, name) for name in _OF_SOURCES if name not in NODES[node]}
        self.fields({**{name: value for name, value in own.items() if value}, **source.extra}, NODES[node], path)
        self.shown(source.content, f"{path}.content")

    def tool(self, tool: canonical.AnyTool, path: str) -> None:
        """Visit the declaration of a tool."""
        if self.told.get(path) is Disposition.DROPPED:
            return
        if isinstance(tool, ServerTool):
            self.value(tool.body, "tool", path)
            return
        rows = NODES["tool.custom"]
        if tool.extra:
            self.fields(tool.extra, rows, path)
        if tool.cache_control is not None:
            self.note(f"{path}.cache_control", rows["cache_control"])

    # -- objects as they came ------------------------------------------------------------------

    def value(self, value: Any, group: str, path: str) -> None:
        """Visit a node, or a list of nodes, of a group."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self.value(item, group, f"{path}.{index}")
        elif isinstance(value, dict):
            node = fields.node_of(group, value.get("type"))
            if node is not None:
                self.fields(value, NODES[node], path)
            elif f"{path}.type" not in self.told:
                self.note(path, UNKNOWN_KIND)

    def fields(self, values: Mapping[str, Any], rows: fields.Fields, path: str) -> None:
        """Note what becomes of fields, and go into those that reach the upstream in whatever form.

        A translated field needs no word of its own, since the part that it belongs to has one.
        """
        for name, value in values.items():
            row = rows.get(name) or rows.get("*")
            if row is None:
                if name == "type":
                    continue  # it has told the node from the others
                row = UNKNOWN_FIELD
            elif row.says_nothing(value):
                continue
            where = f"{path}.{name}"
            if self.told.get(where) is Disposition.DROPPED:
                continue
            if row.inside and row.disposition in _FAITHFUL:
                self.value(value, row.inside, where)
            elif row.disposition is not Disposition.TRANSLATED:
                self.note(where, row)

    def note(self, path: str, row: Row) -> None:
        """Note a row's word on a path, unless there is one."""
        if path not in self.told:
            self.told[path] = row.disposition
            self.report.notes.append(Note(path, row.disposition, row.reason))
