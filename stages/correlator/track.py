"""What all tracks have in common: one upstream item each, what it has said, and when it is whole.

A track never decides about order; it keeps what its item says until the ledger takes it.  What the ledger must know of
a kind of item it asks by the hooks that stand here with the answers of most kinds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import attrs

from stages.canonical.events import Arguments, BlockStart, BlockStop, Delta
from stages.canonical.plan import AnswerPlan
from stages.correlator.ids import Ids
from stages.correlator.life import AFTER, DONE, RECEIVED, Life, Turn
from stages.correlator.server_blocks import block_events
from stages.tools.server.row import CallBlock, ResultBlock
from stages.wire.responses_stream import StreamEvent

UNTYPED = "untyped item"
"""What an item is counted as that says nothing of its kind."""

Content = Delta | Arguments
"""What fills a block, before a call's JSON buffer has read it."""


@attrs.define(eq=False)
class Who:
    """By what an item is known.

    Attributes:
        ids: its `id`, and whatever else the upstream has called it by.
        call_id: the call's own id; empty for what is no call.
        index: its `output_index`, the first that was told.
        announced: whether it was announced before its content came.
        claimed: whether an event has spoken of its content.
        changing: whether its events call it by ids that it was not announced by.
    """

    ids: set[str] = attrs.field(factory=set)
    call_id: str = ""
    index: int | None = None
    announced: bool = False
    claimed: bool = False
    changing: bool = False


@attrs.frozen
class Around:
    """What the item at the head of the queue may have to know of the others.

    Attributes:
        answered: whether an answer, or a part of one, was told before.
        answer: whether one waits behind it.
        successor: the item that follows it; None when none is known that will ever say something.
        ended: whether the whole answer has ended.
    """

    answered: bool
    answer: bool
    successor: Track | None
    ended: bool


class Track:
    """One item of the upstream's, whatever its kind.

    `life` is where it stands; `done` whether nothing more comes of it, and `received` whether the upstream has sent the
    whole item, both kept apart because every delta asks.
    `half` is a delta of half a character, which waits for the other half.
    """

    kind: str = ""
    answers = True
    """Whether what it says is an answer, or a part of one."""
    phase = ""
    """The phase that reasoning before it must remember."""
    runs = False
    """Whether the client is to run something."""
    refusal = ""
    """What the model said instead of answering."""
    row: Any = None
    """The row of the tool that the upstream ran; None for all that is no such call."""
    call_id = ""
    """The client's id of the call that this is."""
    name = ""
    """The upstream's name of the function that the client is to run."""
    container: str | None = None
    """The machine that it ran on."""

    def __init__(self, plan: AnswerPlan) -> None:
        self.plan = plan
        self.who = Who()
        self.life = Life.OPEN
        self.done = False
        self.received = False
        self.may_speak = True
        self.spoken = False
        self.size = 0
        self.counted = 0
        self.half: StreamEvent | None = None
        self._said: list[BlockStart | Content | BlockStop] = []

    # -- its life ---------------------------------------------------------------------------

    @property
    def settled(self) -> bool:
        """Whether it is known by now if this item will become a block."""
        return self.spoken or self.done

    def turn(self, turn: Turn) -> None:
        """Let something happen to it."""
        self.life = AFTER[self.life].get(turn, self.life)
        self.done, self.received = self.life in DONE, self.life in RECEIVED

    # -- what it says -----------------------------------------------------------------------

    def take(self) -> list[BlockStart | Content | BlockStop]:
        """Hand over what was said since the last time."""
        said, self._said, self.size = self._said, [], 0
        return said

    def say(self, event: BlockStart | Content | BlockStop, size: int = 64) -> None:
        """Keep one event until it is taken.

        `size` counts against what may wait (law 6): characters, or about what an object costs that holds none.
        """
        self._said.append(event)
        self.spoken = True
        self.size += size

    def say_all(self, events: Sequence[Content], size: int) -> None:
        """Keep pieces of content, which are of that size together."""
        self._said += events
        self.spoken = True
        self.size += size

    def say_block(self, part: CallBlock | ResultBlock, call_id: str) -> None:
        """Keep a whole block of a call that the upstream ran."""
        for event, size in block_events(part, call_id):
            self.say(event, size)

    # -- hooks ------------------------------------------------------------------------------

    @property
    def left_out(self) -> Counter[str]:
        """What of it the client does not get to see, by what it is."""
        return Counter()

    @property
    def told(self) -> Sequence[str]:
        """The text that was told of it, piece by piece; nothing for what is no text."""
        return ()

    @property
    def words(self) -> str:
        """What was told of it, without what servers change when they tell it again; empty for nothing."""
        return "".join("".join(self.told).split())

    def adopt(self, item: dict[str, Any]) -> None:
        """Learn from an announcement that comes after the first content."""

    def enter(self, ids: Ids) -> None:
        """Take the ids that its blocks need; called once, before anything else."""

    def complete(self, item: dict[str, Any], *, repeats: bool = False) -> None:  # noqa: ARG002 - it matters to kinds
        """Take the whole item, which ends it; `repeats` says that all of its text was told, if maybe elsewhere."""
        self.turn(Turn.RECEIVE)
        self.end()

    def end(self) -> None:
        """Close what is open; nothing more comes."""
        self.turn(Turn.CLOSE)

    def cut(self) -> None:
        """Note that the whole answer stopped while this item may be unfinished."""

    def succeeded_without_index(self) -> None:
        """Note that a server which numbers nothing has begun its next item."""

    def is_over(self, delta: str, *, left: bool) -> bool:  # noqa: ARG002 - it matters to the kinds
        """Whether more text, under another name or at another place, begins another item.

        Args:
            delta: it.
            left: whether something else was told since.
        """
        return False

    def fits(self, item: dict[str, Any]) -> bool:  # noqa: ARG002 - it matters to the kinds
        """Whether a whole item of its kind could be this one, by what was told of it so far."""
        return True

    def says(self, item: dict[str, Any]) -> bool:  # noqa: ARG002 - it matters to the kinds
        """Whether a whole item of its kind says exactly what was told of it."""
        return False

    def release(self, around: Around) -> bool:  # noqa: ARG002 - it matters to reasoning
        """Decide, at the head of the queue, whether it may speak now."""
        return True


class UnknownTrack(Track):
    """An item without counterpart: it says nothing, and counts as left out once it is whole."""

    def __init__(self, plan: AnswerPlan, kind: str) -> None:
        super().__init__(plan)
        self.kind = kind

    @property
    def settled(self) -> bool:
        """It never becomes a block."""
        return True

    @property
    def left_out(self) -> Counter[str]:
        """The item itself, by its type."""
        return Counter({self.kind or UNTYPED: 1}) if self.received else Counter()
