"""The guard: whatever a connection raises ends that connection, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Protocol

import attrs
from structlog.typing import FilteringBoundLogger

from pipeline.telemetry import names
from pipeline.telemetry.logs import fault_site


class Guarded(Protocol):
    """A connection as far as its guard and its server are concerned."""

    async def run(self) -> None:
        """Serve the client to the end of the connection, and wait for all of it; cancelled, it is cut."""
        ...

    def rest_no_longer(self) -> None:
        """Close it if it waits for a request; a hint, which may be ignored."""
        ...

    def abort(self) -> None:
        """Close it at once, without a checkpoint. May be repeated."""
        ...


@attrs.define
class Guard:
    """Runs connections, and notes what struck them: its kind and its place in the code, never what it says.

    Attributes:
        log: the program's logger.
        faults: how many connections an exception has ended.
    """

    log: FilteringBoundLogger
    faults: int = 0

    def make(self, maker: Callable[[socket.socket], Guarded], connected: socket.socket) -> Guarded | None:
        """Make a connection of a socket; None when that struck, because its client has left already, mostly."""
        try:
            return maker(connected)
        except Exception as error:  # noqa: BLE001 - the accept loop is not to notice either
            connected.close()
            if not isinstance(error, OSError | ValueError):
                self._note(error)
            return None

    async def run(self, connection: Guarded) -> None:
        """Serve one connection to its end; its socket is closed then. Cancellation passes through."""
        try:
            await connection.run()
        except Exception as error:  # noqa: BLE001 - whatever it is, the other connections are not to notice
            self._note(error)
        except BaseExceptionGroup as group:
            fault, others = group.split(Exception)
            if fault is not None:
                self._note(fault)
            if others is not None:
                raise others from None
        finally:
            connection.abort()

    def _note(self, error: BaseException) -> None:
        self.faults += 1
        self.log.error(names.CONNECTION_FAULT, site=fault_site(error), count=self.faults)
