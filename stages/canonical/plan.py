"""What the stages of the answer must know about the request, decided by the mapper."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Protocol

import attrs

from stages.canonical.citable import Citable
from stages.canonical.omittable import OmittableMembers, StructuredAnswer


class ThinkingDisplay(Enum):
    """What a client gets to see of the reasoning."""

    SHOWN = "shown"
    """Summaries as text, and the carrier."""
    OMITTED = "omitted"
    """The carrier alone: the client said `display: omitted`."""
    NONE = "none"
    """No thinking block at all: the client switched thinking off."""


class Sealing(Protocol):
    """Says whose a file is."""

    def sealed(self, ident: str) -> str:
        """Put a seal to a client's id of a file, so that nobody else can use it."""
        ...


@attrs.frozen
class BoundReasoning:
    """The thinking blocks of a request whose client wants to hear which of them the model did not see.

    Attributes:
        mismatched: the reason of each that was not sent, by its path.
        returned: the paths of those that were sent.
    """

    mismatched: Mapping[str, str] = attrs.field(factory=dict)
    returned: tuple[str, ...] = ()


@attrs.frozen
class Compacting:
    """A conversation that is to be summed up before it is answered.

    Attributes:
        instructions: the client's words for that; empty where it has none.
        pauses: whether the answer ends behind the summary.
    """

    instructions: str = attrs.field(default="", repr=False)
    pauses: bool = False


@attrs.frozen
class AnswerPlan:
    """How to read the answer to one request.

    Attributes:
        message_id: the `msg_...` id of the answer.
        model: the name the client asked for, which the answer repeats.
        upstream_model: the name the upstream was asked for; reasoning is bound to it.
        account: fingerprint of upstream and key; reasoning is bound to it as well.
        tool_names: the client's tool name by the upstream's, of all that may be called.
        toolsets: the client's toolset by the upstream's tool name, for members of one.
        server_tools: the client's names of the tools that the upstream runs itself, by the upstream's `type`; the
            client understands the blocks of these alone.
        servers: the client's name of an MCP server by the upstream's label.
        thinking: what the client sees of the reasoning.
        max_output_tokens: the limit sent upstream; None when none was.
        stop_sequences: texts that must stop the answer, which the upstream does not know about.
        cut_at: tokens after which the answer is cut here, because the upstream cannot be asked for so few.
        input_tokens: the counted or estimated size of the prompt, for `message_start`.
        window: tokens that the upstream model takes as input.
        omittables: by the upstream's tool name, what may have to be left out of a call's arguments; others need no
            repair.
        sources: what the model may cite by marks in its text, by the names that it knows them by.
        cites: whether its text may be cut where something is cited; a structured answer must stay one text.
        structure: what must be undone on the text of a structured answer; None when nothing.
        late_system: whether a system message stands behind others, which some upstreams refuse.
        streamed: whether the upstream was asked for a stream; else its first byte comes when all is done.
        keyed: whether the upstream's key is the gateway's own, behind keys of its clients: no client can mend it.
        applied_edits: what was taken out of the conversation, in Anthropic's shape; None where nothing was asked.
        summarises: whether the answer is a summary of the conversation, and nothing else.
        compacting: how the conversation is summed up before it is answered; None where it is not.
        tool_changes: what a summary says of tools that came and went before it; None where none is asked for.
        hosted: the declarations of tools that are run here, by the name of their calls.
        fallbacks: the entries of models to be asked, one behind the other, where the one before has declined.
        reasoning: what the client asked to hear about its thinking blocks; None where it did not.
        extras: fields of the message that only those clients get who asked for them.
        sealing: seals the ids of files that code has made; None where there are no owners.
    """

    message_id: str
    model: str
    upstream_model: str
    account: str = ""
    tool_names: Mapping[str, str] = attrs.field(factory=dict)
    toolsets: Mapping[str, str] = attrs.field(factory=dict)
    server_tools: Mapping[str, str] = attrs.field(factory=dict)
    servers: Mapping[str, str] = attrs.field(factory=dict)
    thinking: ThinkingDisplay = ThinkingDisplay.SHOWN
    max_output_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()
    cut_at: int | None = None
    input_tokens: int = 0
    window: int = 0
    omittables: Mapping[str, OmittableMembers] = attrs.field(factory=dict, repr=False)
    sources: Mapping[str, Citable] = attrs.field(factory=dict, repr=False)
    cites: bool = True
    structure: StructuredAnswer | None = None
    late_system: bool = False
    streamed: bool = True
    keyed: bool = False
    applied_edits: tuple[dict[str, Any], ...] | None = None
    summarises: bool = False
    compacting: Compacting | None = None
    tool_changes: tuple[dict[str, Any], ...] | None = None
    hosted: Mapping[str, dict[str, Any]] = attrs.field(factory=dict, repr=False)
    fallbacks: tuple[dict[str, Any], ...] = attrs.field(default=(), repr=False)
    reasoning: BoundReasoning | None = None
    extras: Mapping[str, Any] = attrs.field(factory=dict)
    sealing: Sealing | None = attrs.field(default=None, repr=False)
