"""How a server is asked to end: once to let its requests end, and once more to wait for none of them."""

from __future__ import annotations

import attrs
import trio


@attrs.define(eq=False)
class Shutdown:
    """What asks a server to end. Each step is taken once, and none is taken back.

    Attributes:
        begun: set when the end has begun: requests have their grace.
        hurried: set when the grace is over early.
        by: what has asked, in one word for the log.
        closed: whether a client that connects after that finds nobody; else it is answered, by a refusal.
    """

    begun: trio.Event = attrs.field(factory=trio.Event)
    hurried: trio.Event = attrs.field(factory=trio.Event)
    by: str = ""
    closed: bool = False

    def begin(self, by: str = "", *, closed: bool = False) -> None:
        """Begin the end; does nothing when it has begun.

        Args:
            by: what asks, in one word for the log.
            closed: whether nobody is to be found by who connects from now on, whatever was said before.
        """
        if not self.begun.is_set():
            self.by, self.closed = by, self.closed or closed
            self.begun.set()

    def hurry(self, by: str = "") -> None:
        """End at once: whatever still runs is told so, and has a moment to say it."""
        self.begin(by)
        self.hurried.set()
