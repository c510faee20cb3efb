"""A conversation turn as a tree: what a client asked, whatever the wire calls it.

Field names are Anthropic's own, since their clients are the ones who speak to us.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from stages.canonical.place import Place
from stages.canonical.plan import Compacting

JsonObject = dict[str, Any]
"""A JSON object whose inside is not ours to interpret, such as a tool's arguments or its schema."""

Role = Literal["user", "assistant", "system"]
"""Who speaks in a message; `system` may stand anywhere after the first user message."""


@attrs.frozen(kw_only=True)
class Node:
    """What every part of a request may carry besides its own fields.

    Attributes:
        extra: fields that the class has no attribute for, as they came: nothing is lost in silence (law 10).
    """

    extra: Mapping[str, Any] = attrs.field(factory=dict, repr=False)


@attrs.frozen(kw_only=True)
class Cacheable(Node):
    """A part after which the client may want the prompt to be cached.

    Attributes:
        cache_control: the client's mark, `{"type": "ephemeral", "ttl": "5m" or "1h"}`; None when there is none.
    """

    cache_control: JsonObject | None = attrs.field(default=None, repr=False)


@attrs.frozen
class Text(Cacheable):
    """Plain text."""

    text: str


@attrs.frozen
class Source(Node):
    """Where the bytes of an image or a document are; which fields are set depends on `type`.

    Attributes:
        type: `base64`, `url`, `file`, `text` (a document's plain text) or `content` (a document made of blocks).
        media_type: MIME type of `data`.
        data: base64 without line breaks, or the text itself.
        url: an address that the upstream may fetch; we never do.
        file_id: an id of the Files API.
        content: the blocks of a `content` document.
    """

    type: str
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    file_id: str | None = None
    content: tuple[ContentBlock, ...] = ()


@attrs.frozen
class Image(Cacheable):
    """A picture."""

    source: Source


@attrs.frozen
class Document(Cacheable):
    """A document with what the client says about it."""

    source: Source
    title: str | None = None
    context: str | None = None


@attrs.frozen
class SearchResult(Cacheable):
    """A piece of text that the client found somewhere, with its address and title."""

    source: str
    title: str
    content: tuple[ContentBlock, ...] = ()


@attrs.frozen
class Thinking(Node):
    """Reasoning that we, or another Anthropic server, showed in an earlier turn.

    `signature` is our carrier when we wrote the block, and anything at all when somebody else did.
    """

    thinking: str
    signature: str = ""


@attrs.frozen
class RedactedThinking(Node):
    """Reasoning that was never shown; `data` is opaque."""

    data: str


@attrs.frozen
class ToolUse(Cacheable):
    """A call the model made: `input` is the argument object, re-serialised by the client.

    `toolset_name` is the toolset that `name` is a member of; None for every other function.
    """

    id: str
    name: str
    input: JsonObject
    toolset_name: str | None = None


@attrs.frozen
class ToolReference(Cacheable):
    """Inside a tool's result: from here on the model knows the deferred tool of this name."""

    tool_name: str


@attrs.frozen
class ToolResult(Cacheable):
    """What came of a call; `toolset_name` repeats the call's."""

    tool_use_id: str
    content: tuple[ContentBlock, ...] = ()
    is_error: bool = False
    toolset_name: str | None = None


@attrs.frozen
class Compaction(Cacheable):
    """A summary that stands for all that was said before it; `content` is None where none came about: says nothing.

    `signature` is our seal of the summary when we wrote the block, and anything at all when somebody else did.
    `tool_changes` lead from the request's tools to those that there were where the summary ends; None is not known.
    """

    content: str | None = None
    signature: str | None = None
    tool_changes: tuple[ContentBlock, ...] | None = None


@attrs.frozen
class ChangedTool(Node):
    """What comes or goes in the middle of a conversation.

    Attributes:
        type: `tool_reference`, `mcp_tool_reference`, `mcp_toolset_reference` or `tool_definition`.
        name: the tool's name, as the model calls it; a server's own name for it, with `server_name`.
        server_name: the MCP server whose tools these are.
        definition: the tool itself, where it is given by value.
    """

    type: str
    name: str | None = None
    server_name: str | None = None
    definition: AnyTool | None = None


@attrs.frozen
class ToolAddition(Cacheable):
    """From here on the model may call this tool."""

    tool: ChangedTool


@attrs.frozen
class ToolRemoval(Cacheable):
    """From here on the model may not call this tool any more."""

    tool: ChangedTool


def _unmarked(body: JsonObject) -> str:
    """Show a block without its mark for the cache, as the others are shown: the mark moves, and the block stays."""
    return repr({name: value for name, value in body.items() if name != "cache_control"})


@attrs.frozen
class Unknown:
    """A block whose type we have no words for; `body` is the whole object as it came."""

    type: str
    body: JsonObject = attrs.field(repr=_unmarked)


