"""Waiting for what tells nobody that it has happened, such as the other end of a real socket."""

from __future__ import annotations

from collections.abc import Callable

import trio

TIMEOUT = 5.0
"""Seconds that anything may take which should happen at once; machines are sometimes busy."""


async def until(holds: Callable[[], bool]) -> None:
    """Return once something holds.

    Raises:
        trio.TooSlowError: It did not within `TIMEOUT`.
    """
    with trio.fail_after(TIMEOUT):
        while not holds():  # noqa: ASYNC110 - sockets and threads of others set no event of ours
            await trio.sleep(0.002)
