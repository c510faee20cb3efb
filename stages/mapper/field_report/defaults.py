"""After mapping: every field that no stage has spoken about gets the disposition that the tables give it (law 10).

The canonical tree is visited once.  Parts that carry nothing but their own fields are passed by at a glance, since
their dispositions are what the stages do; what is looked into are fields without an attribute (`Node.extra`), cache
marks, declarations and blocks kept as they came, and texts that are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from stages.canonical import request as canonical
from stages.canonical.place import MESSAGES, ROOT, SYSTEM, TOOLS, Place, content_of_message
from stages.canonical.report import Disposition, Report
from stages.canonical.request import Document, Image, Request, SearchResult, ServerTool, Text, ToolResult, Unknown
from stages.tables import fields
from stages.tables.fields import FIELDS, NODES, UNKNOWN_FIELD, UNKNOWN_KIND, Row
from stages.wire.cache import by_identity, by_members

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
    canonical.Compaction: "block.compaction",
    canonical.ToolAddition: "block.tool_addition",
    canonical.ToolRemoval: "block.tool_removal",
}
"""The node of each class of blocks."""

EMPTY = "an empty text says nothing, and the upstream takes none"
"""Why an empty text is left out."""

MOVED = "an answer is made of text and calls upstream, so it is shown as the user's"
"""What becomes of a picture, a file or a found text that stands in the model's own message."""

_FIELDS_OF_REQUEST = tuple(
    (name, field.default) for name, field in attrs.fields_dict(Request).items() if name not in canonical.NO_FIELDS
)
# Each with the value that says nothing.
_FAITHFUL = (Disposition.KEPT, Disposition.TRANSLATED)
_OF_SOURCES = ("media_type", "data", "url", "file_id", "content")
_SOURCED = (Image, Document)
_CHANGES = (canonical.ToolAddition, canonical.ToolRemoval)
_LOOKED_INTO = (Image, Document, SearchResult, canonical.Compaction, *_CHANGES)
_SHOWN = (Text, Image, Document, SearchResult, canonical.ToolReference)
_AS_TEXT = Row(Disposition.APPROXIMATED, "a block without counterpart is shown as text")
_IDLE = Row(Disposition.KEPT, "asks for no more than leaving the field out would")


def report_defaults(request: Request, report: Report) -> None:
    """Note what became of everything in the request that the report does not name yet."""
    walker = Walker(report)
    for index, block in enumerate(request.system):
        if not _plain(block) or _is_empty(block, "system"):
            alone = len(request.system) == 1 and _plain(block)
            walker.block(block, SYSTEM if alone else SYSTEM.at(index), "system")
    for index in _tools_to_visit(request.tools):
        walker.tool(request.tools[index], TOOLS.at(index))
    for index, message in enumerate(request.messages):
        if not _is_passed_by(message):
            walker.message(message, index)
    walker.top(request)


@by_members
def _tools_to_visit(tools: tuple[canonical.AnyTool, ...]) -> tuple[int, ...]:
    """Which declarations carry anything of their own."""
    visited = (isinstance(tool, ServerTool) or tool.extra or tool.cache_control is not None for tool in tools)
    return tuple(index for index, visit in enumerate(visited) if visit)


def _plain(block: canonical.ContentBlock) -> bool:
    """Whether a block carries nothing but its own fields, which its stage has dealt with."""
    kind = type(block)
    if kind is Unknown or block.extra or getattr(block, "cache_control", None) is not None:  # type: ignore[union-attr]
        return False
    if kind is ToolResult:
        return all(map(_plain, block.content))  # type: ignore[union-attr, arg-type]
    return kind not in _LOOKED_INTO


@by_identity
def _is_passed_by(message: canonical.Message) -> bool:
    """Whether all of a message is plain, and none of it empty; the same messages come with every turn."""
    if message.extra or (message.output_config is not None and message.output_config.extra):
        return False
    return all(_plain(block) and not _is_empty(block, message.role) for block in message.content)


def _is_empty(block: canonical.ContentBlock, role: str) -> bool:
    """Whether a text is left out: an empty one, and one of blanks that the model itself said."""
    return type(block) is Text and (not block.text or (role == "assistant" and block.text.isspace()))


