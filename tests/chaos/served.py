"""dragoman in a process of its own that tells, every few seconds, how many tasks of it live: `python -m`, for soaks."""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys

import trio

from pipeline.server.shutdown import Shutdown
from pipeline.service import listen, open_service
from pipeline.serving import tune_interpreter
from pipeline.settings import load

EVERY = 5.0
"""Seconds between two words about tasks."""


async def _tell() -> None:
    while True:
        sys.stdout.write(f"{trio.lowlevel.current_statistics().tasks_living}\n")
        sys.stdout.flush()
        await trio.sleep(EVERY)


async def _serve(listener: socket.socket) -> None:
    stop = Shutdown()
    async with open_service(load({}, os.environ, None)) as context, trio.open_nursery() as nursery:
        nursery.start_soon(_tell)
        nursery.start_soon(_stop_on_signal, stop)
        tune_interpreter()
        await listen(context, sockets=[listener], shutdown=stop)
        nursery.cancel_scope.cancel()


async def _stop_on_signal(stop: Shutdown) -> None:
    with trio.open_signal_receiver(signal.SIGTERM) as signals:
        async for _ in signals:
            stop.begin()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fd", type=int, required=True)
    trio.run(_serve, socket.socket(fileno=parser.parse_args().fd))
