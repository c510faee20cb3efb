"""The requests that run now: how many may, what they weigh, and who ends them when time is up.

Admission is decided before a body is read: a client that comes at a bad time learns so at once, and those that were
admitted are served as if it had not come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

import attrs
import trio

from pipeline.settings import Settings
from stages.canonical.failure import Failure, Kind

RETRY_AFTER = 2
"""Seconds after which a client that was turned away may come again; most requests are slower than that."""

SPARE = 5.0
"""Seconds beyond `timing.total` after which a request is cut whatever it does: it has told its client before."""

STOPPING_FAILURE = Failure(
    Kind.OVERLOADED, "The server is shutting down; try again.", retry_after=RETRY_AFTER, cause="shutdown"
)
DRAINING = attrs.evolve(STOPPING_FAILURE, cause="draining")
LATE = Failure(Kind.TIMEOUT, "The request took longer than the limit for a whole request.", cause="total")

_FULL = Failure(
    Kind.OVERLOADED, "The server has too many requests at once; try again.", retry_after=RETRY_AFTER, cause="admission"
)


class Phase(Enum):
    """Where the server is in its life; the value is the word for it that others are told."""

    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"


@attrs.define(eq=False)
class ProcessLife:
    """Where the process is in its life; whatever settings are in, it has one."""

    phase: Phase = Phase.STARTING


@attrs.define(eq=False)
class Ticket:
    """One request's place.

    Attributes:
        scope: what it runs in.
        running: all of them.
        bytes: what is reserved for its body.
        admitted: whether it counts as one of the requests at once.
        streaming: whether its answer is a stream that has begun.
        end: has the request end itself with a failure; None while nobody can be asked.
        ended_by: why it was ended.
    """

    scope: trio.CancelScope
    running: Running
    bytes: int = 0
    admitted: bool = False
    streaming: bool = False
    end: Callable[[Failure], None] | None = None
    ended_by: Failure = LATE

    def weigh(self, size: int) -> Failure | None:
        """Reserve `size` bytes in all for the body, or say why not. One request alone always has room."""
        return self.running.weigh(self, size)

    def give_back(self) -> None:
        """Leave the place to others; said once the client has its answer, and again at the request's end."""
        self.running.give_back(self)


@attrs.define(eq=False)
class Running:
    """All requests of the process.

    Attributes:
        settings: has the limits and the deadline of a request.
        life: whether new requests are taken.
        turned_away: how many requests were.
        cut: how many were ended because the server was.
    """

    settings: Settings
    life: ProcessLife = attrs.field(factory=ProcessLife)
    turned_away: int = 0
    cut: int = 0
    _tickets: set[Ticket] = attrs.field(factory=set, init=False)
    _admitted: int = attrs.field(default=0, init=False)
    _bytes: int = attrs.field(default=0, init=False)

    @property
    def phase(self) -> Phase:
        """Where the process is in its life."""
        return self.life.phase

    @property
    def requests(self) -> int:
        """How many run."""
        return len(self._tickets)

    @property
    def working(self) -> int:
        """How many of them were given a place to do work."""
        return self._admitted

    @property
    def streams(self) -> int:
        """How many of them are streams that have begun."""
        return sum(ticket.streaming for ticket in self._tickets)

    @contextmanager
    def ticket(self, weight: int | None) -> Iterator[Ticket]:
        """Run a request in here: it is cut when it is far too late, or when the server ends.

        Args:
            weight: bytes to reserve for its body, for which `full` has found room; None for one that needs no place.
        """
        with trio.CancelScope(deadline=trio.current_time() + self.settings.timing.total + SPARE) as scope:
            ticket = Ticket(scope, self, weight or 0, admitted=weight is not None)
            self._tickets.add(ticket)
            self._admitted += ticket.admitted
            self._bytes += ticket.bytes
            try:
                yield ticket
            finally:
                self._tickets.discard(ticket)
                self.give_back(ticket)

    def ending(self) -> Failure | None:
        """Say why nothing new is begun; None while the server does not end."""
        if self.phase is not Phase.DRAINING:
            return None
        self.turned_away += 1
        return DRAINING

    def full(self, weight: int) -> Failure | None:
        """Say why a request whose body has so many bytes finds no place; None where it does, until somebody waits."""
        if self._admitted >= self.settings.limits.requests:
            self.turned_away += 1
            return _FULL
        return self._overweight(weight, 0)

    def weigh(self, ticket: Ticket, size: int) -> Failure | None:
        """Reserve bytes for a request's body; see `Ticket.weigh`."""
        if failure := self._overweight(size, ticket.bytes):
            return failure
        more = max(0, size - ticket.bytes)
        self._bytes += more
        ticket.bytes += more
        return None

    def give_back(self, ticket: Ticket) -> None:
        """Let others have what a request has held; see `Ticket.give_back`."""
        self._admitted -= ticket.admitted
        self._bytes -= ticket.bytes
        ticket.admitted = ticket.streaming = False
        ticket.bytes = 0

    def _overweight(self, size: int, reserved: int) -> Failure | None:
        """Say why a body has no room, of which some is reserved already."""
        others = self._bytes - reserved
        if size <= reserved or not others or others + size <= self.settings.limits.bodies_bytes:
            return None
        self.turned_away += 1
        return _FULL

    def end_all(self) -> None:
        """End what still runs: by itself where it can be asked, else by cutting it."""
        self.cut += len(self._tickets)
        for ticket in list(self._tickets):
            ticket.ended_by = STOPPING_FAILURE
            if ticket.end is None:
                ticket.scope.cancel()
            else:
                ticket.end(STOPPING_FAILURE)
