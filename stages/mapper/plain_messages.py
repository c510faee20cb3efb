"""Messages that become the same items in every turn: made once for each message, and written once.

Most of a long conversation is texts, calls and results, which depend on little but themselves: that the calls have ids
of their own, and that the results answer them. What asks for more (marks for the cache, citations, files, tools of the
server, reasoning between the blocks and not before them) is no plain message, and is mapped in each turn by
`conversation`.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from stages.canonical.request import ContentBlock, Message, RedactedThinking, Text, Thinking, ToolResult, ToolUse
from stages.mapper.parts import text_parts
from stages.mapper.phases import phases_of
from stages.mapper.results import output_of
from stages.tables.identifiers import call_id_of
from stages.tools.client import upstream_name
from stages.wire import responses_request as responses
from stages.wire.cache import by_identity
from stages.wire.responses_request import ContentPart, Item
from stages.wire.written import WrittenItem

REASONING = (Thinking, RedactedThinking)
"""The blocks of reasoning."""


@attrs.frozen
class PlainMessage:
    """What a plain message becomes; shared between requests, so that nobody may change it.

    Attributes:
        items: its items, if its calls are known by the ids below.
        calls: the calls that it makes, or answers: the client's id, the upstream's, and its index in the message.
        begins: the index of the first block behind the reasoning with which the model's messages begin.
        phase: the phase of the text that comes first; None where a call does, or nothing.
    """

    items: tuple[WrittenItem, ...] = attrs.field(repr=False)
    calls: tuple[tuple[str, str, int], ...]
    begins: int = 0
    phase: str | None = None

    @classmethod
    def of(cls, items: Sequence[Item], ids: Sequence[tuple[str, int]], begins: int = 0) -> PlainMessage | None:
        """Write items with these calls; None where an id comes twice."""
        calls = tuple((ident, call_id_of(ident), index) for ident, index in ids)
        twice = len({call_id for _, call_id, _ in calls}) < len(calls)
        phase = items[0].get("phase", "") if items and items[0]["type"] == "message" else None
        return None if twice else cls(tuple(map(WrittenItem, items)), calls, begins, phase)


@by_identity
def plain_question(message: Message) -> PlainMessage | None:
    """Map a user's message of texts and results of texts; None for any other."""
    if message.role != "user" or not all(map(_is_plain, message.content)):
        return None
    items: list[Item] = []
    parts: list[ContentPart] = []
    ids: list[tuple[str, int]] = []
    for index, block in enumerate(message.content):
        if isinstance(block, ToolResult):
            items += [responses.message_item("user", parts)] if parts else []
            parts = []
            output = output_of(_texts(block.content), is_error=block.is_error)
            items.append(responses.function_call_output(call_id_of(block.tool_use_id), output))
            ids.append((block.tool_use_id, index))
        else:
            parts += _texts((block,))
    items += [responses.message_item("user", parts)] if parts else []
    return PlainMessage.of(items, ids)


def plain_answer(message: Message, spelling: str, *, phases: bool) -> PlainMessage | None:
    """Map an assistant's message of texts and calls, but for the reasoning before them; None for any other.

    Args:
        message: the message.
        spelling: how its texts are written, as `responses.assistant_message` has it.
        phases: whether the model marks its messages with a phase.
    """
    forms = _forms(message)
    form = spelling, phases
    if form not in forms:
        forms[form] = _answer(message, spelling, phases=phases)
    return forms[form]


@by_identity
def _forms(_: Message) -> dict[tuple[str, bool], PlainMessage | None]:
    """Hold what became of an assistant's message so far, by the spelling and by whether it has phases."""
    return {}


def _answer(message: Message, spelling: str, *, phases: bool) -> PlainMessage | None:
    depends_on_its_place = spelling == "item"
    begins = reasoning_before(message)
    if depends_on_its_place or not all(map(_is_said, message.content[begins:])):
        return None
    spoken = {at for at, block in enumerate(message.content) if isinstance(block, Text) and block.text.strip()}
    marks = phases_of(message, spoken) if phases else {}
    items: list[Item] = []
    ids: list[tuple[str, int]] = []
    for index, block in enumerate(message.content):
        if isinstance(block, ToolUse):
            items.append(responses.function_call(call_id_of(block.id), upstream_name(block.name), block.input))
            ids.append((block.id, index))
        elif index in spoken and isinstance(block, Text):
            said = responses.Said(block.text, phase=marks.get(index, ""))
            items.append(responses.assistant_message(said, spelling, 0))
    return PlainMessage.of(items, ids, begins)


def reasoning_before(message: Message) -> int:
    """How many blocks of reasoning a message begins with."""
    others = (at for at, block in enumerate(message.content) if not isinstance(block, REASONING))
    return next(others, len(message.content))


def _is_plain(block: ContentBlock) -> bool:
    """Whether a block of a user's is a text, or a result of texts, and nothing else is said of it."""
    if isinstance(block, ToolResult):
        return block.cache_control is None and all(map(_is_text, block.content))
    return _is_text(block)


def _is_said(block: ContentBlock) -> bool:
    """The same of a text or a call of the model's."""
    if isinstance(block, ToolUse):
        return block.cache_control is None and block.toolset_name is None
    return _is_text(block)


def _is_text(block: ContentBlock) -> bool:
    return isinstance(block, Text) and block.cache_control is None and not block.extra


def _texts(blocks: Sequence[ContentBlock]) -> list[ContentPart]:
    return [part for block in blocks if isinstance(block, Text) for part in text_parts(block)]
