"""What a worker and the process that has started it say to each other, over the worker's standard input.

That is one end of a pair of sockets, or a pipe where the parent has nothing to say. The worker says once that it
serves; the parent may tell it to retire. When the other end closes, however that came, nobody is left who could ask for
the end, so the worker ends. What is counted travels over a pair of its own (`telemetry.gathering`).
"""

from __future__ import annotations

import contextlib
import os
import socket

import trio

from pipeline.server.shutdown import Shutdown

SERVING = b"serving\n"
"""What a worker says when it serves."""

RETIRE = b"retire\n"
"""What a worker is told that new settings have made old."""

RELOAD = "reload"
"""Who has asked for the end of a worker that retires."""

_STDIN = 0


def say_serving(descriptor: int = _STDIN) -> None:
    """Tell the parent that this process serves; nothing happens where it does not listen."""
    with contextlib.suppress(OSError):
        os.write(descriptor, SERVING)


def stream_of(end: socket.socket) -> trio.SocketStream:
    """Make a stream of one end of a pair of sockets, over which a worker and its parent speak of numbers."""
    end.setblocking(False)  # noqa: FBT003 - the only way to say it
    return trio.SocketStream(trio.socket.from_stdlib_socket(end))


async def hear_parent(shutdown: Shutdown, grace: float, descriptor: int = _STDIN) -> None:
    """Do what the parent asks, and end when there is none any more. Waits for words; cancelled, it hears no more.

    Args:
        shutdown: is begun.
        grace: seconds that requests have once the parent is gone, also those of a worker that retires.
        descriptor: the worker's standard input.
    """
    while True:
        await trio.lowlevel.wait_readable(descriptor)
        said = os.read(descriptor, 4096)
        if not said:
            break
        if RETIRE in said:
            shutdown.begin(RELOAD, closed=True)
    shutdown.begin("parent")
    await trio.sleep(grace)
    shutdown.hurry()
