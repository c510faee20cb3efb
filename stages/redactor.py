"""Any event of an answer becomes facts that may be logged: an allow-list by type, never scrubbing.

A class of events that nobody has decided about does not type-check, so content cannot reach a log by being new (law 7).
"""

from __future__ import annotations

from typing import assert_never

import attrs

from stages.block import AnswerEvent
from stages.canonical.events import (
    BlockStop,
    CitationsDelta,
    CompactionDelta,
    CompactionStart,
    FallbackStart,
    JsonDelta,
    MessageEnd,
    ResultStart,
    ServerToolUseStart,
    SignatureDelta,
    TextDelta,
    TextStart,
    ThinkingDelta,
    ThinkingStart,
    ToolUseStart,
)
from stages.canonical.failure import Failure
from stages.tables.errors import OWN_CAUSES
from stages.tables.stops import DROP_REASONS
from stages.tools.server import BY_UPSTREAM


@attrs.frozen
class Fact:
    """What may be known of an event.

    Attributes:
        name: what happened, in `snake_case`.
        values: numbers, and words of a fixed list; never a text that a person or a model wrote.
    """

    name: str
    values: tuple[tuple[str, int | str], ...] = ()


SIZE_ONLY = frozenset({TextDelta, ThinkingDelta, JsonDelta, SignatureDelta, BlockStop})
"""Classes whose facts are only sizes; a logger that is not asked for details need not see them."""


def redact(event: AnswerEvent | Failure) -> Fact:  # noqa: C901, PLR0911, PLR0912 - one case for each class, by intention
    """Keep of an event what may be logged."""
    match event:
        case TextDelta(text) | ThinkingDelta(text) | JsonDelta(text) | SignatureDelta(text) | CompactionDelta(text):
            return Fact("delta", (("characters", len(text)),))
        case Failure():
            known = (("cause", event.cause),) if event.cause in OWN_CAUSES else ()
            return Fact("failure", (("kind", event.kind.name.lower()), ("status", event.kind.status), *known))
        case CitationsDelta():
            return Fact("citation")
        case TextStart():
            return Fact("block_start", (("type", "text"),))
        case ThinkingStart():
            return Fact("block_start", (("type", "thinking"),))
        case ToolUseStart():
            return Fact("block_start", (("type", "tool_use"),))
        case ServerToolUseStart():
            return Fact("block_start", (("type", "server_tool_use"),))
        case ResultStart():
            return Fact("block_start", (("type", "server_tool_result"),))
        case CompactionStart():
            return Fact("block_start", (("type", "compaction"),))
        case FallbackStart():
            return Fact("block_start", (("type", "fallback"),))
        case BlockStop():
            return Fact("block_stop")
        case MessageEnd():
            return Fact("message_end", _ending(event))
        case _:
            assert_never(event)


def _ending(end: MessageEnd) -> tuple[tuple[str, int | str], ...]:
    usage = end.usage
    return (
        ("stop_reason", end.stop_reason),
        ("input_tokens", usage.input_tokens),
        ("cache_read_input_tokens", usage.cache_read_input_tokens),
        ("cache_creation_input_tokens", usage.cache_creation_input_tokens),
        *((("long_lived_tokens", usage.long_lived_tokens),) if usage.long_lived_tokens else ()),
        ("output_tokens", usage.output_tokens),
        *((f"hosted_{kind}", count) for kind, count in end.server_tools if kind in BY_UPSTREAM),
        ("left_out", sum(count for _, count in end.left_out)),
        *((f"withheld_{reason}", count) for reason, count in end.dropped_reasoning if reason in DROP_REASONS),
        *((("repaired", end.repaired),) if end.repaired else ()),
    )
