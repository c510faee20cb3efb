"""Whether others have their turns: a task that does nothing but count how often the scheduler comes to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio


@attrs.define
class Turns:
    """The turns of another task.

    Attributes:
        count: how many it had so far.
    """

    count: int = 0

    @asynccontextmanager
    async def counted(self) -> AsyncIterator[None]:
        """Let that task take every turn that it gets beside a block; it is cancelled at the block's end."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._take)
            yield
            nursery.cancel_scope.cancel()

    async def _take(self) -> None:
        while True:
            self.count += 1
            await trio.lowlevel.checkpoint()
