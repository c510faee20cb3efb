"""What is known about the upstream while the program runs: what the settings say, and what a look at it has found.

The first look is at the start, in the background, since the upstream may be away or slow. Until one has found somebody,
whoever needs to know waits for it, but not for long and not every time.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import trio

from pipeline.upstream.client import UpstreamClient
from pipeline.upstream.look import Findings, look_at
from stages.mapper import Target
from stages.tables.profiles import PROFILES, Profile

ANSWER_TIMEOUT = 2.0
"""Seconds that one answer of the upstream may take in a look."""

PATIENCE = 3.0
"""Seconds that a request waits for a look: then it goes on with what is known."""

PAUSE, LONGEST_PAUSE = 5.0, 300.0
"""Seconds until an upstream that was away is looked at again, doubled each time."""


@attrs.define
class Discovery:
    """Knows the target of requests, better after a look.

    Attributes:
        client: speaks to the upstream.
        target: what is known.
        adapt: makes the profile that is used of the one that was found, or keeps another that was set; None when what
            the server is called does not matter.
        heard: hears what is known now, and what a look has found, once.
        settled: whether a look has found somebody, so that there is no other.
    """

    client: UpstreamClient
    target: Target
    adapt: Callable[[Profile], Profile] | None
    heard: Callable[[Target, Findings], None] = lambda _, __: None
    settled: bool = attrs.field(default=False, init=False)
    _lock: trio.Lock = attrs.field(factory=trio.Lock, init=False)
    _next: float = attrs.field(default=float("-inf"), init=False)
    _pause: float = attrs.field(default=PAUSE, init=False)

    async def known(self) -> Target:
        """What is known by now. Waits, for `PATIENCE` at most, while nobody has been found and a look is due."""
        if not self.settled and trio.current_time() >= self._next:
            with trio.move_on_after(PATIENCE):
                await self.look()
        return self.target

    async def look(self) -> None:
        """Look once, or wait for the look that is under way. Cancelled, it leaves the look to the next."""
        async with self._lock:
            if self.settled or trio.current_time() < self._next:
                return
            found = await look_at(self.client, ANSWER_TIMEOUT, routes=self.adapt is not None)
            self.settled = found.settled
            self._next, self._pause = trio.current_time() + self._pause, min(2 * self._pause, LONGEST_PAUSE)
            self.target = self._with(found)
        if found.settled:
            self.heard(self.target, found)

    def _with(self, found: Findings) -> Target:
        profile = self.target.profile
        if self.adapt is not None and found.profile:
            profile = self.adapt(PROFILES[found.profile])
        models = attrs.evolve(self.target.models, served=found.served, window=found.window, local=profile.local)
        return attrs.evolve(self.target, profile=profile, models=models)
