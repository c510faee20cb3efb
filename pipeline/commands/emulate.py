"""`dragoman emulate`: the built-in emulator of the Responses API alone, on a port, for whoever needs an upstream."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import trio

from pipeline.commands.listening import bind, url_of
from pipeline.commands.screen import CommandError, screen
from pipeline.commands.small_server import serve_application
from pipeline.emulator import emulator_application

if TYPE_CHECKING:
    import argparse
    import socket

_PORT = 8766
_DELAY = 0.01  # seconds; about the pace of a fast model


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=_PORT, metavar="N", help="port to listen on (%(default)s)")
    parser.add_argument(
        "--delay", type=float, default=_DELAY, metavar="SECONDS", help="between the deltas of an answer (%(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    if not 0 <= arguments.delay <= 60:  # noqa: PLR2004 - a minute between two words is enough for any test
        raise CommandError("--delay must be a number of seconds from 0 to 60")
    with bind(arguments.host, arguments.port) as listener:
        out = screen()
        out.line(f"the emulator of the Responses API listens on {out.bold(url_of(listener) + '/v1')}")
        out.line("It is no model: it plays what cue words in the prompt ask for, as [[think]] or [[call:Bash]].")
        trio.run(_until_signalled, listener, arguments.delay)
    return 0


async def _until_signalled(listener: socket.socket, delay: float) -> None:
    """Serve, and wait for a signal, then for the running answers."""
    async with trio.open_nursery() as nursery:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            shutdown = trio.Event()
            nursery.start_soon(serve_application, emulator_application(delay), listener, shutdown)
            await anext(aiter(signals))
            shutdown.set()
