"""The lifespan of an application, as ASGI has it: it hears that the server starts, and that it stops, and agrees.

Our own, because hypercorn's comes with HTTP/2 and websockets, which most servers never speak.

Source: the ASGI specification, lifespan protocol 2.0.
"""

from __future__ import annotations

from typing import Any

import trio

from pipeline.server.cycle import AsgiApp, AsgiEvent

CONSENT_TIMEOUT = 60.0
"""Seconds that an application has for what it does at its start, and at its end."""


class LifespanError(Exception):
    """The application cannot start, or cannot stop, and says so."""


class Lifespan:
    """What a server and its application say to each other about the life of both.

    Args:
        app: the application.
        state: what it may fill for its requests.
    """

    def __init__(self, app: AsgiApp, state: dict[str, Any]) -> None:
        self._app = app
        self._state = state
        self._tell, self._told = trio.open_memory_channel[AsgiEvent](2)
        self._agreed = {"startup": trio.Event(), "shutdown": trio.Event()}
        self._failed = False

    async def run(self) -> None:
        """Let the application live, to its own end or until it is cancelled. One that knows no lifespan has none."""
        scope = {"type": "lifespan", "asgi": {"spec_version": "2.0", "version": "3.0"}, "state": self._state}
        try:
            await self._app(scope, self._told.receive, self._hear)
        except Exception:
            if self._agreed["startup"].is_set():
                raise
        finally:
            for agreed in self._agreed.values():  # nobody is to wait for an application that has ended
                agreed.set()

    async def ask(self, phase: str) -> None:
        """Tell the application that the server is in its `startup` or `shutdown`, and wait until it agrees.

        Raises:
            LifespanError: It does not.
            trio.TooSlowError: It says nothing.
        """
        self._tell.send_nowait({"type": f"lifespan.{phase}"})
        with trio.fail_after(CONSENT_TIMEOUT):
            await self._agreed[phase].wait()
        if self._failed:
            raise LifespanError(phase)

    async def _hear(self, message: AsgiEvent) -> None:
        """Hear the application; does not wait. What it says beside the protocol is an error of its own."""
        _, phase, outcome = message["type"].split(".")
        self._failed = outcome == "failed"
        self._agreed[phase].set()
