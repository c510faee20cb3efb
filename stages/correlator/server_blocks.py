"""The blocks of a call that the upstream ran itself, as events: what was called, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator

from stages.canonical.events import BLOCK_STOP, BlockStart, BlockStop, JsonDelta, ResultStart, ServerToolUseStart
from stages.tools.server.row import CallBlock, ResultBlock
from stages.wire import json

SizedEvent = tuple[BlockStart | JsonDelta | BlockStop, int]
"""An event of a block, and what it counts against what may wait, in characters."""

_SMALL = 64


def block_events(part: CallBlock | ResultBlock, ident: str) -> Iterator[SizedEvent]:
    """Say a block.

    Args:
        part: the block.
        ident: the id of the call.
    """
    if isinstance(part, CallBlock):
        arguments = json.encode(part.input).decode()
        yield ServerToolUseStart(ident, part.name, part.server), _SMALL
        yield JsonDelta(""), _SMALL
        yield JsonDelta(arguments), len(arguments)
    else:
        yield ResultStart({**part.body, "tool_use_id": ident}), len(json.encode(part.body))
    yield BLOCK_STOP, _SMALL
