"""What all tracks have in common: one upstream item each, what it has said, and when it is whole.

A track never decides about order; it keeps what its item says until the ledger takes it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from stages.canonical.events import Arguments, BlockStart, BlockStop, Delta
from stages.canonical.plan import AnswerPlan

Content = Delta | Arguments
"""What fills a block, before a call's JSON buffer has read it."""


def unused(ident: str, taken: Collection[str], mark: str) -> str:
    """Give an id, or the first variant of it that nobody has: its number behind the mark."""
    variants = (f"{ident}{mark}{number}" if number else ident for number in range(len(taken) + 1))
    return next(variant for variant in variants if variant not in taken)


class Track:
    """An item without counterpart: it is counted by the ledger, and says nothing.

    `done` says that nothing more comes of it, `received` that the upstream has sent the whole item.
    """

    kind: str = ""

    def __init__(self, plan: AnswerPlan) -> None:
        self.plan = plan
        self.done = False
        self.received = False
        self.may_speak = True
        self.spoken = False
        self.size = 0
        self._said: list[BlockStart | Content | BlockStop] = []

    @property
    def settled(self) -> bool:
        """Whether it is known by now if this item will become a block."""
        return type(self) is Track or self.spoken or self.done

    def take(self) -> list[BlockStart | Content | BlockStop]:
        """Hand over what was said since the last time."""
        said, self._said, self.size = self._said, [], 0
        return said

    def say(self, event: BlockStart | Content | BlockStop, size: int = 64) -> None:
        """Keep one event until it is taken; `size` counts against what may wait."""
        self._said.append(event)
        self.spoken = True
        self.size += size

    def complete(self, item: dict[str, Any]) -> None:  # noqa: ARG002 - what it holds matters to the kinds
        """Take the whole item, which ends it."""
        self.end()

    def end(self) -> None:
        """Close what is open; nothing more comes."""
        self.done = True

    def cut(self) -> None:
        """Note that the whole answer stopped while this item may be unfinished."""

    def succeeded_without_index(self) -> None:
        """Note that a server which numbers nothing has begun its next item."""

    def could_be(self, item: dict[str, Any]) -> bool:
        """Whether this track may be the item, though neither id nor index say so."""
        return bool(self.kind) and item.get("type") == self.kind
