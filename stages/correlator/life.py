"""How the life of an item goes, whoever ends it: the upstream, which sends it whole, or the ledger, which closes it.

`Life` says where an item stands, `Turn` what can happen to it, and `AFTER` is all that follows from it.
"""

from __future__ import annotations

from enum import Enum


class Life(Enum):
    """Where an item stands."""

    OPEN = "open"
    """It may grow."""
    SUCCEEDED = "succeeded"
    """The next item has begun on a server that says `done` at the very end: it is as whole as it must be."""
    WHOLE = "whole"
    """The upstream has sent the whole item; what closes its block is still to come."""
    CLOSED = "closed"
    """Nothing more is said of it, though the upstream never sent the whole."""
    FINISHED = "finished"
    """Whole and closed."""

    @property
    def grows(self) -> bool:
        """Whether more may come of it."""
        return self in _GROWING


class Turn(Enum):
    """What can happen to an item."""

    SUCCEED = "succeed"
    RECEIVE = "receive"
    CLOSE = "close"


AFTER: dict[Life, dict[Turn, Life]] = {
    Life.OPEN: {Turn.SUCCEED: Life.SUCCEEDED, Turn.RECEIVE: Life.WHOLE, Turn.CLOSE: Life.CLOSED},
    Life.SUCCEEDED: {Turn.RECEIVE: Life.WHOLE, Turn.CLOSE: Life.CLOSED},
    Life.WHOLE: {Turn.CLOSE: Life.FINISHED},
    Life.CLOSED: {Turn.RECEIVE: Life.FINISHED},
    Life.FINISHED: {},
}
"""What an item becomes; a turn that is not named changes nothing."""

_GROWING = frozenset({Life.OPEN, Life.SUCCEEDED})

DONE = frozenset({Life.CLOSED, Life.FINISHED})
"""Lives in which nothing more comes of an item."""

RECEIVED = frozenset({Life.WHOLE, Life.FINISHED})
"""Lives in which the upstream has sent the whole item."""
