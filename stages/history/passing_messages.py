"""`clear_at: next_user_message`: what a system message says for one turn is not shown in the turns after it.

Source: `BetaSystemMessageParam` of the Anthropic SDK 2.14; the message stays in the array, so its place does.
"""

from __future__ import annotations

import attrs

from stages.canonical.place import MESSAGES
from stages.canonical.request import HistoryNote, Request, Text

PASSED = "said for an earlier turn alone, as clear_at asks; what stands behind it is read without the cache once"
"""Why a message is no more shown."""


def without_passed_messages(request: Request) -> Request:
    """Empty the system messages whose turn is over; tools that one of them has added stay, and so does its effort."""
    last = next((at for at in range(len(request.messages) - 1, -1, -1) if request.messages[at].role == "user"), 0)
    passed = [at for at, message in enumerate(request.messages[:last]) if message.extra and message.passes]
    if not passed:
        return request
    messages = list(request.messages)
    # From the first of these on the prefix is not that of the turn before: the client has asked for it.
    for at in passed:
        kept = tuple(block for block in messages[at].content if not isinstance(block, Text))
        messages[at] = attrs.evolve(messages[at], content=kept)
    notes = tuple(HistoryNote(MESSAGES.at(at), PASSED) for at in passed)
    edits = attrs.evolve(request.edits, notes=(*request.edits.notes, *notes))
    return attrs.evolve(request, messages=tuple(messages), edits=edits)
