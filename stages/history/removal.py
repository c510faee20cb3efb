"""How something is taken out of the messages of a request: its place stays, and a note says what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby

import attrs

from stages.canonical.place import Position, content_of_message
from stages.canonical.request import Compaction, ContentBlock, HistoryNote, JsonObject, Request

REMOVED = Compaction()
"""What stands in the place of a block that was taken out: a summary that did not come about says nothing."""


def with_blocks(request: Request, blocks: Mapping[Position, ContentBlock], reason: str) -> Request:
    """Put other blocks in the places of some, and note why at each of them; costs nothing for messages without any."""
    messages = list(request.messages)
    for index, positions in groupby(sorted(blocks), key=lambda position: position[0]):
        content = list(messages[index].content)
        for position in positions:
            content[position[1]] = blocks[position]
        messages[index] = attrs.evolve(messages[index], content=tuple(content))
    notes = tuple(HistoryNote(content_of_message(index).at(at), reason) for index, at in sorted(blocks))
    edits = attrs.evolve(request.edits, notes=(*request.edits.notes, *notes))
    return attrs.evolve(request, messages=tuple(messages), edits=edits)


def with_applied(request: Request, entry: JsonObject, cleared_tokens: int) -> Request:
    """Add an edit to those that have done something."""
    edits = request.edits
    applied = (*(edits.applied or ()), {**entry, "cleared_input_tokens": cleared_tokens})
    cleared = edits.cleared_tokens + cleared_tokens
    return attrs.evolve(request, edits=attrs.evolve(edits, applied=applied, cleared_tokens=cleared))
