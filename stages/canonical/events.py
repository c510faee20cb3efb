"""What the stages say to each other about an answer: blocks that begin, grow and end, and one ending.

The order of a message is `BlockStart, delta*, BlockStop` for each block, then `MessageEnd`, or a `Failure` anywhere.

The four classes of which an answer has thousands are structs, because C makes them: a frozen object of attrs costs half
a microsecond, which is an eighth of an event.
"""

from __future__ import annotations

from typing import Any

import attrs
import msgspec

from stages.canonical.omittable import OmittableMembers


@attrs.frozen
class TextStart:
    """A block of text begins; `cited` says that citations come before its text."""

    cited: bool = False


@attrs.frozen
class ThinkingStart:
    """A block of reasoning begins."""


@attrs.frozen
class ToolUseStart:
    """A call begins: `id` and `name` are the client's, already restored.

    `toolset` is the client's toolset that the called function is a member of; empty for every other function.
    `omittable` is what may have to be left out of its arguments; None when nothing.
    """

    id: str
    name: str
    toolset: str = ""
    omittable: OmittableMembers | None = attrs.field(default=None, eq=False, repr=False)


@attrs.frozen
class ServerToolUseStart:
    """A call that the upstream ran itself begins; its arguments follow as `JsonDelta`s.

    `server` is the client's name of the MCP server that it is a call of; None for Anthropic's own tools.
    """

    id: str
    name: str
    server: str | None = None


@attrs.frozen
class ResultStart:
    """The result of such a call: a block that is whole as it begins.

    `body` is Anthropic's block; it holds what was found, so it is content.
    """

    body: dict[str, Any]


@attrs.frozen
class CompactionStart:
    """A summary begins.

    Attributes:
        signature: its seal; None where no summary came about.
        tool_changes: Anthropic's blocks about tools that came and went in what is summed up; None where that is not
            said.
    """

    signature: str | None = None
    tool_changes: tuple[dict[str, Any], ...] | None = None


@attrs.frozen
class FallbackStart:
    """Another model goes on with the answer, since the one before it has declined: a block that says nothing else.

    Attributes:
        declined: the client's name of the model that has declined.
        model: the client's name of the one that goes on.
        category: Anthropic's category of the refusal; None where it has none.
    """

    declined: str
    model: str
    category: str | None = None


BlockStart = (
    TextStart | ThinkingStart | ToolUseStart | ServerToolUseStart | ResultStart | CompactionStart | FallbackStart
)
"""How a content block starts."""


class TextDelta(msgspec.Struct, frozen=True, gc=False):
    """More text; never empty."""

    text: str


@attrs.frozen
class CitationsDelta:
    """One source of the open block's text, in Anthropic's words; all of them come before that text."""

    citation: dict[str, Any]


class ThinkingDelta(msgspec.Struct, frozen=True, gc=False):
    """More reasoning; never empty."""

    thinking: str


@attrs.frozen
class SignatureDelta:
    """The carrier of a reasoning block; comes once, last."""

    signature: str


@attrs.frozen
class CompactionDelta:
    """A whole summary; comes once."""

    content: str


class ArgumentsDelta(msgspec.Struct, frozen=True, gc=False):
    """More of a call's argument text, as the upstream writes it."""

    text: str


@attrs.frozen
class ArgumentsDone:
    """All of a call's argument text, which repeats what came before it, or says it for the first time."""

    text: str


@attrs.frozen
class ArgumentsCut:
    """The answer ends here, so that the argument text may be unfinished without being wrong."""


class JsonDelta(msgspec.Struct, frozen=True, gc=False):
    """More of a call's arguments as the client reads them; the first of a block is empty."""

    partial_json: str


@attrs.frozen
class BlockStop:
    """The open block is whole."""


@attrs.frozen
class Usage:
    """Tokens of one answer; the whole prompt is the sum of the first three.

    Attributes:
        input_tokens: prompt tokens neither read from a cache nor written to one.
        cache_read_input_tokens: prompt tokens read from the cache.
        cache_creation_input_tokens: prompt tokens written to it.
        output_tokens: tokens of the answer, reasoning included.
        thinking_tokens: the part of them that is reasoning; None when the upstream does not say.
        long_lived_tokens: the part of the written ones that is kept longer than the shortest time.
    """

    input_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    output_tokens: int = 0
    thinking_tokens: int | None = None
    long_lived_tokens: int = 0


@attrs.frozen
class MessageEnd:
    """The message is whole.

    Attributes:
        stop_reason: Anthropic's word for why it ended.
        usage: the truth about tokens, as far as the upstream told it.
        stop_sequence: the sequence that stopped it, with `stop_sequence` alone.
        stop_details: category and explanation of a refusal, in Anthropic's shape.
        server_tools: how many calls the upstream ran for it, by its `type` of the tool.
        container: id and end of life of the machine that they ran on, in Anthropic's shape.
        left_out: how many upstream items or events had no counterpart, by type.
        dropped_reasoning: how many reasoning items of the request the upstream kept from the model, by its reason.
        transformations: Anthropic's list of the thinking blocks that the model was not shown; None where the client did
            not ask.
        iterations: what each request cost, in Anthropic's shape, where more than one was made for it.
        verdicts: Anthropic's list of what its calls were judged to be; None where nobody was asked.
        repaired: how many members were left out of arguments and structured answers, since their schema forbids them.
    """

    stop_reason: str
    usage: Usage = Usage()
    stop_sequence: str | None = None
    stop_details: dict[str, Any] | None = None
    server_tools: tuple[tuple[str, int], ...] = ()
    container: dict[str, Any] | None = None
    left_out: tuple[tuple[str, int], ...] = ()
    dropped_reasoning: tuple[tuple[str, int], ...] = ()
    transformations: tuple[dict[str, Any], ...] | None = None
    iterations: tuple[dict[str, Any], ...] | None = None
    verdicts: tuple[dict[str, Any], ...] | None = None
    repaired: int = 0


Delta = TextDelta | CitationsDelta | ThinkingDelta | SignatureDelta | JsonDelta | CompactionDelta
"""How the open block grows, as an encoder sees it."""

Arguments = ArgumentsDelta | ArgumentsDone | ArgumentsCut
"""How a call grows before its JSON buffer has read it."""

BLOCK_STOP = BlockStop()
"""The one value of its class."""
