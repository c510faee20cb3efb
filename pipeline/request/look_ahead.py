"""How an upstream's answer begins: whether it takes the request, before anything of the answer is told.

An upstream may refuse a request with a status, or say 200 and fail in the first event that says anything. The client
must not notice the difference: as long as nothing was told, the request can be made again.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from stages.actor import Batch, Inbox, LargeBatch, beside
from stages.canonical.failure import Failure
from stages.canonical.plan import AnswerPlan
from stages.correlator import Ledger
from stages.wire.responses_stream import StreamEvent


class LookAhead:
    """The events of an answer, which can be read up to where they begin to mean something, and then from the start.

    It reads ahead with a ledger of its own, which is thrown away: what that says first decides. What was read waits
    here meanwhile, and says nothing, so nobody is held up by it; the reader's limit for a whole answer bounds it.
    """

    def __init__(self, inbox: Inbox[StreamEvent]) -> None:
        """Open an answer.

        Args:
            inbox: its events, batch by batch, none of them read yet.
        """
        self._inbox = aiter(inbox)
        self._read: deque[Batch[StreamEvent]] = deque()

    async def refusal(self, plan: AnswerPlan, waiting: int) -> Failure | None:
        """Read on until something is said; return it if it is a failure, or None.

        Waits for the upstream. Cancelled, what was read stays here, and the answer is closed by who opened it.

        Args:
            plan: how the answer is read.
            waiting: characters that blocks may hold back in all, as for the `Ledger`.
        """
        books = Ledger(plan, waiting=waiting)
        async for batch in self._inbox:
            self._read.append(batch)
            said = await beside(_first, books, batch) if type(batch) is LargeBatch else _first(books, batch)
            if said is not None:
                return said if isinstance(said, Failure) else None
        return None

    def __aiter__(self) -> LookAhead:
        """Return itself; an answer can be read once."""
        return self

    async def __anext__(self) -> Batch[StreamEvent]:
        """Return the next batch, of those read ahead first; waits for the upstream once they are used up."""
        return self._read.popleft() if self._read else await anext(self._inbox)


def _first(books: Ledger, batch: Batch[StreamEvent]) -> Any:
    """What follows first from a batch; a pause is no word, but says that there is much to come; None for nothing."""
    return next(iter(books.read(batch)), None)
