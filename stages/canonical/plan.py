"""What the stages of the answer must know about the request, decided by the mapper."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

import attrs


class ThinkingDisplay(Enum):
    """What a client gets to see of the reasoning."""

    SHOWN = "shown"
    """Summaries as text, and the carrier."""
    OMITTED = "omitted"
    """The carrier alone: the client said `display: omitted`."""
    NONE = "none"
    """No thinking block at all: the client switched thinking off."""


@attrs.frozen
class AnswerPlan:
    """How to read the answer to one request.

    Attributes:
        message_id: the `msg_...` id of the answer.
        model: the name the client asked for, which the answer repeats.
        upstream_model: the name the upstream was asked for; reasoning is bound to it.
        account: fingerprint of upstream and key; reasoning is bound to it as well.
        tool_names: the client's tool name by the upstream's, for names that had to change.
        web_search: whether the client declared a web search, and so understands its blocks.
        thinking: what the client sees of the reasoning.
        max_output_tokens: the limit sent upstream; None when none was.
        stop_sequences: texts that must stop the answer, which the upstream does not know about.
        cut_at: tokens after which the answer is cut here, because the upstream cannot be asked for so few.
        input_tokens: the counted or estimated size of the prompt, for `message_start`.
        window: tokens that the upstream model takes as input.
    """

    message_id: str
    model: str
    upstream_model: str
    account: str = ""
    tool_names: Mapping[str, str] = attrs.field(factory=dict)
    web_search: bool = False
    thinking: ThinkingDisplay = ThinkingDisplay.SHOWN
    max_output_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()
    cut_at: int | None = None
    input_tokens: int = 0
    window: int = 0
