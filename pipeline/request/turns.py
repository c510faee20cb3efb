"""Turns: when many requests come at once, who is looked after next.

Translating is work without a wait. A thousand requests that arrive together would be one long piece of it, and nobody
would be accepted, hear of his upstream, or learn that the process is well, before the last of them is done. So a few
are translated in each round of the scheduler.

A round also reads every stream that has something to say, and with a thousand of them that is most of it: new requests
would wait for the streams ten rounds long. So streams give way as long as requests wait, until those have had eight
ninths of the work, or until a stream has waited for two hundred of them, which is a second. Nothing is lost by that:
what a stream has missed comes with one read, at a tenth of its price.

The shares decide how long a crowd waits that comes nearly as fast as it can be served: a thousand that come within
three seconds and take three are all served at once with all of the work, and in four seconds with three quarters of it.
"""

from __future__ import annotations

import attrs
import trio

ROUND = 8
"""Requests that are translated between two looks at everything else: ten milliseconds of work, for most."""

READS = 20
"""Reads of streams that cost as much as the translation of a request, and all that is done around either.

A read that comes alone costs half of that, but one that was put off brings ten events.
"""

SHARE = 8
"""How much more work goes to requests that wait than to the streams that give way to them."""

MOST_BETWEEN = 200
"""Requests for which a stream gives way at most."""


@attrs.define(eq=False)
class Turns:
    """Gives requests their turns, in the order in which they came, and streams theirs between them.

    Attributes:
        round: how many are given in each round.
        crowded: whether requests wait, so that streams give way.
    """

    round: int = ROUND
    crowded: bool = attrs.field(default=False, init=False)
    _left: int = attrs.field(init=False)
    _given: int = attrs.field(default=0, init=False)  # since the streams had their turn
    _renewing: bool = attrs.field(default=False, init=False)
    _waiting: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)
    _streams: trio.lowlevel.ParkingLot = attrs.field(factory=trio.lowlevel.ParkingLot, init=False)

    def __attrs_post_init__(self) -> None:
        """Begin the first round."""
        self._left = self.round

    async def take(self) -> None:
        """Return when a request may be translated: at once, mostly. A wait may be cancelled."""
        if self._left and not self._waiting:
            self._left -= 1
            return
        self.crowded = True
        self._renew_soon()
        await self._waiting.park()

    async def give_way(self) -> None:
        """Return when a stream may be read on: at once where it is not crowded. A wait may be cancelled."""
        if self.crowded:
            await self._streams.park()

    def _renew_soon(self) -> None:
        """Begin another round when the scheduler has looked at everything once."""
        if not self._renewing:
            self._renewing = True
            # A callback and no task: it belongs to no request, and goes on when the one that began it is cancelled.
            trio.lowlevel.current_trio_token().run_sync_soon(self._renew)

    def _renew(self) -> None:
        self._renewing = False
        given = len(self._waiting.unpark(count=self.round))
        self._left = self.round - given  # who is woken has its turn already, and does not take another
        self._given += given
        self.crowded = bool(self._waiting)
        if not self.crowded or self._given >= min(MOST_BETWEEN, SHARE * len(self._streams) / READS):
            self._streams.unpark_all()
            self._given = 0
        if self.crowded:
            self._renew_soon()
