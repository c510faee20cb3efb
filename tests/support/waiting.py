"""Waiting for what tells nobody that it has happened, such as the other end of a real socket."""

from __future__ import annotations

from collections.abc import Callable

import trio

TIMEOUT = 60.0
"""Seconds of real time after which a test hangs. It proves nothing: whatever it guards ends by an event, and a machine
may be so busy that this takes long."""


async def until(holds: Callable[[], bool]) -> None:
    """Return once something holds.

    Raises:
        trio.TooSlowError: It did not within `TIMEOUT`.
    """
    with trio.fail_after(TIMEOUT):
        while not holds():  # noqa: ASYNC110 - sockets and threads of others set no event of ours
            await trio.sleep(0.002)
