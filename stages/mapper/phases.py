"""Which phase a text of an earlier answer was in, told by where it stands.

Newer models mark each of their messages as `commentary` (said on the way) or `final_answer`, and want the mark back.
Anthropic's blocks have no room for it. It needs none: in all 62 whole answers with marks that were recorded
(gpt-5.3-codex to gpt-6-astra), what a call or another message follows in the same answer is commentary, and what ends
the answer is final, cut answers among them. So the place tells the phase of another service's history as well. Where
the upstream said something else, the carrier of the reasoning before the text says so, and counts.
"""

from __future__ import annotations

from collections.abc import Container

from stages.canonical.request import ContentBlock, Message, RedactedThinking, Text, Thinking
from stages.tables.citations import citations_on, place_of

COMMENTARY, FINAL = "commentary", "final_answer"
"""The phases, in the upstream's words."""

_REASONING = (Thinking, RedactedThinking)

PHASES = frozenset({"", COMMENTARY, FINAL})
"""What a carrier may say; anything else was damaged on its way, and would be refused upstream."""


def phases_of(message: Message, starts: Container[int]) -> dict[int, str]:
    """Tell the phase of each block of an assistant's message that is, or is shown as, text; by the block's index.

    An assistant's message is whole when it is sent back, so what stands behind a text in it never changes later.
    Reasoning says nothing about the text before it.

    Args:
        message: the assistant's.
        starts: indices of the blocks at which a text begins that is sent; others go on one, or are white space alone.
    """
    phases: dict[int, str] = {}
    followed, behind = False, None
    for index in reversed(range(len(message.content))):
        block = message.content[index]
        if isinstance(block, _REASONING):
            behind = None
        elif not isinstance(block, Text) or index in starts:
            piece = behind is not None and _is_cut(block, message.content[behind])
            phases[index] = phases[behind] if piece and behind is not None else COMMENTARY if followed else FINAL
            followed, behind = True, index
    return phases


def _is_cut(block: ContentBlock, behind: ContentBlock) -> bool:
    """Whether two neighbours are pieces of one text that another service's citations cut."""
    pair = (block, behind)
    return all(isinstance(one, Text) for one in pair) and any(_is_cited_elsewhere(one) for one in pair)


def _is_cited_elsewhere(block: ContentBlock) -> bool:
    citations = citations_on(block) if isinstance(block, Text) else []
    return bool(citations) and all(place_of(citation) is None for citation in citations)