ContentBlock = (
    Text
    | Image
    | Document
    | SearchResult
    | Thinking
    | RedactedThinking
    | ToolUse
    | ToolResult
    | ToolReference
    | Compaction
    | ToolAddition
    | ToolRemoval
    | Unknown
)
"""Whatever a message, a tool's result or a document may be made of."""


@attrs.frozen
class OutputConfig(Node):
    """How much effort to spend, and which form the answer must have."""

    effort: str | None = None
    format: JsonObject | None = None


@attrs.frozen
class Message(Node):
    """One message; a string as content has become one text block."""

    role: Role
    content: tuple[ContentBlock, ...]
    output_config: OutputConfig | None = None

    @property
    def passes(self) -> bool:
        """Whether it is said for one turn alone, and not shown once the user speaks again: a system's may be."""
        return self.role == "system" and self.extra.get("clear_at") == "next_user_message"


@attrs.frozen
class Tool(Cacheable):
    """A function that the client runs."""

    name: str
    input_schema: JsonObject
    description: str | None = None
    strict: bool | None = None
    defer_loading: bool = False


@attrs.frozen
class ServerTool:
    """A tool whose meaning is fixed by Anthropic; `body` is the declaration as it came."""

    type: str
    name: str | None
    body: JsonObject


AnyTool = Tool | ServerTool
"""A declaration in `tools`."""

_KEPT_WHOLE = frozenset({Unknown, ServerTool})


def mark_of(part: ContentBlock | AnyTool) -> JsonObject | None:
    """The client's mark for the cache on a block or a tool; None when it has none, or something that is no mark."""
    mark = getattr(part, "cache_control", None)
    if mark is None and type(part) in _KEPT_WHOLE:
        mark = part.body.get("cache_control")  # type: ignore[union-attr] # both classes have a body
    return mark if isinstance(mark, dict) else None


@attrs.frozen
class ToolChoice(Node):
    """Whether the model may, must or must not call, and whether several at once."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool = False


@attrs.frozen
class ThinkingConfig(Node):
    """What the client asks about reasoning: `enabled`, `adaptive`, `disabled` or `between_tools`.

    Attributes:
        type: the mode.
        budget_tokens: tokens the model may spend, with `enabled` alone.
        display: `summarized`, `omitted` or `updates`; None is the server's choice.
    """

    type: str
    budget_tokens: int | None = None
    display: str | None = None


@attrs.frozen
class Metadata(Node):
    """Who the end user is, in the client's own words; Claude Code writes JSON into it."""

    user_id: str | None = None


@attrs.frozen
class HistoryNote:
    """What became of a part of the history, in words without content: it reads `Report.emulated(place, reason)`."""

    place: Place
    reason: str


@attrs.frozen
class HistoryEdits:
    """What was taken out of a conversation before it is translated, and what was put in.

    Attributes:
        applied: an entry for each edit that did something, in Anthropic's shape; None where the client asked for none.
        notes: where something was taken out, and why.
        cleared_tokens: the estimated tokens of what was taken out by edits.
        compacting: how it is to be summed up before it is answered; None where it is not.
        reminders: what the model is told behind a message, by the message's index.
    """

    applied: tuple[JsonObject, ...] | None = None
    notes: tuple[HistoryNote, ...] = ()
    cleared_tokens: int = 0
    compacting: Compacting | None = None
    reminders: Mapping[int, str] = attrs.field(factory=dict)


@attrs.frozen
class Request:
    """Everything that `POST /v1/messages` and `.../count_tokens` may say.

    Attributes:
        billing: which blocks of `system` held a billing header of the client's; their texts are empty now.
        extra: the top-level fields that have no attribute here, as they came: nothing is lost in silence.
        mended: the paths of texts that held half a character, which is U+FFFD by now.
        edits: what was taken out of the history, so that the messages are not all that the client sent.
    """

    model: str
    messages: tuple[Message, ...]
    max_tokens: int | None = None
    system: tuple[ContentBlock, ...] = ()
    tools: tuple[AnyTool, ...] = ()
    tool_choice: ToolChoice | None = None
    thinking: ThinkingConfig | None = None
    output_config: OutputConfig | None = None
    stream: bool = False
    stop_sequences: tuple[str, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    metadata: Metadata | None = None
    billing: tuple[int, ...] = ()
    extra: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    mended: tuple[str, ...] = ()
    edits: HistoryEdits = HistoryEdits()


NO_FIELDS = frozenset({"extra", "mended", "billing", "edits"})
"""Attributes of a request that are no fields of its body."""


@attrs.frozen
class Caller:
    """What the HTTP headers say about who asks.

    Attributes:
        session: `x-claude-code-session-id`, stable over a whole conversation; empty when absent.
        agent: `x-claude-code-agent-id`, set for subagents; empty when absent.
        betas: the values of `anthropic-beta`, in order.
        version: `anthropic-version`; empty when absent.
    """

    session: str = ""
    agent: str = ""
    betas: tuple[str, ...] = ()
    version: str = ""
