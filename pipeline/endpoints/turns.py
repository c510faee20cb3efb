"""Turns: when many requests come at once, few are translated before everybody else is looked after again.

Translating is work without a wait. A thousand requests that arrive together would be one long piece of it, and nobody
would be accepted, hear of his upstream, or learn that the process is well, before the last of them is done.
"""

from __future__ import annotations

import attrs
import trio

ROUND = 8
"""Requests that are translated between two looks at everything else: ten milliseconds of work, for most."""


@attrs.define(eq=False)
class Turns:
    """Gives requests their turns, in the order in which they came.

    Attributes:
        round: how many are given in each round.
    """

    round: int = ROUND
    _left: int = attrs.field(init=False)
    _renewing: bool = attrs.field(default=False, init=False)
    _waiting: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin the first round."""
        self._left = self.round

    async def take(self) -> None:
        """Return when a request may be translated: at once, mostly. A wait may be cancelled."""
        if self._left and not self._waiting:
            self._left -= 1
            return
        self._renew_soon()
        await self._waiting.park()

    def _renew_soon(self) -> None:
        """Begin another round when the scheduler has looked at everything once."""
        if not self._renewing:
            self._renewing = True
            trio.lowlevel.current_trio_token().run_sync_soon(self._renew)

    def _renew(self) -> None:
        self._renewing = False
        given = len(self._waiting.unpark(count=self.round))
        self._left = self.round - given
        if self._waiting:
            self._renew_soon()
