"""A summary stands for all that was said before it: the last one that a conversation holds is where it begins.

Clients send the block back where they got it, in front of the conversation or in the middle of it.  What stands before
it is left out, for this turn and all later ones, so the upstream's cache begins with the summary and grows from there.
Tools that were added or removed there stay so: the summary gets their changes.
"""

from __future__ import annotations

import attrs

from stages.canonical.place import MESSAGES
from stages.canonical.request import Compaction, HistoryNote, Message, Request
from stages.history.removal import REMOVED, with_blocks
from stages.tools.changes import net_changes

SUMMARISED = "a later block has the summary of it, which stands in its place"
"""Why what stands before a summary is left out."""


def behind_the_summary(request: Request) -> Request:
    """Leave out what the last summary stands for; the request itself where there is none."""
    found = _last_summary(request)
    if found is None or found[:2] == (0, 0):  # nothing stands before it
        return request
    index, at, summary = found
    # Emptied and not removed: the paths of the report and of the edits behind this count messages.
    emptied = [attrs.evolve(message, content=()) for message in request.messages[:index]]
    notes = tuple(HistoryNote(MESSAGES.at(before), SUMMARISED) for before in range(index))
    edits = attrs.evolve(request.edits, notes=(*request.edits.notes, *notes))
    kept = _with_changes(request.messages[: index + 1], summary, at)
    request = attrs.evolve(request, messages=(*emptied, kept, *request.messages[index + 1 :]), edits=edits)
    return with_blocks(request, {(index, before): REMOVED for before in range(at)}, SUMMARISED) if at else request


def _with_changes(messages: tuple[Message, ...], summary: Compaction, at: int) -> Message:
    """Give the summary in the last of some messages the changes of tools before it: what came then stays loaded."""
    *before, last = messages
    changes = net_changes([*before, attrs.evolve(last, content=last.content[:at])], summary)
    if changes == (summary.tool_changes or ()):
        return last
    summary = attrs.evolve(summary, tool_changes=changes)
    return attrs.evolve(last, content=(*last.content[:at], summary, *last.content[at + 1 :]))


def _last_summary(request: Request) -> tuple[int, int, Compaction] | None:
    for index in range(len(request.messages) - 1, -1, -1):
        content = request.messages[index].content
        for at in range(len(content) - 1, -1, -1):
            block = content[at]
            if type(block) is Compaction and block.content:
                return index, at, block
    return None