@attrs.frozen
class Walker:
    """Goes down the tree, and notes what the report, which it asks about each place, does not say yet."""

    report: Report

    def top(self, request: Request) -> None:
        """Note every field at the top that the request has; those inside settings as well."""
        for name, absent in _FIELDS_OF_REQUEST:
            value = getattr(request, name)
            if value is not None and value != absent:
                row = FIELDS.get(name, UNKNOWN_FIELD)
                if isinstance(value, canonical.Node) and not self.dropped(ROOT.field(name)):
                    self.settings(value, row.inside, ROOT.field(name))
                self.note(ROOT.field(name), row)
        for name, value in request.extra.items():
            row, place = FIELDS.get(name, UNKNOWN_FIELD), ROOT.field(name)
            if row.inside and row.disposition in _FAITHFUL and not self.dropped(place):
                self.value(value, row.inside, place)
            self.note(place, _IDLE if row is not UNKNOWN_FIELD and row.says_nothing(value) else row)

    def settings(self, node: canonical.Node, group: str, place: Place) -> None:
        """Visit a node that a request has once at most, with its own fields, since some of them depend on its type."""
        own = {field.name: getattr(node, field.name) for field in attrs.fields(type(node)) if field.name != "extra"}
        given = {name: value for name, value in own.items() if value is not None and value is not False}
        self.value({**given, **node.extra}, group, place)

    def message(self, message: canonical.Message, at: int) -> None:
        """Visit a message and what it is made of; a content that is one text may have been a string."""
        if message.extra:
            self.fields(message.extra, NODES["message"], MESSAGES.at(at))
        if message.output_config is not None and message.output_config.extra:
            self.fields(message.output_config.extra, NODES["said_effort"], MESSAGES.at(at).field("output_config"))
        for index, block in enumerate(message.content):
            if not _plain(block) or _is_empty(block, message.role):
                content = content_of_message(at)
                alone = len(message.content) == 1 and _plain(block)
                self.block(block, content if alone else content.at(index), message.role)

    def block(self, block: canonical.ContentBlock, place: Place, role: str, *, shown: bool = False) -> None:
        """Visit a block.

        Args:
            block: the block.
            place: where it stands.
            role: who says it; empty inside other blocks.
            shown: whether a stage has spoken about the block around it, and so about a block that it shows as text.
        """
        disposition = self.report.disposition_of(place)
        if disposition is Disposition.DROPPED:
            return
        if isinstance(block, Unknown):
            if disposition is None and not shown:
                self.value(block.body, "block", place)
            return
        if role and _is_empty(block, role):
            self.note(place, Row(Disposition.DROPPED, EMPTY))
        elif role == "assistant" and isinstance(block, _SHOWN) and not isinstance(block, Text):
            self.note(place, Row(Disposition.APPROXIMATED, MOVED))
        rows = NODES[NODE_OF_BLOCK[type(block)]]
        self.fields(block.extra, rows, place)
        if getattr(block, "cache_control", None) is not None:
            self.note(place.field("cache_control"), rows["cache_control"])
        if isinstance(block, ToolResult):
            self.inside(block.content, place.field("content"), shown=disposition is not None)
        else:
            self.made_of(block, place)

    def made_of(self, block: canonical.ContentBlock, place: Place) -> None:
        """Visit what else a block is made of."""
        if isinstance(block, SearchResult):
            self.shown(block.content, place.field("content"))
        elif isinstance(block, _SOURCED):
            self.source(block.source, place.field("source"))
        elif isinstance(block, _CHANGES):
            self.changed(block.tool, place.field("tool"))
        elif isinstance(block, canonical.Compaction):
            self.inside(block.tool_changes or (), place.field("tool_changes"))

    def changed(self, tool: canonical.ChangedTool, place: Place) -> None:
        """Visit what a block adds or removes."""
        named = {name: value for name in ("name", "server_name") if (value := getattr(tool, name)) is not None}
        self.fields({**named, **tool.extra}, NODES[f"tool_change.{tool.type}"], place)
        if tool.definition is not None:
            self.tool(tool.definition, place.field("definition"))

    def inside(self, blocks: Iterable[canonical.ContentBlock], place: Place, *, shown: bool = False) -> None:
        """Visit the blocks in a block."""
        for index, block in enumerate(blocks):
            if not _plain(block):
                self.block(block, place.at(index), "", shown=shown)

    def shown(self, blocks: tuple[canonical.ContentBlock, ...], place: Place) -> None:
        """Visit the blocks of a document or a search result, where other than texts, pictures and files are text."""
        for index, block in enumerate(blocks):
            if not isinstance(block, _SHOWN):
                self.note(place.at(index), _AS_TEXT)
        self.inside(blocks, place, shown=True)

    def source(self, source: canonical.Source, place: Place) -> None:
        """Visit the source of a picture or a document."""
        node = fields.node_of("source", source.type)
        if node is None:
            self.note(place, UNKNOWN_KIND)
            return
        own = {name: getattr(source, name) for name in _OF_SOURCES if name not in NODES[node]}
        self.fields({**{name: value for name, value in own.items() if value}, **source.extra}, NODES[node], place)
        self.shown(source.content, place.field("content"))

    def tool(self, tool: canonical.AnyTool, place: Place) -> None:
        """Visit the declaration of a tool."""
        if self.dropped(place):
            return
        if isinstance(tool, ServerTool):
            self.value(tool.body, "tool", place)
            return
        rows = NODES["tool.custom"]
        self.fields(tool.extra, rows, place)
        if tool.cache_control is not None:
            self.note(place.field("cache_control"), rows["cache_control"])

    # -- objects as they came ------------------------------------------------------------------

    def value(self, value: Any, group: str, place: Place) -> None:
        """Visit a node, or a list of nodes, of a group."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self.value(item, group, place.at(index))
        elif isinstance(value, dict):
            node = fields.node_of(group, value.get("type"))
            if node is not None:
                self.fields(value, NODES[node], place)
            elif self.report.disposition_of(place.field("type")) is None:
                self.note(place, UNKNOWN_KIND)

    def fields(self, values: Mapping[str, Any], rows: fields.Fields, place: Place) -> None:
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
            where = place.field(name)
            if self.dropped(where):
                continue
            if row.inside and row.disposition in _FAITHFUL:
                self.value(value, row.inside, where)
            elif row.disposition is not Disposition.TRANSLATED:
                self.note(where, row)

    def dropped(self, place: Place) -> bool:
        """Whether a stage has left out what stands there, and so all that is in it."""
        return self.report.disposition_of(place) is Disposition.DROPPED

    def note(self, place: Place, row: Row) -> None:
        """Note a row's word on a place, unless a stage has had one."""
        if self.report.disposition_of(place) is None:
            self.report.note(place, row.disposition, row.reason)
